#include "search/settled.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <span>
#include <string_view>
#include <vector>

namespace balmer::search {
namespace {

/// More digits are computed, fewer are counts and labels: neither are rounded measurements.
constexpr int kMostDigits = 8, kLeastDigits = 3;
/// Nats that a formula must save: odds of 150 to 1.
constexpr double kDecisive = 5;

/// A number as it is written: value = 0.d1 d2 ... dn times ten to the `exponent`.
struct Written {
    int digits = 0, exponent = 0;
};

Written written(double value) {
    std::array<char, 40> buffer;
    const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value, std::chars_format::scientific);
    const std::string_view text(buffer.data(), static_cast<std::size_t>(end.ptr - buffer.data()));
    const std::size_t e = text.find('e');
    Written out;
    out.digits = static_cast<int>(std::count_if(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(e),
                                                [](char c) { return c >= '0' && c <= '9'; }));
    const std::size_t power = e + (text[e + 1] == '+' ? 2 : 1);
    std::from_chars(text.data() + power, text.data() + text.size(), out.exponent);
    ++out.exponent;
    return out;
}

/// The variance of rounding of each value, if the column has the digits of measurements; else zeros.
std::vector<double> rounding_variances(std::span<const double> column) {
    std::vector<Written> values;
    int digits = 0;
    for (const double v : column) {
        values.push_back(written(v));
        digits = std::max(digits, values.back().digits);
    }
    std::vector<double> variances(column.size(), 0.0);
    if (digits < kLeastDigits || digits > kMostDigits) return variances;
    for (std::size_t i = 0; i < column.size(); ++i) {
        const double unit = balmer::apply(Op::Pow, 10, values[i].exponent - digits);
        variances[i] = column[i] == 0 ? 0 : unit * unit / 12;
    }
    return variances;
}

/// Mean square of what rounding of the target and of the features does to the residuals of the formula; 0 for a target
/// that is not rounded.
double rounding_loss(const Expression& e, const Evaluator<double>& evaluator, Workspace<double>& workspace) {
    const Dataset<double>& data = evaluator.data();
    const std::size_t n = data.n_rows();
    std::vector<double> variances = rounding_variances({data.target(), n});
    if (std::ranges::all_of(variances, [](double v) { return v == 0; })) return 0;
    std::vector<double> values(n), slopes(n * data.n_features());
    evaluator.evaluate_with_gradient(e, values, slopes, workspace);
    for (std::size_t j = 0; j < data.n_features(); ++j) {
        const std::vector<double> of_feature = rounding_variances({data.column(j), n});
        for (std::size_t i = 0; i < n; ++i) variances[i] += slopes[j * n + i] * slopes[j * n + i] * of_feature[i];
    }
    double sum = 0, weights = 0;
    for (std::size_t i = 0; i < n; ++i) {
        const double w = data.weights() != nullptr ? data.weights()[i] : 1;
        sum += w * variances[i];
        weights += w;
    }
    return sum / weights;
}

}  // namespace

bool settled(const SeedArchive& archive, const Evaluator<double>& evaluator, Workspace<double>& workspace) {
    const Dataset<double>& data = evaluator.data();
    const Found* const best = archive.best();
    if (data.n_rows() >= kFewRows || best == nullptr) return false;
    const double constant =
        description_length(Expression::constant(data.target_mean()), data.target_variance(), archive.scale());
    if (!(best->description + kDecisive < constant)) return false;
    const double floor = rounding_loss(best->expression, evaluator, workspace);
    return best->loss * best->loss <= floor * data.target_variance();
}

}  // namespace balmer::search
