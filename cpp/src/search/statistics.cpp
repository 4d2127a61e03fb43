#include "search/statistics.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <iterator>
#include <limits>
#include <memory>
#include <numeric>
#include <span>
#include <utility>

#include "balmer/fit/fit.hpp"
#include "core/parallel.hpp"
#include "search/description_length.hpp"
#include "search/domain.hpp"
#include "search/vocabulary.hpp"

namespace balmer {

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// Random streams of this file: the parts do not depend on the seed of the search, so that searches can be compared.
constexpr std::uint64_t kFoldStream = 0x666f6c64;

bool whole(double c) noexcept {
    constexpr double kLargest = 1e6;
    return std::abs(c) < kLargest && c == std::nearbyint(c);
}

/// Rows of positive weight.
std::vector<std::uint32_t> observations(const Dataset<double>& data) {
    std::vector<std::uint32_t> rows;
    for (std::size_t i = 0; i < data.n_rows(); ++i) {
        if (data.weights() == nullptr || data.weights()[i] > 0) rows.push_back(static_cast<std::uint32_t>(i));
    }
    return rows;
}

/// Holds constants that are whole numbers: in its datasets they are further columns, so that a fit leaves them alone.
class HeldConstants {
   public:
    HeldConstants(std::span<const FrontEntry> front, const Dataset<double>& data) : data_(&data) {
        for (const FrontEntry& entry : front) {
            std::ranges::copy_if(entry.expression.constants, std::back_inserter(values_), whole);
        }
        std::ranges::sort(values_);
        const auto rest = std::ranges::unique(values_);
        values_.erase(rest.begin(), rest.end());
    }

    /// Columns of a copy, target and weights included.
    [[nodiscard]] std::size_t columns() const noexcept { return data_->n_features() + values_.size() + 2; }

    [[nodiscard]] Dataset<double> rows(std::span<const std::uint32_t> chosen) const {
        const std::size_t n = chosen.size(), features = data_->n_features();
        std::vector<double> columns((features + values_.size()) * n), target(n), weights;
        for (std::size_t j = 0; j < features; ++j) {
            for (std::size_t k = 0; k < n; ++k) columns[j * n + k] = data_->column(j)[chosen[k]];
        }
        for (std::size_t v = 0; v < values_.size(); ++v) {
            const auto begin = columns.begin() + static_cast<std::ptrdiff_t>((features + v) * n);
            std::fill(begin, begin + static_cast<std::ptrdiff_t>(n), values_[v]);
        }
        for (std::size_t k = 0; k < n; ++k) target[k] = data_->target()[chosen[k]];
        if (data_->weights() != nullptr) {
            for (const std::uint32_t row : chosen) weights.push_back(data_->weights()[row]);
        }
        return Dataset<double>(MatrixView<double>{columns.data(), n, features + values_.size(), 1, n}, target, weights);
    }

    [[nodiscard]] Expression held(const Expression& expression) const {
        Expression result = expression;
        result.constants.clear();
        for (Node& node : result.nodes) {
            if (node.op != Op::Constant) continue;
            const double value = expression.constants[node.index];
            if (whole(value)) {
                const auto place = std::ranges::lower_bound(values_, value) - values_.begin();
                node =
                    Node::feature(static_cast<std::uint32_t>(data_->n_features()) + static_cast<std::uint32_t>(place));
            } else {
                node.index = static_cast<std::uint32_t>(result.constants.size());
                result.constants.push_back(value);
            }
        }
        return result;
    }

   private:
    const Dataset<double>* data_;
    std::vector<double> values_;  // sorted, each once
};

/// Of each constant of a formula that a template made: 0 for the template's own numbers, and for those that are one unknown
/// the same error.
std::vector<double> errors_of_parts(const FrontEntry& entry, const Template& structure,
                                    const Evaluator<double>& evaluator, double shrinkage,
                                    FitWorkspace<double>& workspace) {
    const Composed composed = *structure.compose(entry.parts);
    const std::vector<double> free = standard_errors(composed.expression, evaluator, workspace, composed.n_free);
    std::vector<double> errors;
    for (const std::size_t unknown : entry.unknowns) {
        errors.push_back(unknown > 0 ? shrinkage * free[unknown - 1] : 0.0);
    }
    return errors;
}

void add_errors(std::vector<FrontEntry>& front, const Problem& problem, const HeldConstants& constants,
                std::span<const std::uint32_t> rows, double shrinkage, const std::atomic<bool>& cancelled,
                double& evaluations) {
    const Dataset<double> data = constants.rows(rows);
    const Evaluator<double> evaluator(data, problem.operators);
    FitWorkspace<double> workspace;
    for (FrontEntry& entry : front) {
        if (cancelled.load(std::memory_order_relaxed)) return;
        if (entry.expression.constants.empty()) continue;
        if (problem.structure() != nullptr) {
            entry.standard_errors = errors_of_parts(entry, *problem.structure(), evaluator, shrinkage, workspace);
            continue;
        }
        const std::vector<double> free = standard_errors(constants.held(entry.expression), evaluator, workspace);
        evaluations += 1;
        entry.standard_errors.clear();
        std::size_t next = 0;
        for (const double c : entry.expression.constants) {
            entry.standard_errors.push_back(whole(c) ? 0.0 : shrinkage * free[next++]);
        }
    }
}

/// How losses other than squares count in nats.
///
/// A loss stands for residuals r with density exp(-l(r) / T); the virial theorem, E[r l'(r)] = T, gives the temperature T from
/// the residuals of the best formula there is. With p = T / (its loss), the exponent of the loss near those residuals,
/// -ln(likelihood) = n / p ln(loss) + constant: exact for powers of |r| with their scale at its optimum, n / 2 ln(mse) for
/// squares and n ln(mean |r|) for absolute values; for others it has the right slope where formulas are close.
struct NatsOfLoss {
    double factor = 0;  ///< n / p; 0 if the loss says nothing of a density
    double floor = 0;   ///< loss below which a residual is rounding

