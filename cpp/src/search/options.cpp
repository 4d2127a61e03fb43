#include "balmer/search/options.hpp"

#include <algorithm>
#include <cmath>
#include <sstream>
#include <stdexcept>
#include <string>

#include "balmer/evolve/mutation.hpp"
#include "balmer/expr/print.hpp"

namespace balmer {

namespace {

[[noreturn]] void fail(std::string_view option, const std::string& value, std::string_view remedy) {
    throw std::invalid_argument(std::string(option) + " is " + value + "; " + std::string(remedy));
}

void at_least(std::string_view option, int value, int least) {
    if (value < least) fail(option, std::to_string(value), "give at least " + std::to_string(least));
}

/// Finite and not negative.
void amount(std::string_view option, double value) {
    if (!(value >= 0) || std::isinf(value)) fail(option, number_text(value), "give a finite number, 0 or more");
}

void share(std::string_view option, double value) {
    if (!(value >= 0 && value <= 1)) fail(option, number_text(value), "give a number from 0 to 1");
}

void check_op(std::string_view option, Op op, const OperatorSet& operators) {
    const auto code = static_cast<std::size_t>(op);
    if (code < kFirstOp || code >= kFirstUserOp + operators.user().size()) {
        fail(option, "code " + std::to_string(code), "no operator has it: take what OperatorSet::find returns");
    }
}

void check_evolution(const EvolutionOptions& o) {
    at_least("populations", o.populations, 1);
    at_least("population_size", o.population_size, 2);
    at_least("ncycles_per_iteration", o.ncycles_per_iteration, 1);
    at_least("niterations", o.niterations, 0);
    at_least("n_iter_no_change", o.n_iter_no_change, 0);
    // Below 3 there is no room for a binary operator; kMaxNodes bounds the statistics' tables.
    at_least("maxsize", o.maxsize, 3);
    constexpr int kLargest = 10'000;
    if (o.maxsize > kLargest) fail("maxsize", std::to_string(o.maxsize), "give at most 10000");
    at_least("maxdepth", o.maxdepth, 0);
    share("warmup_maxsize_by", o.warmup_maxsize_by);
    amount("parsimony", o.parsimony);
    amount("adaptive_parsimony_scaling", o.adaptive_parsimony_scaling);
    const MutationTable weights = as_table(o.weights);
    double sum = 0;
    for (std::size_t k = 0; k < kMutations; ++k) {
        amount("weight of " + std::string(name(static_cast<Mutation>(k))), weights[k]);
        sum += weights[k];
    }
    if (sum == 0) fail("the sum of the mutation weights", "0", "give at least one mutation a weight");
    share("crossover_probability", o.crossover_probability);
    amount("alpha", o.alpha);
    amount("perturbation_factor", o.perturbation_factor);
    share("probability_negate_constant", o.probability_negate_constant);
    share("scaled_constants", o.scaled_constants);
    at_least("tournament_selection_n", o.tournament_selection_n, 1);
    if (o.tournament_selection_n > o.population_size) {
        fail("tournament_selection_n", std::to_string(o.tournament_selection_n),
             "give at most population_size, which is " + std::to_string(o.population_size));
    }
    share("tournament_selection_p", o.tournament_selection_p);
    share("optimize_probability", o.optimize_probability);
    at_least("optimizer_iterations", o.optimizer_iterations, 1);
    at_least("optimizer_nrestarts", o.optimizer_nrestarts, 0);
    share("fraction_replaced", o.fraction_replaced);
    share("fraction_replaced_hof", o.fraction_replaced_hof);
    share("fraction_replaced_guesses", o.fraction_replaced_guesses);
    at_least("topn", o.topn, 1);
}

void check_complexity(const ComplexityOptions& o, const OperatorSet& operators, std::size_t n_features) {
    amount("complexity of constants", o.of_constants);
    if (o.of_variables.size() > 1 && o.of_variables.size() != n_features) {
        fail("the number of complexities of variables", std::to_string(o.of_variables.size()),
             "give one for all, or one for each of the " + std::to_string(n_features) + " features");
    }
    for (const double weight : o.of_variables) amount("complexity of a variable", weight);
    for (std::size_t code = kFirstOp; code < o.of_operators.size(); ++code) {
        if (std::isnan(o.of_operators[code])) continue;
        check_op("an operator with a complexity", static_cast<Op>(code), operators);
        amount("complexity of " + std::string(operators.name(static_cast<Op>(code))), o.of_operators[code]);
    }
}

/// Where constants are numbers, a formula's dimension is made up of those of the features.
void check_reachable(const SearchOptions& options) {
    const DataDimensions& given = options.dimensions;
    const bool forbidden = std::isinf(options.dimensional_constraint_penalty);
    if (!given.target || !given.dimensionless_constants_only || !forbidden) return;
    std::vector<Dimension> bases;
    for (const Quantity& feature : given.features) {
        if (!feature) return;
        bases.push_back(*feature);
    }
    if (powers_that_make(*given.target, bases)) return;
    fail("the target's dimension", to_text(*given.target),
         "the features do not make it up: add the one that is missing, or let constants have units "
         "(dimensionless_constants_only)");
}

void check_dimensions(const SearchOptions& options, std::size_t n_features) {
    const std::size_t given = options.dimensions.features.size();
    if (given > 0 && given != n_features) {
        fail("the number of dimensions of features", std::to_string(given),
             "give one for each of the " + std::to_string(n_features) + " features");
    }
    check_reachable(options);
    if (!(options.dimensional_constraint_penalty >= 0)) {
        fail("dimensional_constraint_penalty", number_text(options.dimensional_constraint_penalty),
             "give 0 or more, infinity to forbid violations");
    }
}

void check_operators(const Expression& guess, const std::string& text, const SearchOptions& options,
                     const OperatorSet& operators) {
    for (const Node& node : guess.nodes) {
        if (node.is_leaf() || std::ranges::find(options.operators, node.op) != options.operators.end()) continue;
        fail("a guess", text,
             "add its operator " + std::string(operators.name(node.op)) + " to the operators, or leave it out");
    }
}

void check_guess(const Expression& guess, const SearchOptions& options, const OperatorSet& operators,
                 std::size_t n_features) {
    const std::string text = guess.nodes.empty() ? "empty" : "\"" + to_text(guess, {}, operators) + "\"";
    if (!guess.valid(operators, n_features)) {
        fail("a guess", text, "use only the " + std::to_string(n_features) + " features of the data");
    }
    check_operators(guess, text, options, operators);
}

void check_guess_of_parts(const std::vector<Expression>& roles, const SearchOptions& options,
                          const OperatorSet& operators) {
    const Template& structure = *options.structure;
    if (roles.size() != structure.n_roles()) {
        fail("the number of expressions of a guess", std::to_string(roles.size()),
             "give one for each of the " + std::to_string(structure.parts().size()) +
                 " parts, and a last one if there are parameters");
    }
    for (std::size_t part = 0; part < structure.parts().size(); ++part) {
        const Expression& guess = roles[part];
        const std::string text = guess.nodes.empty() ? "empty" : "\"" + to_text(guess, {}, operators) + "\"";
        if (!guess.valid(operators, structure.arities()[part])) {
            fail("a guess for the part " + structure.parts()[part], text,
                 "use only its " + std::to_string(structure.arities()[part]) + " arguments");
        }
        check_operators(guess, text, options, operators);
    }
    if (structure.n_parameters() > 0 && roles.back().constants.size() != structure.n_parameters()) {
        fail("the number of parameters in a guess", std::to_string(roles.back().constants.size()),
             "give all " + std::to_string(structure.n_parameters()));
    }
}

/// Options that speak of the features of formulas do not fit parts, which have arguments.
void check_structure(const SearchOptions& options, const OperatorSet& operators, std::size_t n_features) {
    const Template& structure = *options.structure;
    if (structure.variables().size() != n_features) {
        fail("the number of variables of the template", std::to_string(structure.variables().size()),
             "name each of the " + std::to_string(n_features) + " features");
    }
    if (options.dimensions.given()) {
        fail("the dimensions of the data", "given", "leave them out: the parts of a template have no units yet");
    }
    if (!options.variable_constraints.empty()) {
        fail("the number of constraints of variables", std::to_string(options.variable_constraints.size()),
             "leave them out: with a template, what a part is called with is all that it sees");
    }
    if (options.complexity.of_variables.size() > 1) {
        fail("the number of complexities of variables", std::to_string(options.complexity.of_variables.size()),
             "give one for all: the parts of a template have arguments, not variables");
    }
    if (!options.guesses.empty()) {
        fail("the number of guesses", std::to_string(options.guesses.size()),
             "with a template, a guess has an expression for each part");
    }
    for (const std::vector<Expression>& roles : options.guesses_of_parts) {
        check_guess_of_parts(roles, options, operators);
    }
}

}  // namespace

Op operator_named(std::string_view name, const OperatorSet& operators, std::optional<int> arity) {
    if (const auto op = operators.find(name, arity)) return *op;
    std::string message = "unknown operator \"" + std::string(name) + "\"";
    if (const auto other = operators.find(name); other && arity) {
        throw std::invalid_argument("operator \"" + std::string(name) + "\" takes " +
                                    std::to_string(operators.arity(*other)) + " operands, not " +
                                    std::to_string(*arity));
    }
    const std::string nearest = operators.nearest(name);
    if (!nearest.empty()) message += "; did you mean \"" + nearest + "\"?";
    throw std::invalid_argument(message + (nearest.empty() ? "; define it, as in \"inv(x) = 1/x\"" : ""));
}

void validate(const SearchOptions& options, const OperatorSet& operators, std::size_t n_features) {
    for (std::size_t i = 0; i < options.operators.size(); ++i) {
        const Op op = options.operators[i];
        check_op("an operator", op, operators);
        if (std::find(options.operators.begin(), options.operators.begin() + static_cast<std::ptrdiff_t>(i), op) !=
            options.operators.begin() + static_cast<std::ptrdiff_t>(i)) {
            fail("operator", "\"" + std::string(operators.name(op)) + "\" twice", "name each operator once");
        }
    }
    if (options.operators.empty()) fail("the list of operators", "empty", "give at least one, e.g. add");
    check_evolution(options.evolution);
    check_complexity(options.complexity, operators, n_features);
    for (const ArgumentConstraint& constraint : options.constraints) {
        check_op("an operator with a constraint", constraint.op, operators);
        for (const int limit : constraint.max_complexity) {
            at_least("a constraint of " + std::string(operators.name(constraint.op)), limit, -1);
        }
    }
    for (const NestedConstraint& constraint : options.nested_constraints) {
        check_op("an outer operator of a nested constraint", constraint.outer, operators);
        check_op("an inner operator of a nested constraint", constraint.inner, operators);
        at_least("a nested constraint of " + std::string(operators.name(constraint.outer)), constraint.max_depth, 0);
    }
    for (const VariableConstraint& constraint : options.variable_constraints) {
        check_op("an operator with a constraint of variables", constraint.op, operators);
        if (constraint.allowed.size() != n_features) {
            fail("the number of variables in a constraint", std::to_string(constraint.allowed.size()),
                 "say of each of the " + std::to_string(n_features) + " features whether it is allowed");
        }
    }
    check_dimensions(options, n_features);
    if (options.evolution.whole_loss && options.evolution.loss) {
        fail("the loss", "given twice", "give either a loss of rows or one of whole predictions");
    }
    if (options.evolution.whole_loss && options.batching == Batching::on) {
        fail("batching", "on", "a loss of whole predictions needs all rows: switch it off");
    }
    at_least("batch_size", options.batch_size, 0);
    if (options.precision != 32 && options.precision != 64) {
        fail("precision", std::to_string(options.precision), "give 32 or 64 bits");
    }
    if (options.structure) {
        check_structure(options, operators, n_features);
    } else if (!options.guesses_of_parts.empty()) {
        fail("the number of guesses of parts", std::to_string(options.guesses_of_parts.size()), "give a template, too");
    }
    for (const Expression& guess : options.guesses) check_guess(guess, options, operators, n_features);
    if (!(options.timeout_in_seconds > 0)) {
        fail("timeout_in_seconds", number_text(options.timeout_in_seconds), "give a positive number, or infinity");
    }
    if (!(options.seed_work >= 0)) {
        fail("seed_work", number_text(options.seed_work), "give a number of nodes times rows, or 0 to skip the stage");
    }
    if (!(options.max_evals > 0)) {
        fail("max_evals", number_text(options.max_evals), "give a positive number, or infinity");
    }
    constexpr double kLeastMemory = 1e6;
    if (!(options.memory_limit_in_bytes >= kLeastMemory)) {
        fail("memory_limit_in_bytes", number_text(options.memory_limit_in_bytes), "give at least 1e6, a megabyte");
    }
    if (!(options.early_stop_loss >= 0)) {
        fail("early_stop_loss", number_text(options.early_stop_loss), "give 0 (never) or a positive loss");
    }
    if (options.early_stop && !options.early_stop->valid(operators, 2)) {
        fail("early_stop", "not a formula of two variables", "write it over (loss, complexity)");
    }
    at_least("cv_folds", options.cv_folds, 0);
    if (options.cv_folds == 1) fail("cv_folds", "1", "give at least 2, or 0 for no cross-validation");
    if (options.cv_folds > 0 && options.evolution.whole_loss) {
        fail("cv_folds", std::to_string(options.cv_folds), "a loss of whole predictions needs all rows: give 0");
    }
    at_least("n_threads", options.n_threads, 1);
}

}  // namespace balmer
