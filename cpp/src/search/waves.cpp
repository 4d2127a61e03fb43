#include "search/waves.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <tuple>
#include <utility>
#include <vector>

#include "fit/frequency_scan.hpp"
#include "search/linear_fit.hpp"

namespace balmer::search {
namespace {

constexpr std::size_t kLeastRows = 12, kMostVariables = 8;
constexpr std::size_t kMostForProducts = 4;  // variables of which products are arguments and factors
constexpr std::size_t kPolished = 16;
constexpr double kPromising = 0.9;  // share of the variance that a wave may leave
constexpr double kSignificant = 3;  // standard errors of a slope
constexpr double kNoPhase = 0.05;   // radians
constexpr double kQuarter = 1.5707963267948966;

/// A formula and its values on the rows.
struct Column {
    Expression e;
    std::vector<double> values;
};

/// A wave: its argument and its factor by number, its frequency, and the share of the variance that it leaves.
struct Wave {
    std::size_t argument, factor;
    double frequency, left;
};

class WaveSearch {
   public:
    WaveSearch(const View& view, Polisher& polisher, std::span<const std::uint32_t> rows)
        : view_(view), polisher_(polisher), vocabulary_(polisher.vocabulary()), n_(rows.size()) {
        for (const std::uint32_t row : rows) {
            target_.push_back(view.target[row]);
            if (!view.weight.empty()) root_weight_.push_back(std::sqrt(view.weight[row]));
        }
        factors_.push_back({Expression::constant(1), std::vector<double>(n_, 1.0)});
        for (const Variable& v : view.variables) {
            Column column{v.expression, {}};
            for (const std::uint32_t row : rows) column.values.push_back(v.values[row]);
            variables_.push_back(std::move(column));
        }
        arguments_ = variables_;
        if (variables_.size() > kMostForProducts) return;
        factors_.insert(factors_.end(), variables_.begin(), variables_.end());
        for (std::size_t i = 0; i < variables_.size(); ++i) {
            for (std::size_t j = 0; j <= i; ++j) {
                const Column &a = variables_[i], &b = variables_[j];
                Column product{i == j ? vocabulary_.power(a.e, 2) : vocabulary_.multiply(a.e, b.e), a.values};
                for (std::size_t k = 0; k < n_; ++k) product.values[k] *= b.values[k];
                arguments_.push_back(std::move(product));
            }
        }
    }

    void run() {
        make_basis();
        rest_ = without_basis(target_);
        total_ = dot(rest_.data(), rest_.data(), n_);
        if (!(total_ > 0)) return;
        for (std::size_t g = 0; g < arguments_.size() && !polisher_.stopped(); ++g) scan(g);
        std::ranges::stable_sort(found_, {}, &Wave::left);
        std::vector<Expression> starts;
        for (std::size_t k = 0; k < std::min(found_.size(), kPolished); ++k) add_formulas(found_[k], starts);
        polisher_.submit(std::move(starts), "waves", 40);
    }

   private:
    const View& view_;
    Polisher& polisher_;
    const Vocabulary& vocabulary_;
    std::size_t n_;
    std::vector<double> target_, root_weight_, rest_;
    std::vector<Column> variables_, arguments_, factors_;
    std::vector<std::vector<double>> basis_;  // orthonormal, of the constant and the variables
    double total_ = 0;
    std::vector<Wave> found_;
    LinearFit fit_;

    [[nodiscard]] double weight(std::size_t k) const { return root_weight_.empty() ? 1 : root_weight_[k]; }

    /// The weighted column without its part along the basis; twice, for the first leaves rounding of what it takes.
    [[nodiscard]] std::vector<double> without_basis(std::vector<double> column) const {
        for (std::size_t k = 0; k < n_; ++k) column[k] *= weight(k);
        for (int pass = 0; pass < 2; ++pass) {
            for (const std::vector<double>& q : basis_) take_out(q, column);
        }
        return column;
    }