    [[nodiscard]] double operator()(double loss) const noexcept {
        return factor * balmer::apply(Op::Log, std::max(loss, floor));
    }
};

NatsOfLoss nats_of_loss(std::span<const FrontEntry> front, const Problem& problem, double observations, double quantum,
                        double& evaluations) {
    const Loss* const loss = problem.loss();
    const Dataset<double>& data = problem.data;
    NatsOfLoss nats;
    if (loss == nullptr || !loss->shape().towards_target || !loss->shape().non_negative || front.empty()) return nats;
    nats.floor = std::max(problem.mean_loss.loss_at_distance(std::sqrt(quantum)), std::numeric_limits<double>::min());
    const FrontEntry& best = *std::ranges::min_element(front, {}, &FrontEntry::loss);
    if (!std::isfinite(best.loss) || !std::isfinite(nats.floor)) return nats;
    std::vector<double> values(data.n_rows());
    FitWorkspace<double> workspace;
    Evaluator<double>(data, problem.operators).evaluate(best.expression, values, workspace.evaluation);
    evaluations += 1;
    constexpr std::size_t kMostRows = 131'072;
    const std::size_t rows = std::min(data.n_rows(), kMostRows);
    double virial = 0, sum = 0;
    for (std::size_t i = 0; i < rows; ++i) {
        const double w = data.weights() == nullptr ? 1 : data.weights()[i], target = data.target()[i];
        virial += (values[i] - target) * (*loss)(values[i], target, w, 1);
        sum += (*loss)(values[i], target, w, 0);
    }
    // An exact formula has no residuals to tell an exponent from: then any will do, since its loss is at the floor.
    const double exponent = sum > 0 && virial > 0 ? virial / sum : 1;
    nats.factor = observations / exponent;
    return nats;
}

class CrossValidation {
   public:
    CrossValidation(std::vector<FrontEntry>& front, const Problem& problem, const HeldConstants& constants,
                    std::vector<std::uint32_t> rows, const std::atomic<bool>& cancelled)
        : front_(front), problem_(problem), constants_(constants), rows_(std::move(rows)), cancelled_(cancelled) {
        Rng rng(0, kFoldStream);
        for (std::size_t i = rows_.size(); i > 1; --i) {
            std::swap(rows_[i - 1], rows_[rng.below(static_cast<std::uint32_t>(i))]);
        }
    }

    void run(double& evaluations) {
        const std::size_t folds = std::min(static_cast<std::size_t>(problem_.options.cv_folds), rows_.size());
        if (folds < 2) return;                          // no rows to be judged on
        std::vector<std::vector<Expression>> formulas;  // as roles
        for (const FrontEntry& entry : front_) {
            formulas.push_back(entry.parts.empty() ? std::vector{constants_.held(entry.expression)} : entry.parts);
        }
        std::vector<std::vector<double>> losses(folds);
        std::vector<double> weights;
        for (std::size_t fold = 0; fold < folds; ++fold) {
            weights.push_back(judge(fold, folds, formulas, losses[fold], evaluations));
            if (cancelled_.load(std::memory_order_relaxed)) return;
        }
        for (std::size_t e = 0; e < front_.size(); ++e) {
            double sum = 0, weight = 0, square = 0;
            for (std::size_t fold = 0; fold < folds; ++fold) {
                sum += weights[fold] * losses[fold][e];
                weight += weights[fold];
            }
            const double mean = sum / weight;
            for (const std::vector<double>& loss : losses) square += (loss[e] - mean) * (loss[e] - mean);
            const auto k = static_cast<double>(folds);
            front_[e].cv_loss = std::isnan(mean) ? kInfinity : mean;
            front_[e].cv_error = std::isfinite(mean) ? std::sqrt(square / (k * (k - 1))) : kInfinity;
        }
    }

