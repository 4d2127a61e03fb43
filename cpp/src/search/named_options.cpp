#include "balmer/search/named_options.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>

#include "balmer/expr/print.hpp"
#include "expr/nearest.hpp"

namespace balmer {

namespace {

using Kind = NamedOption::Kind;

/// The member at the end of a way: options.*first.*second...
template <class Options, class First, class... More>
constexpr auto& member_of(Options& options, First first, More... more) {
    if constexpr (sizeof...(more) == 0) {
        return options.*first;
    } else {
        return member_of(options.*first, more...);
    }
}

template <auto... kWay>
constexpr NamedOption option(std::string_view name) {
    using T = std::remove_cvref_t<decltype(member_of(std::declval<SearchOptions&>(), kWay...))>;
    constexpr Kind kKind = std::is_same_v<T, bool> ? Kind::boolean : std::is_integral_v<T> ? Kind::whole : Kind::real;
    NamedOption result{
        name, kKind, [](const SearchOptions& options) { return static_cast<double>(member_of(options, kWay...)); },
        [](SearchOptions& options, double value) { member_of(options, kWay...) = static_cast<T>(value); }};
    if constexpr (kKind == Kind::whole) {
        using Whole = std::int64_t;
        result.get_whole = [](const SearchOptions& options) { return static_cast<Whole>(member_of(options, kWay...)); };
        result.set_whole = [](SearchOptions& options, Whole value) {
            member_of(options, kWay...) = static_cast<T>(value);
        };
        result.least = static_cast<Whole>(std::numeric_limits<T>::min());
        result.largest = static_cast<Whole>(std::min<std::uint64_t>(std::numeric_limits<T>::max(), INT64_MAX));
    }
    return result;
}

#define BALMER_EVOLUTION(name) option<&SearchOptions::evolution, &EvolutionOptions::name>(#name)
#define BALMER_WEIGHT(name) \
    option<&SearchOptions::evolution, &EvolutionOptions::weights, &MutationWeights::name>("weight_" #name)

#define BALMER_STAGE(name) option<&SearchOptions::stages, &StageSwitches::name>("with_" #name)

constexpr NamedOption kOptions[] = {
    BALMER_EVOLUTION(populations),
    BALMER_EVOLUTION(population_size),
    BALMER_EVOLUTION(ncycles_per_iteration),
    BALMER_EVOLUTION(niterations),
    BALMER_EVOLUTION(n_iter_no_change),
    BALMER_EVOLUTION(maxsize),
    BALMER_EVOLUTION(maxdepth),
    BALMER_EVOLUTION(warmup_maxsize_by),
    BALMER_EVOLUTION(parsimony),
    BALMER_EVOLUTION(use_frequency),
    BALMER_EVOLUTION(use_frequency_in_tournament),
    BALMER_EVOLUTION(adaptive_parsimony_scaling),
    BALMER_EVOLUTION(should_simplify),
    BALMER_EVOLUTION(adaptive_mutation_weights),
    BALMER_EVOLUTION(crossover_probability),
    BALMER_EVOLUTION(annealing),
    BALMER_EVOLUTION(alpha),
    BALMER_EVOLUTION(perturbation_factor),
    BALMER_EVOLUTION(probability_negate_constant),
    BALMER_EVOLUTION(scaled_constants),
    BALMER_EVOLUTION(skip_mutation_failures),
    BALMER_EVOLUTION(tournament_selection_n),
    BALMER_EVOLUTION(tournament_selection_p),
    BALMER_EVOLUTION(should_optimize_constants),
    BALMER_EVOLUTION(optimize_probability),
    BALMER_EVOLUTION(optimizer_iterations),
    BALMER_EVOLUTION(optimizer_nrestarts),
    BALMER_EVOLUTION(migration),
    BALMER_EVOLUTION(hof_migration),
    BALMER_EVOLUTION(fraction_replaced),
    BALMER_EVOLUTION(fraction_replaced_hof),
    BALMER_EVOLUTION(fraction_replaced_guesses),
    BALMER_EVOLUTION(topn),
    BALMER_EVOLUTION(restarts),
    BALMER_WEIGHT(mutate_constant),
    BALMER_WEIGHT(mutate_operator),
    BALMER_WEIGHT(mutate_feature),
    BALMER_WEIGHT(swap_operands),
    BALMER_WEIGHT(rotate_tree),
    BALMER_WEIGHT(add_node),
    BALMER_WEIGHT(insert_node),
    BALMER_WEIGHT(delete_node),
    BALMER_WEIGHT(simplify),
    BALMER_WEIGHT(randomize),
    BALMER_WEIGHT(do_nothing),
    BALMER_WEIGHT(optimize),
    BALMER_WEIGHT(backsolve),
    option<&SearchOptions::complexity, &ComplexityOptions::of_constants>("complexity_of_constants"),
    BALMER_STAGE(views),
    BALMER_STAGE(dictionary),
    BALMER_STAGE(families),
    BALMER_STAGE(weighted_families),
    BALMER_STAGE(factors),
    BALMER_STAGE(deep),
    BALMER_STAGE(quotients),
    BALMER_STAGE(inner_constants),
    BALMER_STAGE(parts),
    BALMER_STAGE(large_libraries),
    BALMER_STAGE(seed_finish),
    option<&SearchOptions::dimensional_constraint_penalty>("dimensional_constraint_penalty"),
    option<&SearchOptions::dimensions, &DataDimensions::dimensionless_constants_only>("dimensionless_constants_only"),
    option<&SearchOptions::batch_size>("batch_size"),
    option<&SearchOptions::precision>("precision"),
    option<&SearchOptions::seeding>("seeding"),
    option<&SearchOptions::seed_work>("seed_work"),
    option<&SearchOptions::cv_folds>("cv_folds"),
    option<&SearchOptions::memory_limit_in_bytes>("memory_limit_in_bytes"),
    option<&SearchOptions::timeout_in_seconds>("timeout_in_seconds"),
    option<&SearchOptions::max_evals>("max_evals"),
    option<&SearchOptions::early_stop_loss>("early_stop_loss"),
    option<&SearchOptions::seed>("seed"),
    option<&SearchOptions::n_threads>("n_threads"),
};

#undef BALMER_STAGE
#undef BALMER_EVOLUTION
#undef BALMER_WEIGHT

const NamedOption& find(std::string_view name) {
    for (const NamedOption& option : kOptions) {
        if (option.name == name) return option;
    }
    detail::NearestName nearest(name);
    for (const NamedOption& option : kOptions) nearest.consider(option.name);
    const std::string hint = nearest.result().empty() ? "see EvolutionOptions and SearchOptions for the names"
                                                      : "did you mean \"" + nearest.result() + "\"?";
    throw std::invalid_argument("there is no option \"" + std::string(name) + "\": " + hint);
}

[[noreturn]] void refuse(const NamedOption& option, const std::string& value, const std::string& remedy) {
    throw std::invalid_argument(std::string(option.name) + " is " + value + "; " + remedy);
}

std::string wanted(const NamedOption& option) {
    return "give a whole number from " + std::to_string(option.least) + " to " + std::to_string(option.largest);
}

}  // namespace

std::span<const NamedOption> named_options() noexcept { return kOptions; }

void set_option(SearchOptions& options, std::string_view name, double value) {
    const NamedOption& option = find(name);
    if (option.kind == Kind::boolean && value != 0 && value != 1) refuse(option, number_text(value), "give 0 or 1");
    if (option.kind == Kind::whole) {
        constexpr double kLargestExact = 9007199254740992.0;  // 2^53
        if (!(std::abs(value) <= kLargestExact) || value != std::floor(value)) {
            refuse(option, number_text(value), wanted(option));
        }
        set_whole_option(options, name, static_cast<std::int64_t>(value));
        return;
    }
    option.set(options, value);
}

void set_whole_option(SearchOptions& options, std::string_view name, std::int64_t value) {
    const NamedOption& option = find(name);
    if (option.kind != Kind::whole) {
        set_option(options, name, static_cast<double>(value));
        return;
    }
    if (value < option.least || value > option.largest) refuse(option, std::to_string(value), wanted(option));
    option.set_whole(options, value);
}

double get_option(const SearchOptions& options, std::string_view name) { return find(name).get(options); }

}  // namespace balmer