    void take_out(const std::vector<double>& q, std::vector<double>& column) const {
        const double along = dot(q.data(), column.data(), n_);
        for (std::size_t k = 0; k < n_; ++k) column[k] -= along * q[k];
    }

    void make_basis() {
        constexpr double kDependent = 1e-18;
        const auto add = [&](const std::vector<double>& values) {
            std::vector<double> column = without_basis(values);
            const double square = dot(column.data(), column.data(), n_);
            if (!(square > kDependent * dot(values.data(), values.data(), n_)) || !std::isfinite(square)) return;
            for (double& v : column) v /= std::sqrt(square);
            basis_.push_back(std::move(column));
        };
        add(factors_[0].values);
        for (const Column& column : variables_) add(column.values);
    }

    /// All frequencies of one argument. Sine and cosine go from step to step by the addition theorems.
    void scan(std::size_t g) {
        const Column& argument = arguments_[g];
        const std::vector<double> grid = fit::frequency_grid(argument.values, fit::kStepsOfAPeriod);
        if (argument.e.nodes.empty() || grid.empty()) return;
        std::vector<double> sine(n_, 0.0), cosine(n_, 1.0), sine_step(n_), cosine_step(n_);
        for (std::size_t k = 0; k < n_; ++k) {
            sine_step[k] = balmer::apply(Op::Sin, grid[0] * argument.values[k]);
            cosine_step[k] = balmer::apply(Op::Cos, grid[0] * argument.values[k]);
        }
        std::vector<std::vector<double>> left(factors_.size());
        for (std::size_t step = 0; step < grid.size(); ++step) {
            for (std::size_t k = 0; k < n_; ++k) {
                const double s = sine[k] * cosine_step[k] + cosine[k] * sine_step[k];
                cosine[k] = cosine[k] * cosine_step[k] - sine[k] * sine_step[k];
                sine[k] = s;
            }
            for (std::size_t h = 0; h < factors_.size(); ++h) left[h].push_back(share_left(h, sine, cosine));
        }
        polisher_.work().used += static_cast<double>(grid.size() * factors_.size() * (basis_.size() + 2) * n_);
        for (std::size_t h = 0; h < factors_.size(); ++h) {
            for (const std::size_t k : fit::deepest_minima(left[h], kPolished)) {
                if (left[h][k] < kPromising) found_.push_back({g, h, grid[k], left[h][k]});
            }
        }
    }

    /// What is left of the target's variance beside the variables with the best a h sin + b h cos.
    [[nodiscard]] double share_left(std::size_t factor, std::vector<double> u, std::vector<double> v) const {
        for (std::size_t k = 0; k < n_; ++k) {
            u[k] *= factors_[factor].values[k] * weight(k);
            v[k] *= factors_[factor].values[k] * weight(k);
        }
        for (const std::vector<double>& q : basis_) {
            take_out(q, u);
            take_out(q, v);
        }
        const double uu = dot(u.data(), u.data(), n_), vv = dot(v.data(), v.data(), n_),
                     uv = dot(u.data(), v.data(), n_);
        const double ur = dot(u.data(), rest_.data(), n_), vr = dot(v.data(), rest_.data(), n_);
        const double determinant = uu * vv - uv * uv;
        constexpr double kDependent = 1e-9;
        if (!(determinant > kDependent * uu * vv)) return 1;
        return 1 - (vv * ur * ur - 2 * uv * ur * vr + uu * vr * vr) / (determinant * total_);
    }

    /// The formulas of a wave: with all variables, and with those only whose slopes are significant.
    void add_formulas(const Wave& wave, std::vector<Expression>& starts) {
        const Column &g = arguments_[wave.argument], &h = factors_[wave.factor];
        std::vector<double> sine(n_), cosine(n_);
        for (std::size_t k = 0; k < n_; ++k) {
            sine[k] = h.values[k] * balmer::apply(Op::Sin, wave.frequency * g.values[k]);
            cosine[k] = h.values[k] * balmer::apply(Op::Cos, wave.frequency * g.values[k]);
        }
        std::vector<std::size_t> all;
        for (std::size_t j = 0; j < variables_.size(); ++j) all.push_back(j);
        const std::vector<std::size_t> significant = add_formula(wave, sine, cosine, all, starts);
        if (significant.size() < all.size()) add_formula(wave, sine, cosine, significant, starts);
    }

