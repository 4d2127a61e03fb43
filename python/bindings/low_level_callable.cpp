#include "low_level_callable.hpp"

#include <algorithm>
#include <string_view>

namespace balmer::python {
namespace {

/// Names of whole numbers as wide as size_t, or as wide as it where it matters.
constexpr std::string_view kSizes[] = {"long",      "unsignedlong", "ulong",      "longlong", "unsignedlonglong",
                                       "ulonglong", "size_t",       "Py_ssize_t", "npy_intp", "intptr_t",
                                       "int64_t",   "uint64_t"};

void remove_all(std::string& text, std::string_view word) {
    for (std::size_t at; (at = text.find(word)) != std::string::npos;) text.erase(at, word.size());
}

/// Takes `word` from the front of the text, if it is there.
bool take(std::string_view& text, std::string_view word) {
    if (!text.starts_with(word)) return false;
    text.remove_prefix(word.size());
    return true;
}

}  // namespace

LowLevelFunction::LowLevelFunction(const py::capsule& capsule)
    : signature(capsule.name()), function(capsule.get_pointer()), data(PyCapsule_GetContext(capsule.ptr())) {
    std::string normal = signature;
    for (const std::string_view word : {"const", " "}) remove_all(normal, word);
    std::string_view rest = normal;
    result = rest.substr(0, std::min(rest.find('('), rest.size()));
    rest.remove_prefix(result.size());
    if (!take(rest, "(")) return;
    while (take(rest, "double*,")) ++n_arrays;
    constexpr std::string_view kData = ",void*)";
    takes_data = rest.ends_with(kData);
    if (!rest.ends_with(')')) return;
    rest.remove_suffix(takes_data ? kData.size() : 1);
    is_known = std::ranges::find(kSizes, rest) != std::end(kSizes);
}

}  // namespace balmer::python
