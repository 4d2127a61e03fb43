// Which formulas a search may visit, and how complex each one is.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "balmer/evolve/options.hpp"
#include "balmer/expr/operator_set.hpp"

namespace balmer {

/// What limits a search space beside its operators and features.
struct SpaceLimits {
    ComplexityOptions complexity;
    std::vector<ArgumentConstraint> arguments;
    std::vector<NestedConstraint> nested;
    std::vector<VariableConstraint> variables;
    int maxdepth = 0;  ///< largest depth; 0: any
};

/// The operators, features and limits of a search, prepared for quick look-ups. Immutable: shared by all islands.
class SearchSpace {
   public:
    /// `scales` are typical magnitudes of the data on which some constants are drawn; may be empty.
    /// `operator_set` must outlive the space.
    SearchSpace(const OperatorSet& operator_set, std::span<const Op> operators, std::size_t n_features,
                SpaceLimits limits = {}, std::vector<double> scales = {});

    [[nodiscard]] const OperatorSet& operator_set() const noexcept { return *operator_set_; }
    [[nodiscard]] std::size_t n_features() const noexcept { return n_features_; }
    [[nodiscard]] std::span<const Op> operators() const noexcept { return operators_; }
    [[nodiscard]] std::span<const Op> operators_of_arity(std::size_t arity) const noexcept { return by_arity_[arity]; }
    [[nodiscard]] std::uint8_t arity(Op op) const noexcept { return arity_[static_cast<std::size_t>(op)]; }
    [[nodiscard]] std::span<const double> scales() const noexcept { return scales_; }

    /// The rounded sum over the nodes, or what the mapping says; at least 1.
    [[nodiscard]] int complexity(const Expression& expression) const noexcept;

    /// Whether the expression fits into kMaxNodes nodes and `max_complexity`, and keeps every constraint.
    /// `complexity` is that of the expression.
    [[nodiscard]] bool allows(const Expression& expression, int complexity, int max_complexity) const noexcept;

   private:
    [[nodiscard]] double weight(const Node& node) const noexcept;
    [[nodiscard]] bool depth_fits(const Expression& expression) const noexcept;
    [[nodiscard]] bool arguments_fit(const Expression& expression) const noexcept;
    [[nodiscard]] bool nesting_fits(const Expression& expression, const NestedConstraint& constraint) const noexcept;
    [[nodiscard]] bool variables_fit(const Expression& expression, const VariableConstraint& constraint) const noexcept;

    const OperatorSet* operator_set_;
    std::size_t n_features_;
    SpaceLimits limits_;
    std::vector<double> scales_;
    std::vector<Op> operators_;
    std::array<std::vector<Op>, kMaxArity + 1> by_arity_;
    std::array<std::uint8_t, 256> arity_{};
    std::array<double, 256> op_weight_{};
    std::vector<double> feature_weight_;
    bool every_node_counts_one_ = true;
};

}  // namespace balmer
