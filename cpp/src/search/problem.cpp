#include "search/problem.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <utility>
#include <vector>

#include "balmer/expr/print.hpp"
#include "balmer/expr/simplify.hpp"

namespace balmer {

namespace {

/// The power of two next to the root mean square of a column; 1 for a column of zeros.
double magnitude(const double* column, std::size_t rows) {
    double largest = 0;
    for (std::size_t i = 0; i < rows; ++i) largest = std::max(largest, std::abs(column[i]));
    if (largest == 0) return 1;
    double sum = 0;
    for (std::size_t i = 0; i < rows; ++i) sum += column[i] / largest * (column[i] / largest);
    const double rms = largest * std::sqrt(sum / static_cast<double>(rows));
    return std::ldexp(1.0, std::ilogb(rms));
}

std::vector<double> scales_of(const Dataset<double>& data) {
    std::vector<double> scales;
    for (std::size_t j = 0; j < data.n_features(); ++j) scales.push_back(magnitude(data.column(j), data.n_rows()));
    scales.push_back(magnitude(data.target(), data.n_rows()));
    return scales;
}

SpaceLimits limits_of(const SearchOptions& options) {
    return {options.complexity, options.constraints, options.nested_constraints, options.variable_constraints,
            options.evolution.maxdepth};
}

/// Features that the roles of a candidate may use.
std::size_t most_features(const SearchOptions& options, const Dataset<double>& data) {
    return options.structure ? std::ranges::max(options.structure->arities()) : data.n_features();
}

std::vector<SearchSpace> spaces_of_parts(const SearchOptions& options, const OperatorSet& operators,
                                         const Dataset<double>& data) {
    std::vector<SearchSpace> spaces;
    if (!options.structure) return spaces;
    for (const std::size_t arity : options.structure->arities()) {
        spaces.emplace_back(operators, options.operators, arity, limits_of(options), scales_of(data));
    }
    return spaces;
}

/// The losses of formulas must be doubles, in sum over the rows too: near `norm`, that of the best constant, they are not all
/// infinite or 0.
void check_range(const Dataset<double>& data, bool least_squares, double norm) {
    double low = std::numeric_limits<double>::infinity(), high = -low;
    for (std::size_t i = 0; i < data.n_rows(); ++i) {
        if (data.weights() != nullptr && data.weights()[i] == 0) continue;
        low = std::min(low, data.target()[i]);
        high = std::max(high, data.target()[i]);
    }
    const bool too_large = !std::isfinite(norm * data.weight_sum(data.n_rows()));
    const bool too_small = least_squares && norm < std::numeric_limits<double>::min();
    if (low == high || (!too_large && !too_small)) return;
    throw std::invalid_argument("the target lies between " + number_text(low, 3) + " and " + number_text(high, 3) +
                                ": the loss of a constant, " + number_text(norm, 3) +
                                ", leaves the range of double precision; scale the target, or the weights");
}

}  // namespace

Problem::Problem(const Dataset<double>& data_, OperatorSet operators_, SearchOptions options_)
    : data(data_),
      operators(std::move(operators_)),
      options(std::move(options_)),
      space(operators, options.operators, most_features(options, data), limits_of(options), scales_of(data)),
      part_spaces(spaces_of_parts(options, operators, data)),
      mean_loss(data, operators, loss(), 1, whole_loss(), space.operators()),
      price(options.dimensions, operators, options.dimensional_constraint_penalty),
      objective(mean_loss, price),
      of_roles(of_candidates(std::make_unique<DimensionalObjective>(mean_loss, price))) {
    const double mean_square = data.target_mean() * data.target_mean() + data.target_variance();
    // The loss of the best constant, not of 0: a shift of the target must not change the search.
    norm = data.target_variance() > 0 ? data.target_variance() : mean_square;
    if (!least_squares()) norm = std::abs(mean_loss.loss_of_constant());
    if (whole_loss() == nullptr) check_range(data, least_squares(), least_squares() ? data.target_variance() : norm);
    if (!(norm > 0 && std::isfinite(norm))) norm = 1;
    // A formula of some ten operations rounds to a few units in the last place of the target.
    constexpr double kRounding = 0x1p-48;
    floor = least_squares() ? kRounding * kRounding * mean_square
                            : mean_loss.loss_at_distance(kRounding * std::sqrt(mean_square));
}

DimensionalPrice Problem::price_on_islands() const noexcept {
    // Finite: a law may have no neighbour that keeps to the units. Else what PySR asks, in units that every target has.
    constexpr double kForbidden = 1000;
    const double penalty = options.dimensional_constraint_penalty;
    return {options.dimensions, operators, std::isinf(penalty) ? kForbidden * norm : penalty};
}

std::size_t Problem::batch_rows() const noexcept {
    const std::size_t rows = data.n_rows();
    constexpr std::size_t kAutomaticFrom = 1001;
    if (options.batching == Batching::off || whole_loss() != nullptr) return 0;
    if (options.batching == Batching::automatic && rows < kAutomaticFrom) return 0;
    std::size_t size = static_cast<std::size_t>(options.batch_size);
    if (size == 0) size = rows < 5000 ? 128 : rows < 50000 ? 256 : 512;
    return size < rows ? size : 0;
}

std::size_t Problem::rows_in_memory(std::size_t columns, std::size_t most) const noexcept {
    // Half of the limit: one stage's copies may still be there while the next one's are made.
    const double bytes = static_cast<double>(columns) * sizeof(double);
    const double rows = std::floor(options.memory_limit_in_bytes / 2 / bytes);
    constexpr std::size_t kLeast = 256;
    const std::size_t fitting = rows < static_cast<double>(most) ? static_cast<std::size_t>(rows) : most;
    return std::min(std::max(fitting, kLeast), data.n_rows());
}

bool Problem::is_exact(const Candidate& member) const noexcept {
    std::size_t constants = 0;
    for (const Expression& role : member.roles) constants += role.constants.size();
    return member.loss <= floor && (constants + 1 < data.n_rows() || member.complexity == 1);
}

Candidate Problem::judged(std::vector<Expression> roles, double loss) const {
    Candidate result;
    result.roles = std::move(roles);
    for (std::size_t r = 0; r < n_evolving(); ++r) result.complexity += space.complexity(result.roles[r]);
    result.loss = loss;
    result.cost = loss / norm + options.evolution.parsimony * result.complexity;
    return result;
}

Candidate Problem::simplified(const Candidate& member, double loss) const {
    std::vector<Expression> roles = member.roles;
    for (std::size_t r = 0; r < n_evolving(); ++r) roles[r] = simplify(roles[r], operators);
    return judged(std::move(roles), loss);
}

std::unique_ptr<const Objective> Problem::of_candidates(std::unique_ptr<const Objective> formulas) const {
    if (structure() == nullptr) return formulas;
    return std::make_unique<OfTemplate>(*structure(), std::move(formulas));
}

std::vector<FrontEntry> Problem::entries(std::span<const Candidate* const> candidates) const {
    std::vector<FrontEntry> result;
    for (const Candidate* const member : candidates) {
        result.push_back({member->roles[0], member->complexity, member->loss});
        if (structure() == nullptr) continue;
        const std::optional<Composed> composed = structure()->compose(member->roles);
        if (!composed) {  // its loss is infinite
            result.pop_back();
            continue;
        }
        FrontEntry& entry = result.back();
        entry.expression = Template::written_out(*composed, entry.unknowns);
        for (std::size_t& unknown : entry.unknowns) unknown = unknown < composed->n_free ? unknown + 1 : 0;
        entry.parts = member->roles;
    }
    return result;
}

Expression priced(std::span<const Expression> roles) {
    Expression chain = roles[0];
    for (const Expression& role : roles.subspan(1)) chain = Expression::apply(Op::Add, chain, role);
    return chain;
}

Expression priced(const FrontEntry& entry) { return entry.parts.empty() ? entry.expression : priced(entry.parts); }

double fit_fully(Candidate& candidate, const Objective& objective, FitWorkspace<double>& workspace, double& evaluations,
                 const std::atomic<bool>& cancelled) {
    FitOptions options;
    options.max_iterations = 10;
    constexpr int kRounds = 10;
    for (int round = 0; round < kRounds && !cancelled.load(std::memory_order_relaxed); ++round) {
        const FitResult result = objective.fit(candidate.roles, options, workspace);
        evaluations += result.evaluations * objective.share();
        if (result.status != FitStatus::max_iterations) break;
    }
    evaluations += objective.share();
    candidate.loss = objective.loss(candidate.roles, std::numeric_limits<double>::infinity(), workspace);
    return candidate.loss;
}

}  // namespace balmer
