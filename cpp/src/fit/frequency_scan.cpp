#include "fit/frequency_scan.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <span>
#include <utility>

#include "balmer/expr/op.hpp"
#include "fit/levenberg_marquardt.hpp"

namespace balmer::fit {
namespace {

constexpr double kTwoPi = 6.283185307179586;
/// Differences below this share are rounding.
constexpr double kRounding = 1e-9;

constexpr double kMostPeriods = 200;
/// The least frequency, in steps.
constexpr double kLeastStep = 0.3;
/// Steps are finer by up to this factor for a wave without a phase.
constexpr double kMostReach = 8;
/// Rows can tell so many periods apart, each, when they lie at random.
constexpr double kPeriodsOfARow = 4;
/// Starts for one sine, and times that each sine of several is scanned with the others where they were found last.
constexpr std::size_t kStarts = 6;
constexpr int kSweeps = 2;
/// Rows of a scan: runs, so that the shortest periods are seen in rows that are in order.
constexpr std::size_t kRuns = 4, kRunRows = 256;

/// A sine or cosine at node `trig` whose argument is affine in the constant `frequency`, and shifted by the constant `phase`.
struct Site {
    std::size_t trig, frequency;
    std::optional<std::size_t> phase;
    std::vector<double> factor;  // what the frequency scales, row by row
};

template <class T>
class Scanner {
   public:
    Scanner(const Expression& expression, const Evaluator<T>& evaluator, std::size_t rows)
        : expression_(expression), evaluator_(evaluator), rows_(rows) {}

    std::vector<std::vector<double>> starts() {
        const std::vector<Site> sites = find_sites();
        std::vector<std::vector<double>> found;
        for (int sweep = 0; sweep < (sites.size() > 1 ? kSweeps : 1); ++sweep) {
            for (const Site& site : sites) {
                found = scan(site);
                if (!found.empty()) {
                    expression_.constants = found.front();
                }
            }
        }
        return found;
    }

   private:
    /// Derivatives of the argument of a sine by its own constants, row by row, and the first of these constants.
    struct Slopes {
        std::size_t first;
        std::vector<std::vector<double>> columns;
    };

    Slopes slopes(const Expression& expression, std::size_t trig) {
        const Expression argument = expression.subtree(trig - 1);
        const std::size_t all = evaluator_.data().n_rows(), n = argument.constants.size();
        std::vector<T> values(all), jacobian(all * n);
        evaluator_.evaluate_with_jacobian(argument, values, jacobian, workspace_.evaluation);
        Slopes out{expression.constants_before(expression.begin_of(trig - 1)), {}};
        for (std::size_t k = 0; k < n; ++k) {
            const auto begin = jacobian.begin() + static_cast<std::ptrdiff_t>(k * all);
            out.columns.emplace_back(begin, begin + static_cast<std::ptrdiff_t>(rows_));
        }
        return out;
    }

    static bool is_level(const std::vector<double>& column) {
        const auto [low, high] = std::ranges::minmax_element(column);
        return *high - *low <= kRounding * std::max(std::abs(*low), std::abs(*high));
    }

    /// Whether the argument stays affine in constant `k`: its derivative there is the same elsewhere.
    bool is_affine(std::size_t trig, std::size_t k, const std::vector<double>& column) {
        Expression moved = expression_;
        moved.constants[k] = 1.5 * moved.constants[k] + 1;
        const Slopes there = slopes(moved, trig);
        const std::vector<double>& other = there.columns[k - there.first];
        return std::ranges::equal(column, other, [](double a, double b) {
            return std::isfinite(a) && std::abs(a - b) <= kRounding * std::abs(a);
        });
    }

    std::vector<Site> find_sites() {
        std::vector<Site> sites;
        for (std::size_t i = 0; i < expression_.size(); ++i) {
            if (expression_.nodes[i].op != Op::Sin && expression_.nodes[i].op != Op::Cos) {
                continue;
            }
            const Slopes here = slopes(expression_, i);
            std::optional<std::size_t> phase;
            const std::size_t known = sites.size();
            for (std::size_t k = 0; k < here.columns.size(); ++k) {
                const std::vector<double>& column = here.columns[k];
                const std::size_t constant = here.first + k;
                if (!is_affine(i, constant, column)) {
                    continue;
                }
                if (is_level(column)) {
                    phase = constant;
                } else {
                    sites.push_back({i, constant, std::nullopt, column});
                }
            }
            for (std::size_t k = known; k < sites.size(); ++k) {
                sites[k].phase = phase;
            }
        }
        return sites;
    }

    /// The frequencies to look at. Without a phase that follows, the wave is held at 0, so it runs out of step sooner.
    [[nodiscard]] static std::vector<double> frequencies(const Site& site) {
        const auto [low, high] = std::ranges::minmax(site.factor);
        const double reach = 2 * std::max(std::abs(low), std::abs(high)) / (high - low);
        std::vector<double> grid = frequency_grid(
            site.factor, site.phase ? kStepsOfAPeriod : kStepsOfAPeriod * std::clamp(reach, 1.0, kMostReach));
        if (!grid.empty()) {
            grid.insert(grid.begin(), kLeastStep * grid.front());
        }
        return grid;
    }

    /// What is fitted at each frequency: with a phase, a sin(argument) + b cos(argument) stands in the place of the sine.
    struct Probe {
        Expression expression;
        std::vector<std::size_t> frequency;  // where the constant stands
        std::optional<std::size_t> a, b;     // the amplitudes
    };

