#include "search/fingerprint.hpp"

#include <bit>

#include "balmer/evolve/mutation.hpp"

namespace balmer {

void Fingerprint::add(std::string_view text) noexcept {
    for (const char c : text) byte(static_cast<unsigned char>(c));
    add(std::uint64_t{text.size()});
}

void Fingerprint::add(std::uint64_t value) noexcept {
    for (int shift = 0; shift < 64; shift += 8) byte((value >> shift) & 255);
}

void Fingerprint::add(double value) noexcept { add(std::bit_cast<std::uint64_t>(value)); }

std::uint64_t fingerprint(const Dataset<double>& data) {
    Fingerprint print;
    print.add(std::uint64_t{data.n_rows()});
    print.add(std::uint64_t{data.n_features()});
    const auto add_column = [&](const double* column) {
        for (std::size_t i = 0; i < data.n_rows(); ++i) print.add(column[i]);
    };
    for (std::size_t j = 0; j < data.n_features(); ++j) add_column(data.column(j));
    add_column(data.target());
    if (data.weights() != nullptr) add_column(data.weights());
    return print.value();
}

namespace {

void add_expression(Fingerprint& print, const Expression& expression) {
    for (const Node& node : expression.nodes) {
        print.add(static_cast<int>(node.op));
        print.add(std::uint64_t{node.index});
    }
    for (const double constant : expression.constants) print.add(constant);
}

void add_structure(Fingerprint& print, const Template& structure) {
    print.add(structure.combine());
    for (const std::string& name : structure.parts()) print.add(name);
    for (const std::string& name : structure.variables()) print.add(name);
    for (const Template::Parameters& vector : structure.parameters()) {
        print.add(vector.name);
        print.add(std::uint64_t{vector.size});
    }
}

void add_evolution(Fingerprint& print, const EvolutionOptions& o) {
    for (const int value : {o.populations, o.population_size, o.ncycles_per_iteration, o.maxsize, o.maxdepth,
                            o.tournament_selection_n, o.optimizer_iterations, o.optimizer_nrestarts, o.topn}) {
        print.add(value);
    }
    for (const bool value :
         {o.use_frequency, o.use_frequency_in_tournament, o.should_simplify, o.adaptive_mutation_weights, o.annealing,
          o.skip_mutation_failures, o.should_optimize_constants, o.migration, o.hof_migration, o.restarts}) {
        print.add(value ? 1 : 0);
    }
    for (const double value :
         {o.warmup_maxsize_by, o.parsimony, o.adaptive_parsimony_scaling, o.crossover_probability, o.alpha,
          o.perturbation_factor, o.probability_negate_constant, o.scaled_constants, o.tournament_selection_p,
          o.optimize_probability, o.fraction_replaced, o.fraction_replaced_hof, o.fraction_replaced_guesses}) {
        print.add(value);
    }
    for (const double weight : as_table(o.weights)) print.add(weight);
    if (o.loss) add_expression(print, o.loss->row(0, true));
    if (o.whole_loss) print.add("whole loss");  // whether it is the same one, nobody can tell
}

void add_dimensions(Fingerprint& print, const SearchOptions& options) {
    const auto add = [&](const Quantity& quantity) {
        print.add(quantity ? 1 : 0);
        for (std::size_t k = 0; quantity && k < Dimension::kBases; ++k) print.add(quantity->exponent(k));
    };
    add(options.dimensions.target);
    for (const Quantity& feature : options.dimensions.features) add(feature);
    print.add(options.dimensions.dimensionless_constants_only ? 1 : 0);
    print.add(options.dimensional_constraint_penalty);
}

}  // namespace

std::uint64_t fingerprint(const SearchOptions& options, const OperatorSet& operators) {
    Fingerprint print;
    for (const Op op : options.operators) print.add(operators.name(op));
    for (const UserOperator& user : operators.user()) {
        print.add(user.text);
        print.add(user.complexity);
    }
    add_evolution(print, options.evolution);
    print.add(options.complexity.of_constants);
    for (const double weight : options.complexity.of_variables) print.add(weight);
    for (const double weight : options.complexity.of_operators) print.add(weight);
    if (options.complexity.mapping) print.add("mapping");  // whether it is the same one, nobody can tell
    for (const ArgumentConstraint& constraint : options.constraints) {
        print.add(operators.name(constraint.op));
        for (const int limit : constraint.max_complexity) print.add(limit);
    }
    for (const NestedConstraint& constraint : options.nested_constraints) {
        print.add(operators.name(constraint.outer));
        print.add(operators.name(constraint.inner));
        print.add(constraint.max_depth);
    }
    for (const VariableConstraint& constraint : options.variable_constraints) {
        print.add(operators.name(constraint.op));
        for (const bool allowed : constraint.allowed) print.add(allowed ? 1 : 0);
    }
    if (options.dimensions.given()) add_dimensions(print, options);
    print.add(static_cast<int>(options.batching));
    print.add(options.batch_size);
    print.add(options.precision);
    print.add(options.seeding ? 1 : 0);
    print.add(options.seed_work);
    const StageSwitches& s = options.stages;
    for (const bool value : {s.views, s.dictionary, s.families, s.weighted_families, s.factors, s.deep, s.quotients,
                             s.inner_constants, s.parts, s.large_libraries, s.seed_finish}) {
        print.add(value ? 1 : 0);
    }
    print.add(options.memory_limit_in_bytes);
    for (const Expression& guess : options.guesses) add_expression(print, guess);
    if (options.structure) add_structure(print, *options.structure);
    for (const std::vector<Expression>& guess : options.guesses_of_parts) {
        for (const Expression& role : guess) add_expression(print, role);
    }
    print.add(options.seed);
    return print.value();
}

}  // namespace balmer
