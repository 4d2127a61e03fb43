#include "nearest.hpp"

#include <algorithm>
#include <utility>
#include <vector>

namespace balmer::detail {
namespace {

constexpr std::size_t kLongestName = 64;  // longer ones are not names that somebody mistyped

constexpr char lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

}  // namespace

std::size_t edit_distance(std::string_view a, std::string_view b, std::size_t limit) {
    const std::size_t difference = a.size() < b.size() ? b.size() - a.size() : a.size() - b.size();
    if (difference > limit) return limit + 1;

    // Rows of the matrix of distances between prefixes: the last two and the one in work.
    std::vector<std::size_t> before(b.size() + 1), last(b.size() + 1), row(b.size() + 1);
    for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
    for (std::size_t i = 1; i <= a.size(); ++i) {
        std::swap(before, last);
        std::swap(last, row);
        row[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t replaced = last[j - 1] + (lower(a[i - 1]) == lower(b[j - 1]) ? 0 : 1);
            row[j] = std::min({replaced, last[j] + 1, row[j - 1] + 1});
            if (i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) && lower(a[i - 2]) == lower(b[j - 1])) {
                row[j] = std::min(row[j], before[j - 2] + 1);
            }
        }
    }
    return std::min(row[b.size()], limit + 1);
}

NearestName::NearestName(std::string_view wanted)
    : wanted_(wanted), limit_(std::max<std::size_t>(1, wanted.size() / 3) + 1) {}

void NearestName::consider(std::string_view candidate) {
    if (limit_ == 0 || wanted_.size() > kLongestName || candidate.size() > kLongestName || candidate.empty()) return;
    const std::size_t distance = edit_distance(wanted_, candidate, limit_ - 1);
    // A name of one letter is near to every other one: that would be no help.
    if (distance >= limit_ || (distance > 0 && distance >= std::max(wanted_.size(), candidate.size()))) return;
    limit_ = distance;
    best_ = candidate;
}

}  // namespace balmer::detail
