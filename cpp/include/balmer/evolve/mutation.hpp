// Small random changes of an expression.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "balmer/core/rng.hpp"
#include "balmer/evolve/search_space.hpp"

namespace balmer {

enum class Mutation : std::uint8_t {
    mutate_constant,
    mutate_operator,
    mutate_feature,
    swap_operands,
    rotate_tree,
    add_node,
    insert_node,
    delete_node,
    randomize,
    simplify,
    do_nothing,
    optimize,
    backsolve,
    Count_
};
inline constexpr std::size_t kMutations = static_cast<std::size_t>(Mutation::Count_);

/// The name of the option that weighs it.
[[nodiscard]] std::string_view name(Mutation mutation) noexcept;

using MutationTable = std::array<double, kMutations>;
[[nodiscard]] MutationTable as_table(const MutationWeights& weights) noexcept;

/// Changes expressions at random inside a search space. Children are written into storage of the caller, which is reused.
///
/// Const use from several threads is safe. The methods keep the invariants of Expression; limits of size and the
/// constraints of the space are for the caller to check.
class Mutator {
   public:
    /// `space` must outlive it.
    Mutator(const SearchSpace& space, const EvolutionOptions& options);

    /// The weights that make sense for `parent`: those of impossible mutations are 0, that of mutate_constant is
    /// multiplied by min(8, constants) / 8, and nothing grows at `max_complexity`.
    [[nodiscard]] MutationTable conditioned(const Expression& parent, int complexity,
                                            int max_complexity) const noexcept;

    /// Writes a mutated copy of `parent` into `child`, another object. False if it cannot be done (then `child` is
    /// unspecified). Not for simplify, do_nothing, optimize and backsolve, which are the island's business.
    /// `temperature` in [0, 1] widens the step of a constant.
    bool apply(Mutation mutation, const Expression& parent, double temperature, int max_complexity, Rng& rng,
               Expression& child) const;

    /// A leaf that `growths` times had a random leaf replaced by a random operator over random leaves.
    [[nodiscard]] Expression random_expression(int growths, Rng& rng) const;

    /// An expression of at most `size` nodes, as near to it as the arities allow.
    [[nodiscard]] Expression random_expression_of_size(std::size_t size, Rng& rng) const;

    /// Normal, on the scale of 1 or of a column of the data.
    [[nodiscard]] double random_constant(Rng& rng) const noexcept;

   private:
    bool mutate_constant(const Expression& parent, double temperature, Rng& rng, Expression& child) const;
    bool mutate_operator(const Expression& parent, Rng& rng, Expression& child) const;
    bool mutate_feature(const Expression& parent, Rng& rng, Expression& child) const;
    bool swap_operands(const Expression& parent, Rng& rng, Expression& child) const;
    bool rotate_tree(const Expression& parent, Rng& rng, Expression& child) const;
    bool add_node(const Expression& parent, Rng& rng, Expression& child) const;
    bool insert_above(const Expression& parent, std::size_t node, Rng& rng, Expression& child) const;
    Expression random_leaf(Rng& rng) const;
    bool grow_leaf(const Expression& parent, std::size_t max_arity, Rng& rng, Expression& child) const;
    bool delete_node(const Expression& parent, Rng& rng, Expression& child) const;

    const SearchSpace* space_;
    MutationTable weights_;
    double perturbation_factor_, probability_negate_, scaled_constants_;
    bool should_simplify_;
};

}  // namespace balmer
