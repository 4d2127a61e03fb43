#include "search/quotients.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <limits>
#include <numeric>
#include <span>
#include <tuple>
#include <utility>

#include "balmer/expr/simplify.hpp"
#include "eval/columns.hpp"
#include "eval/dispatch.hpp"
#include "search/compose.hpp"
#include "search/linear_fit.hpp"
#include "search/model.hpp"

namespace balmer::search {
namespace {

using eval::dot;

constexpr int kMostTerms = 5;
constexpr std::size_t kMostVariables = 16;  // of which all pairs are tried
// Of each number of terms, and transform of the target: starts that get their best constant, and those fitted then.
constexpr std::size_t kRefined = 100, kFitted = 20;
constexpr double kLargestExponent = 300;
constexpr double kStep = 1.5;  // of a grid: the ratio of neighbours
constexpr int kSections = 24;
constexpr double kInfinity = std::numeric_limits<double>::infinity();

enum class Function : std::uint8_t { exp, sin, cos, power, log, root };
constexpr std::array kFunctions{Function::exp,   Function::sin, Function::cos,
                                Function::power, Function::log, Function::root};

/// Which of 1, u, E, u E (bits 0 to 3) are in the numerator and in the denominator.
struct Shape {
    unsigned above = 0, below = 0;

    [[nodiscard]] int terms() const noexcept { return std::popcount(above) + std::popcount(below); }
};

constexpr unsigned kOne = 1, kU = 2, kE = 4, kUE = 8;

/// Those that have E, and no factor u or E in all their terms.
std::vector<Shape> make_shapes() {
    std::vector<Shape> shapes;
    for (unsigned above = 1; above < 16; ++above) {
        for (unsigned below = 1; below < 16; ++below) {
            const Shape shape{above, below};
            const unsigned all = above | below;
            const bool reducible = (all & ~(kU | kUE)) == 0 || (all & ~(kE | kUE)) == 0 || above == below;
            if (shape.terms() <= kMostTerms && (all & (kE | kUE)) != 0 && !reducible) shapes.push_back(shape);
        }
    }
    return shapes;
}

/// Weighted products of the terms 1, u, E, u E (columns 0 to 3) and of the target times each of them (4 to 7), summed over
/// the rows: sums of y^p u^q E^r with p, q and r up to 2, of which those without E stay from one constant to the next.
class Moments {
   public:
    static constexpr std::size_t kColumns = 8;
    std::array<std::array<double, kColumns>, kColumns> product{};

    /// Makes w y^p u^q.
    void begin(std::span<const double> weight, std::span<const double> y, std::span<const double> u) {
        const std::size_t n = weight.size();
        fixed_.resize(9 * n);
        for (std::size_t i = 0; i < n; ++i) {
            double power = weight[i];
            for (std::size_t q = 0; q < 3; ++q, power *= u[i]) {
                fixed_[3 * q * n + i] = power;
                fixed_[(3 * q + 1) * n + i] = power * y[i];
                fixed_[(3 * q + 2) * n + i] = power * y[i] * y[i];
            }
        }
        for (std::size_t k = 0; k < 9; ++k) {
            const double* column = &fixed_[k * n];
            sums_[0][k] = std::accumulate(column, column + n, 0.0);
        }
    }

    /// The products for these values of E and of its square.
    void multiply(std::span<const double> e, std::span<const double> square) noexcept {
        const std::size_t n = e.size();
        for (std::size_t k = 0; k < 9; ++k) {
            sums_[1][k] = dot(&fixed_[k * n], e.data(), n);
            sums_[2][k] = dot(&fixed_[k * n], square.data(), n);
        }
        for (std::size_t i = 0; i < kColumns; ++i) {
            for (std::size_t j = 0; j <= i; ++j) {
                const std::size_t of_y = i / 4 + j / 4, of_u = i % 2 + j % 2, of_e = i / 2 % 2 + j / 2 % 2;
                product[i][j] = product[j][i] = sums_[of_e][3 * of_u + of_y];
            }
        }
    }