   private:
    /// Losses of all formulas on one part; returns its weight.
    double judge(std::size_t fold, std::size_t folds, const std::vector<std::vector<Expression>>& formulas,
                 std::vector<double>& losses, double& evaluations) const {
        std::vector<std::uint32_t> inside, outside;
        for (std::size_t i = 0; i < rows_.size(); ++i) (i % folds == fold ? inside : outside).push_back(rows_[i]);
        // As given: in the order of the data, whose sums have been seen before.
        std::ranges::sort(inside);
        std::ranges::sort(outside);
        const Dataset<double> train = constants_.rows(outside), test = constants_.rows(inside);
        const auto over = [&](const Dataset<double>& rows) {
            return problem_.of_candidates(std::make_unique<MeanLoss>(rows, problem_.operators, problem_.loss()));
        };
        const std::unique_ptr<const Objective> fitted = over(train), judged = over(test);
        losses.assign(formulas.size(), kInfinity);
        std::vector<double> passes(formulas.size(), 0);
        const int n_threads = problem_.options.n_threads;
        std::vector<FitWorkspace<double>> workspaces(static_cast<std::size_t>(std::max(1, n_threads)));
        parallel_for(std::ssize(formulas), n_threads, [&](std::ptrdiff_t e, int thread) {
            if (cancelled_.load(std::memory_order_relaxed)) return;
            const auto k = static_cast<std::size_t>(e);
            FitWorkspace<double>& workspace = workspaces[static_cast<std::size_t>(thread)];
            std::vector<Expression> formula = formulas[k];
            const FitResult fit = fitted->fit(formula, {}, workspace);
            passes[k] = fit.evaluations + 1;
            losses[k] = judged->loss(formula, kInfinity, workspace);
        });
        evaluations += std::accumulate(passes.begin(), passes.end(), 0.0);
        return test.weight_sum(test.n_rows());
    }

    std::vector<FrontEntry>& front_;
    const Problem& problem_;
    const HeldConstants& constants_;
    std::vector<std::uint32_t> rows_;
    const std::atomic<bool>& cancelled_;
};

}  // namespace

void add_statistics(std::vector<FrontEntry>& front, const Problem& problem, const std::atomic<bool>& cancelled,
                    double& evaluations) {
    const Dataset<double>& data = problem.data;
    const bool least_squares = problem.least_squares();
    std::vector<std::uint32_t> rows = observations(data);
    const auto n = static_cast<double>(rows.size());
    // Below it a residual is rounding of the target: it would decide between formulas that are both exact.
    const double quantum = search::description_scale({data.target(), data.n_rows()}, 2).quantum;
    const auto ln = [](double x) { return balmer::apply(Op::Log, x); };
    const NatsOfLoss nats = nats_of_loss(front, problem, n, quantum, evaluations);
    const search::Vocabulary vocabulary(problem.options, problem.operators);
    const auto scale =
        search::description_scale({data.target(), data.n_rows()}, vocabulary.n_symbols(data.n_features()));
    FitWorkspace<double> workspace;
    const Evaluator<double> evaluator(data, problem.operators);
    const std::vector<Interval> box = search::widened_ranges(data);
    for (FrontEntry& entry : front) {
        if (cancelled.load(std::memory_order_relaxed)) return;
        double mse = entry.loss;
        if (!least_squares) {
            mse = evaluator.mean_squared_error(entry.expression, data.n_rows(), workspace.evaluation);
            evaluations += 1;
        }
        entry.r2 = data.target_variance() > 0 ? 1 - mse / data.target_variance() : (mse > 0 ? 0.0 : 1.0);
        const auto free = static_cast<double>(std::ranges::count_if(priced(entry).constants, std::not_fn(whole)));
        if (least_squares) {
            entry.bic = n * ln(std::max({mse, quantum, std::numeric_limits<double>::min()})) + free * ln(n);
        } else if (nats.factor > 0) {
            entry.bic = 2 * nats(entry.loss) + free * ln(n);
            // The price of the formula itself is the same for every loss: that of squares less its term for the fit.
            const double unit = std::max(1.0, scale.quantum);
            entry.description_length = search::description_length(priced(entry), unit, scale) -
                                       0.5 * scale.rows * ln(unit) + nats(entry.loss) +
                                       search::price_of_risks(entry.expression, box, problem.operators);
        }
    }
    // The parts of a template are fitted with all their constants.
    const HeldConstants constants(problem.structure() ? std::span<const FrontEntry>{} : front, data);
    // A fair sample of large data, with errors scaled to all rows. (Each copy is there twice while a dataset is made, and
    // cross-validation has two.)
    constexpr std::size_t kMostRows = 131'072, kCopies = 4;
    rows.resize(std::min(rows.size(), problem.rows_in_memory(kCopies * constants.columns(), kMostRows)));
    const double shrinkage = std::sqrt(static_cast<double>(rows.size()) / n);
    if (least_squares) add_errors(front, problem, constants, rows, shrinkage, cancelled, evaluations);
    if (problem.options.cv_folds > 0) {
        CrossValidation(front, problem, constants, std::move(rows), cancelled).run(evaluations);
    }
}

}  // namespace balmer
