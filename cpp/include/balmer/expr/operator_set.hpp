// The operators that a formula may use: the table's and the user's own.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "balmer/expr/expression.hpp"

namespace balmer {

inline constexpr std::size_t kMaxCompiledArity = 2;  ///< of an operator that is compiled code

/// A function over a block of rows: out[i] = f(a[i], b[i]) for i < n; `b` is null for one operand. `out` may be the same
/// array as an operand. It must give the same values for the same operands, throw nothing, and bear calls from several
/// threads at once; it meets any doubles, NaN too. Numbers below the smallest normal one count as 0 while it runs.
using BlockFunction = std::function<void(double* out, const double* a, const double* b, std::size_t n)>;

/// An operator that is compiled code and no formula.
struct CompiledOperator {
    std::string name;
    std::size_t arity = 1;  ///< 1 to kMaxCompiledArity
    BlockFunction value;
    std::vector<BlockFunction> derivatives;  ///< by each operand, functions of the operands; none: central differences
};

/// An operator made of others: `special(x, y) = cos(x) * (x + y)`; or compiled code.
struct UserOperator {
    std::string name;
    std::vector<std::string> parameters;  ///< their names, 1 to kMaxArity
    std::string text;                     ///< the definition as the user wrote it; of compiled code: `name(a, b)`
    int complexity = 1;
    Expression body;                 ///< feature k is parameter k; its constants are fixed; empty for compiled code
    std::size_t expanded_nodes = 0;  ///< nodes of the body, with those of the user operators in it
    BlockFunction value;             ///< of compiled code, else empty; so are its derivatives
    std::vector<BlockFunction> derivatives;

    [[nodiscard]] bool is_compiled() const noexcept { return value != nullptr; }
};

/// The built-in operators and the user's. A value: copies are independent; const use from several threads is safe.
/// User operator number k has the code kFirstUserOp + k.
class OperatorSet {
   public:
    /// Adds `name(parameter, ...) = body`, e.g. "inv(x) = 1/x". The body may use built-in operators and user operators
    /// defined before. The name may hide a built-in one. Returns its code.
    /// Throws ParseError for a text that is not a definition, std::invalid_argument for a name that is already among
    /// the user's operators, more than kMaxArity parameters, more than kMaxUserOps operators, a negative complexity, or
    /// more than 10,000 nodes when the user operators in the body are written out.
    Op define(std::string_view definition, int complexity = 1);

    /// Adds compiled code. It has no formula: `derivative` and `expand` refuse it, and it is printed as a call.
    /// Throws std::invalid_argument as above, for a name that is no identifier, another arity than 1 or 2, no function, or
    /// another number of derivatives than 0 or the arity.
    Op define(CompiledOperator compiled, int complexity = 1);

    /// The operator of that name or alias (the user's first), with that arity if one is given; nullopt if there is none.
    [[nodiscard]] std::optional<Op> find(std::string_view name, std::optional<int> arity = std::nullopt) const noexcept;

    /// The known name nearest to `name` by edit distance, for error messages; empty if none is near.
    [[nodiscard]] std::string nearest(std::string_view name) const;

    [[nodiscard]] std::uint8_t arity(Op op) const noexcept;
    [[nodiscard]] std::string_view name(Op op) const noexcept;
    [[nodiscard]] int complexity(Op op) const noexcept;
    /// Over all nodes; a leaf counts 1.
    [[nodiscard]] int complexity(const Expression& expression) const noexcept;

    [[nodiscard]] static constexpr bool is_user(Op op) noexcept {
        return static_cast<std::uint8_t>(op) >= kFirstUserOp;
    }
    [[nodiscard]] const std::vector<UserOperator>& user() const noexcept { return user_; }
    [[nodiscard]] const UserOperator& user(Op op) const noexcept {
        return user_[static_cast<std::size_t>(op) - kFirstUserOp];
    }

    /// The built-in operators alone.
    [[nodiscard]] static const OperatorSet& builtin() noexcept;

   private:
    Op add(UserOperator op);

    std::vector<UserOperator> user_;
};

}  // namespace balmer