   private:
    std::vector<double> fixed_;                    // w y^p u^q in [3 q + p]
    std::array<std::array<double, 9>, 3> sums_{};  // of w y^p u^q E^r in [r][3 q + p]
};

/// y Q = P solved by least squares.
struct Solution {
    std::array<double, 4> above{}, below{};  // coefficients of 1, u, E, u E
    double mse = kInfinity;                  // of P / Q, about: in units of y
};

/// Solves the normal equations of at most four columns by Cholesky's method; false if they depend on each other.
bool solve_normal(const Moments& m, std::span<const std::size_t> columns, std::size_t target, std::span<double> x) {
    const std::size_t n = columns.size();
    std::array<std::array<double, 4>, 4> l{};
    for (std::size_t i = 0; i < n; ++i) {
        for (std::size_t j = 0; j <= i; ++j) {
            double sum = m.product[columns[i]][columns[j]];
            for (std::size_t k = 0; k < j; ++k) sum -= l[i][k] * l[j][k];
            if (i == j) {
                if (!(sum > 1e-14 * m.product[columns[i]][columns[i]])) return false;
                l[i][i] = std::sqrt(sum);
            } else {
                l[i][j] = sum / l[j][j];
            }
        }
    }
    for (std::size_t i = 0; i < n; ++i) {
        double sum = m.product[columns[i]][target];
        for (std::size_t k = 0; k < i; ++k) sum -= l[i][k] * x[k];
        x[i] = sum / l[i][i];
    }
    for (std::size_t i = n; i-- > 0;) {
        for (std::size_t k = i + 1; k < n; ++k) x[i] -= l[k][i] * x[k];
        x[i] /= l[i][i];
    }
    return true;
}

Solution solve(const Moments& m, Shape shape) {
    std::array<std::size_t, 4> columns{};
    std::array<double, 4> x{};
    std::size_t n = 0;
    const auto first = static_cast<std::size_t>(std::countr_zero(shape.below));  // its coefficient is 1
    for (std::size_t k = 0; k < 4; ++k) {
        if ((shape.above >> k & 1U) != 0) columns[n++] = k;
    }
    const std::size_t n_above = n;
    for (std::size_t k = first + 1; k < 4; ++k) {
        if ((shape.below >> k & 1U) != 0) columns[n++] = 4 + k;
    }
    Solution s;
    if (!solve_normal(m, {columns.data(), n}, 4 + first, {x.data(), n})) return s;
    s.below[first] = 1;
    double residual = m.product[4 + first][4 + first], size = 0;
    for (std::size_t k = 0; k < n; ++k) {
        (k < n_above ? s.above[columns[k]] : s.below[columns[k] - 4]) = k < n_above ? x[k] : -x[k];
        residual -= x[k] * m.product[columns[k]][4 + first];
    }
    for (std::size_t i = 0; i < 4; ++i) {
        for (std::size_t j = 0; j < 4; ++j) size += s.below[i] * s.below[j] * m.product[i][j];
    }
    if (size > 0) s.mse = std::max(residual, 0.0) / size;
    return s;
}

/// A quotient at the best point of a grid.
struct Start {
    double mse = kInfinity;
    std::size_t u = 0, x = 0, shape = 0;
    Function function = Function::exp;
    double k = 0;
    Solution solution;
};

bool better(const Start& a, const Start& b) noexcept {
    return std::tie(a.mse, a.function, a.u, a.x, a.shape) < std::tie(b.mse, b.function, b.u, b.x, b.shape);
}

/// The best starts of each number of terms.
class Starts {
   public:
    explicit Starts(std::size_t most) : most_(most) {}

    void add(int terms, const Start& start) {
        std::vector<Start>& known = of_terms_[static_cast<std::size_t>(terms)];
        known.push_back(start);
        if (known.size() >= kSlack * most_) keep_best(known);
    }

