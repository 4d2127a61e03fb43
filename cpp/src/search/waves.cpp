#include "search/waves.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <numeric>
#include <span>
#include <utility>
#include <vector>

#include "eval/columns.hpp"
#include "fit/frequency_scan.hpp"
#include "search/atoms.hpp"
#include "search/linear_fit.hpp"
#include "search/scan_dispatch.hpp"

namespace balmer::search {
namespace {

using eval::dot;

constexpr std::size_t kLeastRows = 12, kMostVariables = 8;
constexpr std::size_t kMostForProducts = 4;  // variables of which products are arguments and factors
constexpr std::size_t kPolished = 16;
constexpr double kPromising = 0.9;  // share of the variance that a wave may leave
constexpr double kSignificant = 3;  // standard errors of a slope
constexpr double kNoPhase = 0.05;   // radians
constexpr double kQuarter = 1.5707963267948966;
constexpr std::size_t kMostForPlanes = 6;  // variables of which pairs are arguments
constexpr double kStepsOfPlane = 2;        // of a period: two variables have many pairs of frequencies
constexpr std::size_t kPlanesOfPair = 4, kPlanesPolished = 8;
constexpr double kStanding = 0.3;  // lesser to larger singular value, below which a sum of waves is a product

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

/// A wave over two variables: the frequencies in both, and the share of the variance that it explains.
struct PlaneWave {
    std::size_t a, b;
    double frequency_a, frequency_b, share;
};

/// The frequencies of a variable, with their cosines and sines on the rows as columns.
struct FrequencyTable {
    std::vector<double> grid;
    std::array<Panel, 2> waves;
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

    /// Waves of one argument.
    void run() {
        if (!prepare()) return;
        for (std::size_t g = 0; g < arguments_.size() && !polisher_.stopped(); ++g) scan(g);
        std::ranges::stable_sort(found_, {}, &Wave::left);
        for (std::size_t k = 0; k < std::min(found_.size(), kPolished); ++k) add_formulas(found_[k]);
        polisher_.submit(std::move(starts_), "waves", 40);
    }

    /// Waves of two variables.
    void run_over_pairs() {
        if (variables_.size() < 2 || variables_.size() > kMostForPlanes || !prepare()) return;
        std::vector<FrequencyTable> tables;
        for (std::size_t i = 0; i < variables_.size(); ++i) {
            tables.push_back(table_of(variables_[i].values));
            if (i == 0 || tables[i].grid.empty()) continue;
            const std::array<Panel, 2> rest = with_rest(tables[i]);
            for (std::size_t j = 0; j < i && !polisher_.stopped(); ++j) {
                if (!tables[j].grid.empty()) scan_plane(i, j, tables[i].grid, rest, tables[j]);
            }
        }
        std::ranges::stable_sort(planes_, std::ranges::greater{}, &PlaneWave::share);
        planes_.resize(std::min(planes_.size(), kPlanesPolished));
        for (const PlaneWave& wave : planes_) {
            const PlaneWave better = refined(wave);
            add_plane(better);
            add_standing(better);
        }
        polisher_.submit(std::move(starts_), "plane waves", 40);
    }

   private:
    const View& view_;
    Polisher& polisher_;
    const Vocabulary& vocabulary_;
    std::size_t n_;
    std::vector<double> target_, root_weight_, rest_, weighted_sine_, weighted_cosine_;
    std::vector<Column> variables_, arguments_, factors_;
    std::vector<std::vector<double>> basis_;  // orthonormal, of the constant and the variables
    double total_ = 0;
    std::vector<Wave> found_;
    std::vector<PlaneWave> planes_;
    std::vector<Expression> starts_;
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
        eval::subtract_multiple(column.data(), dot(q.data(), column.data(), n_), q.data(), n_);
    }