    /// Fits c, the slopes of `chosen`, a and b, adds the formula, and returns which of the slopes are significant.
    std::vector<std::size_t> add_formula(const Wave& wave, const std::vector<double>& sine,
                                         const std::vector<double>& cosine, const std::vector<std::size_t>& chosen,
                                         std::vector<Expression>& starts) {
        std::vector<const double*> columns{sine.data(), cosine.data()};
        for (const std::size_t j : chosen) columns.push_back(variables_[j].values.data());
        if (!fit_.fit(columns, target_.data(), root_weight_.empty() ? nullptr : root_weight_.data(), n_)) return {};
        const double free = std::max(1.0, static_cast<double>(n_) - static_cast<double>(columns.size()) - 1);
        const double deviation = std::sqrt(fit_.residual_sum() / free);
        const auto coefficient = [&](std::size_t k) { return fit_.coefficients()[k + 1]; };
        std::vector<double> slopes{1};
        std::vector<Expression> terms{written(wave, coefficient(0), coefficient(1))};
        std::vector<std::size_t> significant;
        for (std::size_t k = 0; k < chosen.size(); ++k) {
            slopes.push_back(coefficient(k + 2));
            terms.push_back(variables_[chosen[k]].e);
            if (std::abs(slopes.back()) > kSignificant * deviation * fit_.unit_error(k + 3)) {
                significant.push_back(chosen[k]);
            }
        }
        std::vector<Power> whole = view_.unit;
        whole.push_back({linear_combination(fit_.coefficients()[0], slopes, terms, vocabulary_), 1});
        starts.push_back(power_product(1, whole, vocabulary_));
        return significant;
    }

    /// h (a sin(w g) + b cos(w g)) as one sine or cosine, without a phase if that is nearly none.
    [[nodiscard]] Expression written(const Wave& wave, double a, double b) const {
        const Expression angle = vocabulary_.scale(wave.frequency, arguments_[wave.argument].e);
        const double sign_of_a = a < 0 ? -1 : 1, phase = balmer::apply(Op::Atan2, b * sign_of_a, a * sign_of_a);
        const double amplitude = sign_of_a * balmer::apply(Op::Hypot, a, b);
        const double from_cosine = phase - std::copysign(kQuarter, phase);  // sin(t + phase) = +-cos(t + from_cosine)
        const bool as_cosine =
            !vocabulary_.has(Op::Sin) || (vocabulary_.has(Op::Cos) && std::abs(from_cosine) < kNoPhase);
        const double shift = as_cosine ? from_cosine : phase, sign = as_cosine && phase < 0 ? -1 : 1;
        const bool none = std::abs(shift) < kNoPhase;
        const Expression wave_alone =
            vocabulary_.apply(as_cosine ? Op::Cos : Op::Sin, none ? angle : vocabulary_.offset(shift, angle));
        const Expression scaled = vocabulary_.scale(sign * amplitude, wave_alone);
        return wave.factor == 0 ? scaled : vocabulary_.multiply(factors_[wave.factor].e, scaled);
    }
};

}  // namespace

void waves(const View& view, Polisher& polisher, std::span<const std::uint32_t> rows) {
    const Vocabulary& vocabulary = polisher.vocabulary();
    if (!vocabulary.has(Op::Sin) && !vocabulary.has(Op::Cos)) return;
    if (rows.size() < kLeastRows || view.variables.empty() || view.variables.size() > kMostVariables) return;
    WaveSearch(view, polisher, rows).run();
}

}  // namespace balmer::search