    /// All of them, the best of each number of terms first.
    [[nodiscard]] std::vector<Start> take() {
        std::vector<Start> all;
        for (std::vector<Start>& known : of_terms_) {
            keep_best(known);
            std::ranges::sort(known, better);
            all.insert(all.end(), known.begin(), known.end());
        }
        return all;
    }

   private:
    static constexpr std::size_t kSlack = 8;  // times `most_` are kept before the others go
    std::size_t most_;
    std::array<std::vector<Start>, kMostTerms + 1> of_terms_;

    void keep_best(std::vector<Start>& known) const {
        if (known.size() <= most_) return;
        std::nth_element(known.begin(), known.begin() + static_cast<std::ptrdiff_t>(most_), known.end(), better);
        known.resize(most_);
    }
};

class QuotientSearch {
   public:
    QuotientSearch(const View& view, Polisher& polisher, const std::vector<std::uint32_t>& rows, double noise)
        : view_(view), polisher_(polisher), vocabulary_(polisher.vocabulary()), rows_(rows), noise_(noise) {
        for (const Variable& v : view.variables) {
            std::vector<double>& x = x_.emplace_back();
            for (const std::uint32_t row : rows) x.push_back(v.values[row]);
        }
    }

    void run() {
        const ViewSample sample = sample_of(view_, rows_, noise_);
        for (const Transform transform : {Transform::identity, Transform::log}) {
            if (!expressible(transform, vocabulary_) || polisher_.stopped()) continue;
            const TransformedTarget target = transform_target(transform, sample.target, sample.weight, sample.noise);
            if (target.value.empty()) continue;
            moments_.resize(x_.size());
            for (std::size_t u = 0; u < x_.size(); ++u) moments_[u].begin(target.weight, target.value, x_[u]);
            Starts starts(kRefined);
            for (const Function function : kFunctions) {
                for (std::size_t x = 0; x < x_.size(); ++x) {
                    if (!argument(function, x, 1).nodes.empty()) scan(function, x, starts);
                }
            }
            polisher_.submit(formulas(target, starts), "quotients", 40);
            if (polisher_.archive().exact()) return;
        }
    }

   private:
    const View& view_;
    Polisher& polisher_;
    const Vocabulary& vocabulary_;
    const std::vector<std::uint32_t>& rows_;
    double noise_;
    std::vector<std::vector<double>> x_;  // the variables on the screen rows
    std::vector<double> e_, square_;      // E and its square on the screen rows
    std::vector<Shape> shapes_ = make_shapes();
    std::vector<Moments> moments_;  // of each u, for the transformed target

    [[nodiscard]] Expression argument(Function function, std::size_t j, double k) const {
        const Expression& x = view_.variables[j].expression;
        switch (function) {
            case Function::exp:
                return vocabulary_.exp(vocabulary_.scale(k, x));
            case Function::sin:
                return vocabulary_.apply(Op::Sin, vocabulary_.scale(k, x));
            case Function::cos:
                return vocabulary_.apply(Op::Cos, vocabulary_.scale(k, x));
            case Function::power:
                return vocabulary_.power(x, k);
            case Function::log:
                return vocabulary_.log(vocabulary_.offset(k, x));
            case Function::root:
                return vocabulary_.apply(Op::Sqrt, vocabulary_.offset(k, x));
        }
        return {};
    }

    [[nodiscard]] static Op operator_of(Function function) noexcept {
        constexpr Op kOperators[] = {Op::Exp, Op::Sin, Op::Cos,
                                     Op::Pow, Op::Log, Op::Sqrt};  // in the order of Function
        return kOperators[static_cast<std::size_t>(function)];
    }

