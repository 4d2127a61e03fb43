#include "search/domain.hpp"

#include <algorithm>

namespace balmer::search {

std::vector<Interval> widened_ranges(const Dataset<double>& data) {
    constexpr double kWider = 0.1;
    std::vector<Interval> ranges;
    for (std::size_t j = 0; j < data.n_features(); ++j) {
        const auto [least, most] = std::minmax_element(data.column(j), data.column(j) + data.n_rows());
        const double low = *least, high = *most, margin = kWider * (high - low);
        ranges.push_back({low >= 0 ? std::max(low - margin, (1 - kWider) * low) : low - margin,
                          high <= 0 ? std::min(high + margin, (1 - kWider) * high) : high + margin});
    }
    return ranges;
}

double price_of_risks(const Expression& e, std::span<const Interval> box, const OperatorSet& operators) {
    constexpr double kLn2 = 0.6931471805599453;
    return kLn2 * static_cast<double>(enclose(e, box, operators).at_risk);
}

}  // namespace balmer::search
