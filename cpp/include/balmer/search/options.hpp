// Everything that steers a search.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string_view>
#include <vector>

#include "balmer/evolve/options.hpp"
#include "balmer/expr/dimensions.hpp"
#include "balmer/expr/operator_set.hpp"
#include "balmer/expr/template.hpp"

namespace balmer {

enum class Batching : std::uint8_t { automatic, on, off };

/// What is done to the front when a search ends.
enum class Finish : std::uint8_t {
    none,     ///< it stays as evolution left it
    fit,      ///< the constants are fitted once more, on all rows
    simplify  ///< and terms and constants go, or become whole numbers, where that lowers the description length
};

/// Parts of the stages before evolution. All are on; one that is off shows what it is worth.
struct StageSwitches {
    bool views = true;              ///< probe: problems of fewer variables
    bool dictionary = true;         ///< sparse sums over simple terms
    bool families = true;           ///< closed-form families over the library
    bool weighted_families = true;  ///< the same where residuals of a transformed target count as those of the target
    bool factors = true;            ///< the target over thousands of formulas, transformed
    bool deep = true;             ///< exact laws with a small part and any other, or of two halves, in a large library
    bool quotients = true;        ///< quotients of short sums with a constant inside a function
    bool inner_constants = true;  ///< functions of a formula with a constant inside
    bool parts = true;            ///< other parts for the best formulas
    bool large_libraries = true;  ///< families over more formulas, if something is left to be explained
    bool seed_finish = true;      ///< pruning and rounding before evolution
};

struct SearchOptions {
    std::vector<Op> operators;  ///< what formulas may be made of
    EvolutionOptions evolution;
    ComplexityOptions complexity;
    std::vector<ArgumentConstraint> constraints;
    std::vector<NestedConstraint> nested_constraints;
    std::vector<VariableConstraint> variable_constraints;

    DataDimensions dimensions;  ///< of the data; none given: formulas may be any
    /// What is added to the loss of a formula that violates them; infinite: no such formula comes to the front. The stages
    /// before and after evolution make none, whatever the penalty, unless it is 0.
    double dimensional_constraint_penalty = std::numeric_limits<double>::infinity();

    Batching batching = Batching::automatic;  ///< automatic: above 1000 rows
    int batch_size = 0;                       ///< rows of a batch; 0: 128, 256 or 512 by the number of rows
    /// Bits of the numbers by which evolution judges candidates, 32 or 64. Constants are fitted, and the losses of the front
    /// computed, in double precision always; so is everything where the data come near the limits of single precision.
    int precision = 64;

    bool seeding = true;        ///< first the closed-form families over an enumerated library, then evolution
    double seed_work = 1.5e10;  ///< nodes times rows that this stage may evaluate; less if evolution itself is short
    StageSwitches stages;

    Finish finish = Finish::simplify;  ///< for other losses than least squares, no more than `fit`
    int cv_folds = 0;                  ///< parts of the rows for cross-validation of the front; 0: none

    std::vector<Expression> guesses;  ///< formulas to start from; their constants are fitted first

    /// The structure that all formulas have. Evolution alone looks for the parts: the stage before it and the pruning after
    /// it know nothing of them.
    std::optional<Template> structure;
    std::vector<std::vector<Expression>> guesses_of_parts;  ///< in the place of `guesses`: roles of the template

    double timeout_in_seconds = std::numeric_limits<double>::infinity();  ///< looked at between iterations
    double max_evals = std::numeric_limits<double>::infinity();           ///< evaluations of an expression on all rows
    /// What the stages may take beside the data and some megabytes for each thread. Where it does not suffice they look at
    /// fewer rows, a fair sample, and at fewer formulas, so it may change what they find; losses are those of all rows
    /// always. A limit of 1.5e8 or more is kept.
    double memory_limit_in_bytes = 1e9;
    double early_stop_loss = 0;            ///< stop when a formula of the front has a loss strictly below
    std::optional<Expression> early_stop;  ///< over (loss, complexity): stop when positive for a formula of the front

    std::uint64_t seed = 0;
    int n_threads = 1;  ///< never changes the result
};

/// The operator of that name and arity (any, if none is given). Throws std::invalid_argument if there is none, with the
/// nearest name that there is, or the arities that the name has.
[[nodiscard]] Op operator_named(std::string_view name, const OperatorSet& operators,
                                std::optional<int> arity = std::nullopt);

/// Throws std::invalid_argument for the first option that makes no sense, with its value and the remedy.
void validate(const SearchOptions& options, const OperatorSet& operators, std::size_t n_features);

}  // namespace balmer