    /// E and its square on the screen rows; false if one is not finite there.
    [[nodiscard]] bool evaluate(Function function, const std::vector<double>& x, double k) {
        const std::size_t n = x.size();
        e_.resize(n);
        square_.resize(n);
        const Op op = operator_of(function);
        const bool shifted = op == Op::Log || op == Op::Sqrt;
        if (op == Op::Pow) {
            eval::apply(op, e_.data(), x.data(), k, n);
        } else {
            for (std::size_t i = 0; i < n; ++i) e_[i] = shifted ? x[i] + k : k * x[i];
            const auto too_large = [](double argument) { return !(std::abs(argument) < kLargestExponent); };
            if (op == Op::Exp && std::ranges::any_of(e_, too_large)) return false;
            eval::apply(op, e_.data(), e_.data(), n);
        }
        for (std::size_t i = 0; i < n; ++i) square_[i] = e_[i] * e_[i];
        return eval::kernels().f64.all_finite(e_.data(), n);
    }

    /// Constants so close to each other that the best of them shows the way to the best of all.
    [[nodiscard]] static std::vector<double> grid(Function function, const std::vector<double>& x) {
        const auto [low, high] = std::minmax_element(x.begin(), x.end());
        const double range = *high - *low;
        std::vector<double> k;
        switch (function) {
            case Function::exp:
                for (double c = 0.2 / range; c < 60 / range; c *= kStep) k.insert(k.end(), {c, -c});
                break;
            case Function::sin:
            case Function::cos:
                for (int s = 1; s <= 16; ++s) k.push_back(1.1 * s / range);
                break;
            case Function::power:
                for (double p = 0.13; p < 5; p *= kStep) k.insert(k.end(), {p, -p});
                break;
            case Function::log:
            case Function::root:
                for (double c = 0.003; c < 30; c *= kStep * kStep) k.push_back(c * range - *low);
                break;
        }
        return k;
    }

    /// Between which neighbours of `k` on the grid the best constant lies.
    [[nodiscard]] static std::pair<double, double> neighbours(Function function, const std::vector<double>& x,
                                                              double k) {
        const auto [low, high] = std::minmax_element(x.begin(), x.end());
        switch (function) {
            case Function::exp:
            case Function::power:
                return {k / kStep, k * kStep};
            case Function::sin:
            case Function::cos:
                return {k - 1.1 / (*high - *low), k + 1.1 / (*high - *low)};
            case Function::log:
            case Function::root:
                return {(k + *low) / (kStep * kStep) - *low, (k + *low) * kStep * kStep - *low};
        }
        return {k, k};
    }

    void scan(Function function, std::size_t x, Starts& starts) {
        const auto [low, high] = std::minmax_element(x_[x].begin(), x_[x].end());
        if (!(*high > *low) || (function == Function::power && !(*low > 0))) return;
        std::vector<Start> best(x_.size() * shapes_.size());
        for (const double k : grid(function, x_[x])) {
            if (!evaluate(function, x_[x], k)) continue;
            for (std::size_t u = 0; u < x_.size(); ++u) {
                moments_[u].multiply(e_, square_);
                for (std::size_t s = 0; s < shapes_.size(); ++s) {
                    // Without u a shape is the same for every u.
                    if (u != 0 && ((shapes_[s].above | shapes_[s].below) & (kU | kUE)) == 0) continue;
                    const Solution solution = solve(moments_[u], shapes_[s]);
                    Start& known = best[u * shapes_.size() + s];
                    if (solution.mse < known.mse) known = {solution.mse, u, x, s, function, k, solution};
                }
            }
            polisher_.work().used += static_cast<double>(x_.size() * (rows_.size() * 40 + shapes_.size() * 20));
        }
        for (const Start& start : best) {
            if (std::isfinite(start.mse)) starts.add(shapes_[start.shape].terms(), start);
        }
    }

