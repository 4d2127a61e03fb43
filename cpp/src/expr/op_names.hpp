// Every name and alias of the table of operators, sorted at compile time.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <string_view>

#include "balmer/expr/op.hpp"

namespace balmer::detail {

struct BuiltinName {
    std::string_view name;
    Op op = Op::Constant;
    int arity = 0;
};

/// Calls visit(word, op, arity) for each word of each row's list of names.
template <class Visit>
constexpr void for_each_builtin_name(Visit visit) {
    struct Row {
        Op op;
        std::string_view names;
        int arity;
    };
    constexpr Row kRows[] = {
#define BALMER_OP(id, names, arity, ...) {Op::id, names, arity},
#include "balmer/expr/operators.def"
#undef BALMER_OP
    };
    for (const Row& row : kRows) {
        std::string_view rest = row.names;
        while (!rest.empty()) {
            const std::size_t end = std::min(rest.find(' '), rest.size());
            visit(rest.substr(0, end), row.op, row.arity);
            rest.remove_prefix(std::min(end + 1, rest.size()));
        }
    }
}

inline constexpr std::size_t kBuiltinNameCount = [] {
    std::size_t count = 0;
    for_each_builtin_name([&count](std::string_view, Op, int) { ++count; });
    return count;
}();

inline constexpr std::array<BuiltinName, kBuiltinNameCount> kBuiltinNames = [] {
    std::array<BuiltinName, kBuiltinNameCount> names;
    std::size_t k = 0;
    for_each_builtin_name([&](std::string_view name, Op op, int arity) { names[k++] = {name, op, arity}; });
    std::sort(names.begin(), names.end(), [](const BuiltinName& a, const BuiltinName& b) { return a.name < b.name; });
    return names;
}();

/// The entry of that name, or the end of kBuiltinNames.
constexpr const BuiltinName* find_builtin(std::string_view name) noexcept {
    const auto* end = kBuiltinNames.data() + kBuiltinNames.size();
    const auto* it = std::lower_bound(kBuiltinNames.data(), end, name,
                                      [](const BuiltinName& a, std::string_view b) { return a.name < b; });
    return it != end && it->name == name ? it : end;
}

static_assert(
    [] {
        for (std::size_t k = 1; k < kBuiltinNames.size(); ++k) {
            if (kBuiltinNames[k - 1].name == kBuiltinNames[k].name) return false;
        }
        return true;
    }(),
    "two rows of operators.def share a name");

}  // namespace balmer::detail