    [[nodiscard]] Probe probe_of(const Site& site) const {
        const Expression argument = expression_.subtree(site.trig - 1);
        if (!site.phase || expression_.size() + argument.size() + 6 > kMaxNodes) {
            return {expression_, {site.frequency}, {}, {}};
        }
        const auto term = [&](Op op) {
            return Expression::apply(Op::Mul, Expression::constant(1), Expression::apply(op, argument));
        };
        Probe probe{expression_, {}, {}, {}};
        probe.expression.replace(site.trig, Expression::apply(Op::Add, term(Op::Sin), term(Op::Cos)));
        const std::size_t first = expression_.constants_before(expression_.begin_of(site.trig));
        probe.a = first;
        probe.b = first + 1 + argument.constants.size();
        probe.frequency = {site.frequency + 1, site.frequency + 2 + argument.constants.size()};
        return probe;
    }

    /// The formula with the best of the linear constants at frequency w; the loss there.
    double loss_at(Probe& probe, Formula<T>& formula, double w, FitWorkspace<T>& workspace) const {
        auto& memory = workspace.impl();
        for (const std::size_t k : probe.frequency) {
            probe.expression.constants[k] = w;
        }
        memory.start = probe.expression.constants;
        return LevenbergMarquardt<T>(formula, RowRuns::spread(rows_, kRuns, kRunRows), {}, memory).probe();
    }

    std::vector<std::vector<double>> scan(const Site& site) {
        const std::vector<double> grid = frequencies(site);
        Probe probe = probe_of(site);
        FitWorkspace<T> workspace;
        auto& memory = workspace.impl();
        memory.analysis.find(probe.expression, evaluator_.operators(), probe.expression.constants.size(),
                             memory.linear);
        Formula<T> formula{probe.expression, evaluator_, workspace.evaluation.program(), rows_};
        formula.compile(eval::Range::plain);
        std::vector<double> losses;
        for (const double w : grid) {
            losses.push_back(loss_at(probe, formula, w, workspace));
        }
        std::vector<std::vector<double>> found;
        for (const std::size_t k : deepest_minima(losses, kStarts)) {
            loss_at(probe, formula, grid[k], workspace);
            found.push_back(start_at(site, probe, formula, grid[k], workspace));
        }
        return found;
    }

    /// The constants of the formula with frequency w, and with the phase of the best a sin + b cos there.
    std::vector<double> start_at(const Site& site, const Probe& probe, Formula<T>& formula, double w,
                                 FitWorkspace<T>& workspace) {
        Expression start = expression_;
        start.constants[site.frequency] = w;
        if (!probe.a) {
            return start.constants;
        }
        auto& memory = workspace.impl();
        FitOptions linear_only;
        linear_only.max_iterations = 0;
        LevenbergMarquardt<T>(formula, RowRuns::spread(rows_, kRuns, kRunRows), linear_only, memory).run();
        const double a = memory.current.constants[*probe.a], b = memory.current.constants[*probe.b];
        const bool sine = expression_.nodes[site.trig].op == Op::Sin;
        const double shift = sine ? balmer::apply(Op::Atan2, b, a) : balmer::apply(Op::Atan2, -a, b);
        const Slopes here = slopes(start, site.trig);
        start.constants[*site.phase] += shift / here.columns[*site.phase - here.first].front();
        return start.constants;
    }

    Expression expression_;
    const Evaluator<T>& evaluator_;
    std::size_t rows_;
    FitWorkspace<T> workspace_;
};

}  // namespace

std::vector<double> frequency_grid(std::vector<double> factor, double steps) {
    std::ranges::sort(factor);
    const double range = factor.back() - factor.front();
    if (!(range > kRounding * std::max(std::abs(factor.front()), std::abs(factor.back())))) {
        return {};
    }
    double gap = range;
    for (std::size_t i = 1; i < factor.size(); ++i) {
        const double distance = factor[i] - factor[i - 1];
        gap = distance > kRounding * range ? std::min(gap, distance) : gap;
    }
    const double most =
        std::min({kMostPeriods, kPeriodsOfARow * static_cast<double>(factor.size()), range / (2 * gap)});
    std::vector<double> grid;
    for (int k = 1; k <= steps * most; ++k) {
        grid.push_back(kTwoPi / (range * steps) * k);
    }
    return grid;
}

std::vector<std::size_t> deepest_minima(std::span<const double> losses, std::size_t count) {
    std::vector<std::size_t> minima;
    for (std::size_t k = 0; k < losses.size(); ++k) {
        const bool below_left = k == 0 || losses[k] <= losses[k - 1];
        const bool below_right = k + 1 == losses.size() || losses[k] <= losses[k + 1];
        if (std::isfinite(losses[k]) && below_left && below_right) {
            minima.push_back(k);
        }
    }
    std::ranges::stable_sort(minima, [&](std::size_t i, std::size_t j) { return losses[i] < losses[j]; });
    minima.resize(std::min(minima.size(), count));
    return minima;
}

template <class T>
std::vector<std::vector<double>> frequency_starts(const Expression& expression, const Evaluator<T>& evaluator,
                                                  std::size_t rows) {
    return Scanner<T>(expression, evaluator, rows).starts();
}

template std::vector<std::vector<double>> frequency_starts<double>(const Expression&, const Evaluator<double>&,
                                                                   std::size_t);
template std::vector<std::vector<double>> frequency_starts<float>(const Expression&, const Evaluator<float>&,
                                                                  std::size_t);

}  // namespace balmer::fit
