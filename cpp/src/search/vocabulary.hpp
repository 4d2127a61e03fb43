// What formulas the allowed operators can express, and at which complexity.
#pragma once

#include <initializer_list>
#include <vector>

#include "balmer/expr/operator_set.hpp"
#include "balmer/search/options.hpp"

namespace balmer::search {

/// Builds formulas from the allowed operators alone: `square(x)` is written `x * x` where `square` is not allowed, `a - b`
/// as `a + -1 * b`, and so on, always in the least complex way.
///
/// An expression without nodes stands for "cannot be written"; every builder passes it on, so a chain of calls is checked
/// once, at its end. `operators` must outlive the vocabulary. Const use from several threads is safe.
class Vocabulary {
   public:
    Vocabulary(const SearchOptions& options, const OperatorSet& operators);

    [[nodiscard]] bool has(Op op) const noexcept { return allowed_[static_cast<std::size_t>(op)]; }
    [[nodiscard]] const OperatorSet& operators() const noexcept { return *operators_; }
    [[nodiscard]] const SearchOptions& options() const noexcept { return *options_; }
    /// Whether `op` is an operator of the user's own that squares, cubes or inverts, as `power` knows.
    [[nodiscard]] bool is_power(Op op) const noexcept {
        return OperatorSet::is_user(op) && (op == user_square_ || op == user_cube_ || op == user_inverse_);
    }
    /// How many different symbols a formula over `n_features` features may choose from.
    [[nodiscard]] double n_symbols(std::size_t n_features) const noexcept;

    /// The rounded sum of the weights of the nodes.
    [[nodiscard]] int complexity(const Expression& e) const noexcept;
    [[nodiscard]] double complexity_of(Op op) const noexcept { return op_complexity_[static_cast<std::size_t>(op)]; }
    [[nodiscard]] double complexity_of_feature(std::size_t j) const noexcept;
    [[nodiscard]] double complexity_of_constant() const noexcept { return options_->complexity.of_constants; }
    /// Whether a formula keeps to the operators, the limits of size and depth, the user's constraints, and the units.
    [[nodiscard]] bool admissible(const Expression& e) const;

    /// Whether formulas must keep to the units of the data.
    [[nodiscard]] bool watches_dimensions() const noexcept {
        return options_->dimensions.given() && options_->dimensional_constraint_penalty > 0;
    }
    /// The formula with a constant before each operand that must be a number, such as that of a logarithm, and is none; as it is
    /// if that does not make it keep to the units.
    [[nodiscard]] Expression with_units(const Expression& e) const;
    /// The formula simplified; as it is if it keeps to the units only by a constant that would go, such as 1 s in sin(x / 1).
    [[nodiscard]] Expression simplified(const Expression& e) const;

    [[nodiscard]] Expression add(const Expression& a, const Expression& b) const;
    [[nodiscard]] Expression subtract(const Expression& a, const Expression& b) const;
    [[nodiscard]] Expression multiply(const Expression& a, const Expression& b) const;
    [[nodiscard]] Expression divide(const Expression& a, const Expression& b) const;
    [[nodiscard]] Expression negate(const Expression& a) const;
    [[nodiscard]] Expression reciprocal(const Expression& a) const;
    /// a^p; a constant exponent that is a small integer or a half is made of products and roots where that is shorter.
    [[nodiscard]] Expression power(const Expression& a, double p) const;
    [[nodiscard]] Expression exp(const Expression& a) const;
    [[nodiscard]] Expression log(const Expression& a) const;
    /// factor * a, where 1 and -1 are not written as constants.
    [[nodiscard]] Expression scale(double factor, const Expression& a) const;
    /// offset + a, where 0 is not written.
    [[nodiscard]] Expression offset(double offset, const Expression& a) const;
    [[nodiscard]] Expression apply(Op op, const Expression& a) const;
    [[nodiscard]] Expression apply(Op op, const Expression& a, const Expression& b) const;
    /// The first operator of the list that is allowed, applied; else nothing.
    [[nodiscard]] const Expression& cheapest(std::initializer_list<const Expression*> forms) const;

   private:
    const SearchOptions* options_;
    const OperatorSet* operators_;
    std::vector<bool> allowed_;
    std::vector<double> op_complexity_;
    double op_complexity_count_ = 0;
    Op user_square_ = Op::Constant, user_inverse_ = Op::Constant, user_cube_ = Op::Constant;  // the user's own, if any

    [[nodiscard]] Expression whole_power(const Expression& a, int p) const;
    [[nodiscard]] bool keeps_constraints(const Expression& e) const;
    [[nodiscard]] bool keeps_dimensions(const Expression& e) const noexcept;
};

}  // namespace balmer::search