    /// Moves k to where y Q = P holds best (golden section). A fit of y = P / Q that began farther away would often end
    /// elsewhere: zeros of P and Q that lie close together make deep, narrow minima.
    void refine(Start& start) {
        auto [a, b] = neighbours(start.function, x_[start.x], start.k);
        const auto solution_at = [&](double k) {
            if (!evaluate(start.function, x_[start.x], k)) return Solution{};
            Moments& moments = moments_[start.u];
            moments.multiply(e_, square_);
            polisher_.work().used += static_cast<double>(rows_.size() * 40);
            return solve(moments, shapes_[start.shape]);
        };
        constexpr double kGolden = 0.6180339887498949;
        double c = b - kGolden * (b - a), d = a + kGolden * (b - a);
        Solution at_c = solution_at(c), at_d = solution_at(d);
        for (int i = 0; i < kSections; ++i) {
            const Solution& better = at_c.mse < at_d.mse ? at_c : at_d;
            if (better.mse < start.mse) {
                start.mse = better.mse;
                start.solution = better;
                start.k = at_c.mse < at_d.mse ? c : d;
            }
            if (at_c.mse < at_d.mse) {
                b = d, d = c, at_d = at_c;
                c = b - kGolden * (b - a);
                at_c = solution_at(c);
            } else {
                a = c, c = d, at_c = at_d;
                d = a + kGolden * (b - a);
                at_d = solution_at(d);
            }
        }
    }

    /// The best of each number of terms, as formulas of y.
    [[nodiscard]] std::vector<Expression> formulas(const TransformedTarget& target, Starts& starts) {
        Starts refined(kFitted);
        for (Start start : starts.take()) {
            refine(start);
            refined.add(shapes_[start.shape].terms(), start);
        }
        std::vector<Expression> out;
        for (const Start& start : refined.take()) {
            const Expression y = formula_of_y(quotient(start), target, view_, vocabulary_);
            if (!y.nodes.empty()) out.push_back(simplify(y, vocabulary_.operators()));
        }
        return out;
    }

    [[nodiscard]] Expression quotient(const Start& start) const {
        const Shape shape = shapes_[start.shape];
        const Expression e = argument(start.function, start.x, start.k);
        const Expression& u = view_.variables[start.u].expression;
        Expression above = sum(shape.above, start.solution.above, u, e);
        if (shape.below == kOne) return above;
        const Expression below = sum(shape.below, start.solution.below, u, e);
        if (shape.above == kOne) return vocabulary_.scale(start.solution.above[0], vocabulary_.reciprocal(below));
        return vocabulary_.divide(above, below);
    }

    /// c0 + c1 u + (c2 + c3 u) E, of the terms in `mask`.
    [[nodiscard]] Expression sum(unsigned mask, const std::array<double, 4>& c, const Expression& u,
                                 const Expression& e) const {
        const auto part = [&](double offset, double slope) {
            return linear_combination(offset, {&slope, slope == 0 ? 0U : 1U}, {&u, slope == 0 ? 0U : 1U}, vocabulary_);
        };
        const bool plain = (mask & (kOne | kU)) != 0;
        Expression product;
        if ((mask & (kE | kUE)) == kE) {
            product = vocabulary_.scale(c[2], e);
        } else if ((mask & (kE | kUE)) == kUE) {
            product = vocabulary_.scale(c[3], vocabulary_.multiply(u, e));
        } else if ((mask & (kE | kUE)) != 0) {
            product = vocabulary_.multiply(part(c[2], c[3]), e);
        } else {
            return part(c[0], c[1]);
        }
        if (!plain) return product;
        if ((mask & kU) == 0) return vocabulary_.offset(c[0], product);
        return vocabulary_.add(part(c[0], c[1]), product);
    }
};

}  // namespace

void quotients(const View& view, Polisher& polisher, const std::vector<std::uint32_t>& screen_rows, double noise) {
    if (view.variables.empty() || view.variables.size() > kMostVariables || screen_rows.size() < 8) return;
    const eval::FlushSubnormals guard(eval::kernels());
    QuotientSearch(view, polisher, screen_rows, noise).run();
}

}  // namespace balmer::search