    bool prepare() {
        make_basis();
        rest_ = without_basis(target_);
        total_ = dot(rest_.data(), rest_.data(), n_);
        return total_ > 0;
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
        std::vector<double> sine(n_, 0.0), cosine(n_, 1.0);
        const auto [sine_step, cosine_step] = sine_and_cosine(grid[0], argument.values);
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
    [[nodiscard]] double share_left(std::size_t factor, const std::vector<double>& sine,
                                    const std::vector<double>& cosine) {
        std::vector<double>&u = weighted_sine_, &v = weighted_cosine_;
        u.resize(n_);
        v.resize(n_);
        for (std::size_t k = 0; k < n_; ++k) {
            const double scale = factors_[factor].values[k] * weight(k);
            u[k] = sine[k] * scale;
            v[k] = cosine[k] * scale;
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

    /// sin(frequency * values) and cosine.
    [[nodiscard]] std::array<std::vector<double>, 2> sine_and_cosine(double frequency,
                                                                     const std::vector<double>& values) const {
        std::array<std::vector<double>, 2> columns{values, std::vector<double>(n_)};
        auto& [sine, cosine] = columns;
        for (double& angle : sine) angle *= frequency;
        eval::apply(Op::Cos, cosine.data(), sine.data(), n_);
        eval::apply(Op::Sin, sine.data(), sine.data(), n_);
        return columns;
    }

    /// The same, times `factor`.
    [[nodiscard]] std::array<std::vector<double>, 2> wave_columns(double frequency, const std::vector<double>& values,
                                                                  const std::vector<double>& factor) const {
        std::array<std::vector<double>, 2> columns = sine_and_cosine(frequency, values);
        for (std::vector<double>& column : columns) {
            for (std::size_t k = 0; k < n_; ++k) column[k] *= factor[k];
        }
        return columns;
    }

    void add_formulas(const Wave& wave) {
        const Column &g = arguments_[wave.argument], &h = factors_[wave.factor];
        const auto [sine, cosine] = wave_columns(wave.frequency, g.values, h.values);
        add_beside_variables({sine.data(), cosine.data()}, [&](std::span<const double> c) {
            const Expression alone = written(vocabulary_.scale(wave.frequency, g.e), c[0], c[1]);
            return wave.factor == 0 ? alone : vocabulary_.multiply(h.e, alone);
        });
    }

    /// The formulas with these columns: with all variables beside them, and with those only whose slopes are significant.
    /// `write` makes the columns' part of the formula from their coefficients.
    template <class Write>
    void add_beside_variables(const std::vector<const double*>& columns, const Write& write) {
        std::vector<std::size_t> all(variables_.size());
        std::iota(all.begin(), all.end(), std::size_t{0});
        const std::vector<std::size_t> significant = add_formula(columns, write, all);
        if (significant.size() < all.size()) add_formula(columns, write, significant);
    }

    /// Fits c, the slopes of `chosen` and the columns, adds the formula, and returns which of the slopes are significant.
    template <class Write>
    std::vector<std::size_t> add_formula(std::vector<const double*> columns, const Write& write,
                                         const std::vector<std::size_t>& chosen) {
        const std::size_t own = columns.size();
        for (const std::size_t j : chosen) columns.push_back(variables_[j].values.data());
        if (!fit_.fit(columns, target_.data(), root_weight_.empty() ? nullptr : root_weight_.data(), n_)) return {};
        const double free = std::max(1.0, static_cast<double>(n_) - static_cast<double>(columns.size()) - 1);
        const double deviation = std::sqrt(fit_.residual_sum() / free);
        const std::span<const double> slope = fit_.coefficients().subspan(1);
        std::vector<double> slopes{1};
        std::vector<Expression> terms{write(slope.first(own))};
        std::vector<std::size_t> significant;
        for (std::size_t k = 0; k < chosen.size(); ++k) {
            slopes.push_back(slope[own + k]);
            terms.push_back(variables_[chosen[k]].e);
            if (std::abs(slopes.back()) > kSignificant * deviation * fit_.unit_error(own + k + 1)) {
                significant.push_back(chosen[k]);
            }
        }
        std::vector<Power> whole = view_.unit;
        whole.push_back({linear_combination(fit_.coefficients()[0], slopes, terms, vocabulary_), 1});
        starts_.push_back(power_product(1, whole, vocabulary_));
        return significant;
    }

    /// a sin(angle) + b cos(angle) as one sine or cosine, without a phase if that is nearly none.
    [[nodiscard]] Expression written(const Expression& angle, double a, double b) const {
        const double sign_of_a = a < 0 ? -1 : 1, phase = balmer::apply(Op::Atan2, b * sign_of_a, a * sign_of_a);
        const double amplitude = sign_of_a * balmer::apply(Op::Hypot, a, b);
        const double from_cosine = phase - std::copysign(kQuarter, phase);  // sin(t + phase) = +-cos(t + from_cosine)
        const bool as_cosine =
            !vocabulary_.has(Op::Sin) || (vocabulary_.has(Op::Cos) && std::abs(from_cosine) < kNoPhase);
        const double shift = as_cosine ? from_cosine : phase, sign = as_cosine && phase < 0 ? -1 : 1;
        const bool none = std::abs(shift) < kNoPhase;
        const Expression wave =
            vocabulary_.apply(as_cosine ? Op::Cos : Op::Sin, none ? angle : vocabulary_.offset(shift, angle));
        return vocabulary_.scale(sign * amplitude, wave);
    }

    /// The frequencies of a variable, and the cosines and sines of all of them as columns.
    [[nodiscard]] FrequencyTable table_of(const std::vector<double>& values) const {
        std::vector<double> grid = fit::frequency_grid(values, kStepsOfPlane);
        std::array<Panel, 2> waves{Panel(grid.size(), n_), Panel(grid.size(), n_)};
        for (std::size_t f = 0; f < grid.size(); ++f) {
            const auto [sine, cosine] = sine_and_cosine(grid[f], values);
            std::ranges::transform(cosine, waves[0].column(f), [](double x) { return static_cast<float>(x); });
            std::ranges::transform(sine, waves[1].column(f), [](double x) { return static_cast<float>(x); });
        }
        for (Panel& panel : waves) panel.arrange();
        return {std::move(grid), std::move(waves)};
    }

    /// The columns times the rest of the target, by rows.
    [[nodiscard]] std::array<Panel, 2> with_rest(const FrequencyTable& table) const {
        std::array<Panel, 2> waves = table.waves;
        for (Panel& panel : waves) {
            for (std::size_t f = 0; f < table.grid.size(); ++f) {
                for (std::size_t k = 0; k < n_; ++k) panel.column(f)[k] *= static_cast<float>(weight(k) * rest_[k]);
            }
        }
        return waves;
    }

    /// The periodogram of the rest over two variables. Its sums over rows, of the rest times products of a sine or cosine of
    /// each, are matrix products; sums and differences of them belong to u x_i + v x_j and to u x_i - v x_j. `of_i` has the
    /// columns of variable i times the rest.
    void scan_plane(std::size_t i, std::size_t j, const std::vector<double>& grid_i, const std::array<Panel, 2>& of_i,
                    const FrequencyTable& table_j) {
        constexpr std::size_t kAtOnce = kScanRows / 2;  // frequencies, each with a cosine and a sine
        const auto& [grid_j, of_j] = table_j;
        double weights = 0;
        for (std::size_t k = 0; k < n_; ++k) weights += weight(k) * weight(k);
        const double pairs = 2 * static_cast<double>(grid_i.size() * grid_j.size());
        const double chance =
            2 * balmer::apply(Op::Log, pairs) / static_cast<double>(n_);  // the largest share of noise
        const double unit = 2 / (weights * total_), least = 1.3 * chance / unit;
        std::vector<PlaneWave> found;
        const ScanKernels& kernels = scan_kernels();
        float with_cosine[kScanRows * kPanelLanes], with_sine[kScanRows * kPanelLanes];
        for (std::size_t first = 0; first < grid_i.size(); first += kAtOnce) {
            const float* rows[kScanRows];
            for (std::size_t q = 0; q < kScanRows; ++q) {
                rows[q] = of_i[q % 2].column(std::min(first + q / 2, grid_i.size() - 1));
            }
            for (std::size_t block = 0; block < of_j[0].blocks(); ++block) {
                kernels.dots(rows, of_j[0].block(block), n_, with_cosine);
                kernels.dots(rows, of_j[1].block(block), n_, with_sine);
                for (std::size_t q = 0; q < std::min(kAtOnce, grid_i.size() - first); ++q) {
                    for (std::size_t lane = 0; lane < kPanelLanes; ++lane) {
                        const std::size_t g = block * kPanelLanes + lane;
                        if (g >= grid_j.size()) break;
                        const std::size_t cosine = 2 * q * kPanelLanes + lane, sine = cosine + kPanelLanes;
                        const float cc = with_cosine[cosine], sc = with_cosine[sine], cs = with_sine[cosine],
                                    ss = with_sine[sine];
                        const float sum = (cc - ss) * (cc - ss) + (sc + cs) * (sc + cs);
                        const float difference = (cc + ss) * (cc + ss) + (sc - cs) * (sc - cs);
                        const double power = static_cast<double>(std::max(sum, difference));
                        if (power < least) continue;
                        const double sign = sum >= difference ? 1 : -1;
                        found.push_back({i, j, grid_i[first + q], sign * grid_j[g], power * unit});
                    }
                }
            }
        }
        polisher_.work().used += pairs * 2 * static_cast<double>(n_) * 0.02;
        keep_peaks(found, 1.5 * grid_i[0], 1.5 * grid_j[0]);
    }

    /// The largest of `found`, one of each peak.
    void keep_peaks(std::vector<PlaneWave>& found, double width_a, double width_b) {
        std::ranges::stable_sort(found, std::ranges::greater{}, &PlaneWave::share);
        const auto first = static_cast<std::ptrdiff_t>(planes_.size());
        for (const PlaneWave& wave : found) {
            const bool near = std::any_of(planes_.begin() + first, planes_.end(), [&](const PlaneWave& other) {
                return std::abs(wave.frequency_a - other.frequency_a) < width_a &&
                       std::abs(std::abs(wave.frequency_b) - std::abs(other.frequency_b)) < width_b;
            });
            if (near) continue;
            planes_.push_back(wave);
            if (planes_.size() == static_cast<std::size_t>(first) + kPlanesOfPair) return;
        }
    }

    /// The frequencies where the wave explains most, by ever smaller steps about those of the grid.
    [[nodiscard]] PlaneWave refined(PlaneWave wave) {
        const std::vector<double>&x = variables_[wave.a].values, &y = variables_[wave.b].values;
        double step_a = 0.25 * step_of(x), step_b = 0.25 * step_of(y);
        std::vector<double> angle(n_);
        for (int round = 0; round < 3; ++round, step_a /= 3, step_b /= 3) {
            PlaneWave best = wave;
            best.share = -1;
            for (int a = -2; a <= 2; ++a) {
                for (int b = -2; b <= 2; ++b) {
                    PlaneWave trial = wave;
                    trial.frequency_a += a * step_a;
                    trial.frequency_b += b * step_b;
                    for (std::size_t k = 0; k < n_; ++k) {
                        angle[k] = trial.frequency_a * x[k] + trial.frequency_b * y[k];
                    }
                    const auto [sine, cosine] = sine_and_cosine(1, angle);
                    trial.share = 1 - share_left(0, sine, cosine);
                    if (trial.share > best.share) best = trial;
                }
            }
            wave = best;
        }
        polisher_.work().used += 75 * static_cast<double>((basis_.size() + 4) * n_);
        return wave;
    }

    [[nodiscard]] static double step_of(const std::vector<double>& values) {
        return fit::frequency_grid(values, kStepsOfPlane)[0];
    }

    /// sin(u x + v y + p).
    void add_plane(const PlaneWave& wave) {
        const Column &x = variables_[wave.a], &y = variables_[wave.b];
        std::vector<double> values(n_);
        for (std::size_t k = 0; k < n_; ++k) {
            values[k] = wave.frequency_a * x.values[k] + wave.frequency_b * y.values[k];
        }
        const auto [sine, cosine] = wave_columns(1, values, factors_[0].values);
        const double slopes[] = {wave.frequency_a, wave.frequency_b};
        const Expression terms[] = {x.e, y.e};
        const Expression angle = linear_combination(0, slopes, terms, vocabulary_);
        add_beside_variables({sine.data(), cosine.data()},
                             [&](std::span<const double> c) { return written(angle, c[0], c[1]); });
    }

    /// sin(u x + p) sin(v y + q), if the four products of sines and cosines have coefficients of rank one.
    void add_standing(const PlaneWave& wave) {
        const Column &x = variables_[wave.a], &y = variables_[wave.b];
        const double u = wave.frequency_a, v = std::abs(wave.frequency_b);
        const auto of_x = wave_columns(u, x.values, factors_[0].values),
                   of_y = wave_columns(v, y.values, factors_[0].values);
        std::vector<std::vector<double>> products;
        std::vector<const double*> columns;
        for (const std::vector<double>& a : of_x) {
            for (const std::vector<double>& b : of_y) {
                std::vector<double> product(n_);
                for (std::size_t k = 0; k < n_; ++k) product[k] = a[k] * b[k];
                products.push_back(std::move(product));
            }
        }
        for (const std::vector<double>& product : products) columns.push_back(product.data());
        if (!fit_.fit(columns, target_.data(), root_weight_.empty() ? nullptr : root_weight_.data(), n_)) return;
        const std::vector<double> c(fit_.coefficients().begin() + 1, fit_.coefficients().end());
        // The first singular pair of the 2 x 2 matrix c.
        const double doubled = balmer::apply(Op::Atan2, 2 * (c[0] * c[1] + c[2] * c[3]),
                                             c[0] * c[0] + c[2] * c[2] - c[1] * c[1] - c[3] * c[3]);
        const double right[] = {balmer::apply(Op::Cos, 0.5 * doubled), balmer::apply(Op::Sin, 0.5 * doubled)};
        const double left[] = {c[0] * right[0] + c[1] * right[1], c[2] * right[0] + c[3] * right[1]};
        const double square = left[0] * left[0] + left[1] * left[1];
        if (!(std::abs(c[0] * c[3] - c[1] * c[2]) < kStanding * square)) return;
        std::vector<double> product(n_);
        for (std::size_t k = 0; k < n_; ++k) {
            product[k] =
                (left[0] * of_x[0][k] + left[1] * of_x[1][k]) * (right[0] * of_y[0][k] + right[1] * of_y[1][k]);
        }
        const Expression first = written(vocabulary_.scale(u, x.e), left[0], left[1]),
                         second = written(vocabulary_.scale(v, y.e), right[0], right[1]);
        add_beside_variables({product.data()}, [&](std::span<const double> scale) {
            const Power both[] = {{first, 1}, {second, 1}};
            return power_product(scale[0], both, vocabulary_);
        });
    }
};

bool may_have_waves(const View& view, const Vocabulary& vocabulary, std::size_t rows) {
    const bool written = vocabulary.has(Op::Sin) || vocabulary.has(Op::Cos);
    return written && rows >= kLeastRows && !view.variables.empty() && view.variables.size() <= kMostVariables;
}

}  // namespace

void waves(const View& view, Polisher& polisher, std::span<const std::uint32_t> rows) {
    if (may_have_waves(view, polisher.vocabulary(), rows.size())) WaveSearch(view, polisher, rows).run();
}

void plane_waves(const View& view, Polisher& polisher, std::span<const std::uint32_t> rows) {
    if (may_have_waves(view, polisher.vocabulary(), rows.size())) WaveSearch(view, polisher, rows).run_over_pairs();
}

}  // namespace balmer::search
