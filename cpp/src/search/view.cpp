#include "search/view.hpp"

#include <algorithm>
#include <cmath>

namespace balmer::search {

Expression in_frame(Expression e, const View& view) {
    if (view.frame.nodes.empty() || e.nodes.empty()) return e;
    if (view.frame.size() + e.size() > kMaxNodes) return {};
    Expression whole = view.frame;
    whole.replace(view.hole, e);
    return whole;
}

View raw_view(const Dataset<double>& data, const Vocabulary& vocabulary) {
    View view;
    view.name = "raw";
    const std::size_t n = data.n_rows();
    for (std::size_t j = 0; j < data.n_features(); ++j) {
        Variable v{Expression::feature(static_cast<std::uint32_t>(j)), {}};
        v.values.assign(data.column(j), data.column(j) + n);
        std::vector<double> magnitude(n);
        std::transform(v.values.begin(), v.values.end(), magnitude.begin(), [](double x) { return std::abs(x); });
        std::nth_element(magnitude.begin(), magnitude.begin() + static_cast<std::ptrdiff_t>(n / 2), magnitude.end());
        const double median = magnitude[n / 2];
        if (median > 0 && (median > 1e3 || median < 1e-3)) {
            int power = 0;
            double size = median;
            for (; size >= 3; size /= 10) ++power;
            for (; size < 0.3; size *= 10) --power;
            const double unit = balmer::apply(Op::Pow, 10, -power);
            const Expression scaled = vocabulary.scale(unit, v.expression);
            if (!scaled.nodes.empty()) {
                v.expression = scaled;
                for (double& x : v.values) x *= unit;
            }
        }
        view.variables.push_back(std::move(v));
    }
    view.target.assign(data.target(), data.target() + n);
    if (data.weights()) view.weight.assign(data.weights(), data.weights() + n);
    view.weight_sum = data.weight_sum(n);
    return view;
}

std::vector<std::uint32_t> first_rows(const Dataset<double>& data, std::size_t count) {
    std::vector<std::uint32_t> rows;
    for (std::size_t i = 0; i < data.n_rows() && rows.size() < count; ++i) {
        if (!data.weights() || data.weights()[i] > 0) rows.push_back(static_cast<std::uint32_t>(i));
    }
    return rows;
}

ViewSample sample_of(const View& view, std::span<const std::uint32_t> rows, double noise) {
    ViewSample sample;
    double typical = 0;
    for (const std::uint32_t row : rows) {
        sample.target.push_back(view.target[row]);
        sample.weight.push_back(view.weight.empty() ? 1 : view.weight[row]);
        typical += sample.weight.back();
    }
    // In a view, y is divided by a unit, and so is its noise.
    sample.noise = noise / std::sqrt(typical / static_cast<double>(rows.size()));
    return sample;
}

}  // namespace balmer::search
