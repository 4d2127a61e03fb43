// What a part of a formula should be, and formulas that come near it.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "balmer/core/rng.hpp"
#include "balmer/eval/evaluator.hpp"
#include "balmer/evolve/search_space.hpp"

namespace balmer {

/// What a node should be on each row, and how much the formula changes with it, |dy / d node|: 0 where nothing is known.
struct Wanted {
    std::vector<double> value, slope;

    void set(std::size_t row, double v, double s);
};

/// Whether `wanted_of_operand` knows the inverse of `op` by operand k.
[[nodiscard]] bool is_invertible(Op op, std::size_t k) noexcept;

/// What operand k of an operation should be for the operation to be what is wanted. `other` holds the values of the other
/// operand, if there are two; `now` those of operand k itself, which tell the branch of a root. `is_invertible(op, k)`.
[[nodiscard]] Wanted wanted_of_operand(Op op, std::size_t k, const Wanted& wanted, std::span<const double> other,
                                       std::span<const double> now);

/// Semantic back-propagation as a mutation (Pawlak, Wieloch & Krawiec, IEEE Trans. Evol. Comput. 19, 2015): what should
/// stand at a random node is computed from the target by the inverses of the operators above it, and the small formula g
/// for which b g + a comes nearest to it takes its place.
///
/// It looks at the first rows of the data only. Const use from several threads is safe, each with its own workspace.
class BackSolver {
   public:
    /// `space` must outlive it.
    BackSolver(const SearchSpace& space, const Dataset<double>& data);

    /// False where the rows are too few, or no scaled formula can be written with the operators.
    [[nodiscard]] bool is_able() const noexcept { return !pool_.empty(); }

    /// Writes a copy of `parent` with another part into `child`, another object. False if no inverse leads to the node
    /// that was drawn. Limits of size and constraints are for the caller to check.
    bool apply(const Expression& parent, Rng& rng, Expression& child, Workspace<double>& workspace) const;

   private:
    struct Piece {
        Expression expression;
        std::vector<double> value, square;
    };
    struct Choice {
        const Piece* piece = nullptr;
        double factor = 1, offset = 0;
    };

    const SearchSpace* space_;
    std::size_t rows_;
    std::vector<double> columns_, target_, weight_;
    Dataset<double> sample_;  // a view of columns_
    std::vector<Piece> pool_;

    void fill_pool(Workspace<double>& workspace);
    /// Adds the formula unless its values on the rows are constant or those of another.
    void add_piece(Expression expression, Workspace<double>& workspace);
    [[nodiscard]] std::vector<double> values_of(const Expression& e, std::size_t node,
                                                Workspace<double>& workspace) const;
    [[nodiscard]] std::optional<Wanted> wanted_at(const Expression& e, std::size_t node,
                                                  Workspace<double>& workspace) const;
    [[nodiscard]] Choice nearest(const Wanted& wanted, Rng& rng) const;
};

}  // namespace balmer
