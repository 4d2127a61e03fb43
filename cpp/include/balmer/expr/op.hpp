// The operators as an enumeration, what is known of each, and the user's own.
#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <string_view>

namespace balmer {

/// What a node is: a leaf, a row of operators.def, or (from kFirstUserOp on) an operator that the user defined.
enum class Op : std::uint8_t {
    Constant,
    Feature,
#define BALMER_OP(id, ...) id,
#include "balmer/expr/operators.def"
#undef BALMER_OP
    Count_
};

inline constexpr std::uint8_t kFirstOp = 2;                                         ///< first row of the table
inline constexpr std::uint8_t kBuiltinOps = static_cast<std::uint8_t>(Op::Count_);  ///< leaves and rows of the table
inline constexpr std::uint8_t kFirstUserOp = kBuiltinOps;
inline constexpr std::size_t kMaxUserOps = 255 - kFirstUserOp;
inline constexpr std::size_t kMaxNodes = 255;  ///< of an expression
inline constexpr std::size_t kMaxArity = 12;   ///< of an operator: the table has up to 3, the user may define more

/// How an operator treats physical units.
enum class Units : std::uint8_t {
    same,
    product,
    quotient,
    power,
    inverse,
    squared,
    cubed,
    root,
    cube_root,
    pure,
    ratio,
    truth,
    second
};

/// One row of operators.def, as data.
struct OpInfo {
    Op op;
    std::string_view name;     ///< the first of `names`
    std::string_view aliases;  ///< the others, separated by blanks
    std::uint8_t arity;
    std::string_view text;
    std::string_view latex;
    std::string_view sympy;
    std::string_view value;       ///< the formula in the table, for the documentation
    std::string_view da, db, dc;  ///< derivatives by the operands, which `parse` reads with the names a, b, c and y
    int complexity;
    double low, high;  ///< where the first operand may lie
    Units units;
    bool smooth;  ///< false where every derivative is 0 (round, greater, ...)
};

/// All rows, in the order of the table. Throws nothing; lives for ever.
[[nodiscard]] std::span<const OpInfo> operator_table() noexcept;

/// The row of a built-in operator. `op` is neither a leaf nor the user's.
[[nodiscard]] const OpInfo& info(Op op) noexcept;

/// The value of a built-in operator for single numbers: the same bits as the kernels. Results below the smallest
/// normal number are 0. Unused operands are ignored.
[[nodiscard]] double apply(Op op, double a, double b = 0, double c = 0) noexcept;

}  // namespace balmer
