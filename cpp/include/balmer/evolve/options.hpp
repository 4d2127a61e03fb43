// What steers the islands: mutations, complexity, limits.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "balmer/expr/expression.hpp"
#include "balmer/fit/loss.hpp"

namespace balmer {

/// Relative frequencies of the mutations (PySR 2.x's names and defaults).
struct MutationWeights {
    double mutate_constant = 0.0346;
    double mutate_operator = 0.293;
    double mutate_feature = 0.1;
    double swap_operands = 0.198;
    double rotate_tree = 4.26;
    double add_node = 2.47;
    double insert_node = 0.0112;
    double delete_node = 0.870;
    double simplify = 0.00209;
    double randomize = 0.000502;
    double do_nothing = 0.273;
    double optimize = 0.0;
    double backsolve = 0.1;  ///< another part, chosen by what should stand there; 0 in PySR
};

/// How much each kind of node counts. The complexity of an expression is the rounded sum over its nodes.
struct ComplexityOptions {
    double of_constants = 1;
    std::vector<double> of_variables;  ///< one for each feature, or one for all, or empty: 1
    std::vector<double> of_operators;  ///< by code of Op; empty or NaN: as the operator table says
    /// The complexity of a whole expression, in the place of the sum; constraints of operands go by the sum all the same.
    /// Called from several threads at once; must not throw. Rounded; from 1 to maxsize is what a search looks at.
    std::function<double(const Expression&)> mapping;
};

/// Largest complexity of each operand of `op`; -1: any.
struct ArgumentConstraint {
    Op op;
    std::array<int, kMaxArity> max_complexity{-1, -1, -1};
};

/// Below an `outer`, at most `max_depth` `inner`s on any path (the outer itself not counted).
struct NestedConstraint {
    Op outer, inner;
    int max_depth = 0;
};

/// Below `op`, only the variables whose place in `allowed` is true. Features after its end are not allowed.
struct VariableConstraint {
    Op op;
    std::vector<bool> allowed;
};

/// The loss of a whole vector of predictions, one for each row in the order in which the data were given. Called from
/// several threads at once; NaN counts as infinite. It has no derivatives, so constants are fitted by a simplex search.
using WholeLoss = std::function<double(std::span<const double> prediction)>;

/// The islands' evolution: Cranmer 2023 (arXiv:2305.01582), algorithms 1 to 3, with the names that PySR gives.
struct EvolutionOptions {
    std::optional<Loss> loss;  ///< what is minimised; least squares if there is none
    WholeLoss whole_loss;      ///< in its place, if not empty: no batches, and rows in the order `as_given`

    int populations = 31;
    int population_size = 27;
    int ncycles_per_iteration = 380;
    int niterations = 400;       ///< at most
    int n_iter_no_change = 100;  ///< ends after so many without a shorter description of the data; 0: never

    int maxsize = 30;              ///< largest complexity
    int maxdepth = 0;              ///< largest depth; 0: no limit but maxsize
    double warmup_maxsize_by = 0;  ///< fraction of the search over which the limit grows from 3 to maxsize

    double parsimony = 0;
    bool use_frequency = true;
    bool use_frequency_in_tournament = true;
    double adaptive_parsimony_scaling = 1040;
    bool should_simplify = true;

    MutationWeights weights;
    bool adaptive_mutation_weights = true;  ///< weights follow the success of each mutation, per island
    double crossover_probability = 0.2;
    bool annealing = true;
    double alpha = 3.17;
    double perturbation_factor = 0.129;
    double probability_negate_constant = 0.00743;
    double scaled_constants = 0.25;  ///< share of new constants that are drawn on the scale of a column of the data
    bool skip_mutation_failures = true;

    int tournament_selection_n = 15;
    double tournament_selection_p = 0.982;

    bool should_optimize_constants = true;
    double optimize_probability = 0.14;
    int optimizer_iterations = 8;
    int optimizer_nrestarts = 2;

    bool migration = true;
    bool hof_migration = true;
    double fraction_replaced = 0.00036;
    double fraction_replaced_hof = 0.0614;
    double fraction_replaced_guesses = 0.001;
    int topn = 12;

    bool restarts = true;  ///< every second island begins anew when nothing better comes for long

    /// Iterations that there are in any case, unless the search ends for another reason.
    [[nodiscard]] int least_iterations() const noexcept {
        return n_iter_no_change > 0 ? std::min(niterations, n_iter_no_change) : niterations;
    }
};

}  // namespace balmer
