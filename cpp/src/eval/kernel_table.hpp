// What an instruction set provides: plain function pointers over arrays. This header is included by the files that are
// compiled for one instruction set: it holds no code and includes only <cstddef> and <cstdint>.
#pragma once

#include <cstddef>
#include <cstdint>

namespace balmer::eval {

/// Operand forms of a binary kernel: v an array that advances with the row, s a single value.
enum Form : std::uint8_t { vv, vs, sv, kForms };

/// Rows of operators.def.
#define BALMER_OP(...) +1
inline constexpr std::size_t kTableRows = 0
#include "balmer/expr/operators.def"
    ;
#undef BALMER_OP

/// out[i] = f(a[i], b[i], c[i]) for i < n, n a multiple of kLanes (16). Arrays hold at least n values; no alignment is
/// required. In form vs `b` points to one value, in sv `a` does; ternary kernels take arrays only. Unused operands are
/// null. `out` may be the same array as an operand, or not overlap it.
template <class T>
using ForwardKernel = void (*)(T* out, const T* a, const T* b, const T* c, std::size_t n) noexcept;

/// out[i] = g[i] * (derivative of f with respect to one operand)(a[i], b[i], c[i], y[i]).
template <class T>
using BackwardKernel = void (*)(T* out, const T* g, const T* a, const T* b, const T* c, const T* y,
                                std::size_t n) noexcept;

/// A column of the table: how the derivative with respect to an operand may be had without a kernel.
enum class Derivative : std::uint8_t { general, zero, one, minus_one };

/// Whether the value of a row is one arithmetic operation, as "a + b" is: what it costs to store the value and to load it
/// again is more then than the operation itself.
constexpr bool is_arithmetic(const char* value) noexcept {
    return value[0] == 'a' && value[1] == ' ' && value[3] == ' ' && value[4] == 'b' && value[5] == 0;
}

#define BALMER_OP(id, names, arity, value, ...) +is_arithmetic(#value)
inline constexpr std::size_t kArithmeticRows = 0
#include "balmer/expr/operators.def"
    ;
#undef BALMER_OP

/// Rows of the table whose values are one arithmetic operation.
struct ArithmeticRows {
    std::size_t row[kArithmeticRows]{};
};
inline constexpr ArithmeticRows kArithmetic = [] {
    constexpr bool kIsOne[kTableRows] = {
#define BALMER_OP(id, names, arity, value, ...) is_arithmetic(#value),
#include "balmer/expr/operators.def"
#undef BALMER_OP
    };
    ArithmeticRows found;
    std::size_t place = 0;
    for (std::size_t row = 0; row < kTableRows; ++row) {
        if (kIsOne[row]) found.row[place++] = row;
    }
    return found;
}();

/// Which operand of the second operation of a chain is the value of the first one.
enum Chained : std::uint8_t { second_operand, first_operand, kChainedOperands };

/// The virtual accumulators of a sum: row i of a block that starts at a multiple of 16 is added to lane i % 16, in the
/// order of the rows, by every instruction set; so sums are the same bits on each.
inline constexpr std::size_t kSumLanes = 16;

template <class T>
struct Kernels {
    ForwardKernel<T> forward[kTableRows][kForms];       ///< by row of the table; unary and ternary ones in [vv]
    BackwardKernel<T> backward[kTableRows][3][kForms];  ///< by row, operand; null where the derivative is not general

    /// Two arithmetic operations, f and then g, the value between them in a register: out[i] = g(c[i], f(a[i], b[i])) for
    /// second_operand, g(f(a[i], b[i]), c[i]) for first_operand. By that, the places of f and g in kArithmetic, the form of
    /// f's operands, and whether `c` points to one value.
    ForwardKernel<T> chain[kChainedOperands][kArithmeticRows][kArithmeticRows][kForms][2];

    /// out[i] = value of `a[0]`; out[i] = a[i]; out[i] = -a[i]; out[i] = a[i] + b[i].
    ForwardKernel<T> fill, copy, negate, add;

    /// out[i] = b[i] where c[i] > 0 and a[i] is not finite, else a[i].
    ForwardKernel<T> prefer;

    /// out[i] = a[i] for any n, past the caches: for results that would only push other data out of them. Before another
    /// thread reads them, `fence` of the table.
    void (*stream)(T* out, const T* a, std::size_t n) noexcept;

    /// Whether all of n values are finite. Any n.
    bool (*all_finite)(const T* values, std::size_t n) noexcept;

    /// Sets bit i % 16 of rows[i / 16] where values[i] is not finite; where it is zero or infinite. n is a multiple of 16.
    void (*mark_not_finite)(const T* values, std::size_t n, std::uint16_t* rows) noexcept;
    void (*mark_out_of_range)(const T* values, std::size_t n, std::uint16_t* rows) noexcept;

    /// lanes[j] += w[i] * (y[i] - p[i])^2 over i < n, in double; any n; w may be null (weights of 1).
    void (*squared_error)(const T* p, const T* y, const T* w, std::size_t n, double* lanes) noexcept;

    /// The same, and residual[i] = y[i] - p[i], with zeros up to the next multiple of 16.
    void (*residuals)(const T* p, const T* y, const T* w, std::size_t n, double* residual, double* lanes) noexcept;

    /// Normal equations of a block, in double: with the residual r (see `residuals`) and columns J[k] (k < k_count), adds
    /// w J[k] J[l] to lanes[(k (k + 1) / 2 + l) * 16 + j] for l <= k, then w J[k] r to lanes[(m + k) * 16 + j] with
    /// m = k_count (k_count + 1) / 2. Any n; w may be null.
    void (*normal_equations)(const T* const* J, std::size_t k_count, const double* residual, const T* w, std::size_t n,
                             double* lanes) noexcept;
};

/// Everything of one instruction set. One exported symbol each: extern "C++" const KernelTable& table() in its namespace.
struct KernelTable {
    const char* isa;  ///< "baseline", "x86-64-v3", "x86-64-v4", "neon"
    Kernels<double> f64;
    Kernels<float> f32;
    /// The natural logarithm of one number: the bits of Op::Log, whose kernels count subnormal numbers as zero, without a
    /// look at the state of the processor.
    double (*log)(double x) noexcept;
    /// lanes[i % 16] = the sum of a[i] b[i], each product rounded; any n.
    void (*dot)(const double* a, const double* b, std::size_t n, double* lanes) noexcept;
    /// y[i] -= factor x[i], the product rounded; any n.
    void (*subtract_multiple)(double* y, double factor, const double* x, std::size_t n) noexcept;
    /// Sets flush-to-zero and denormals-are-zero for this thread, returns the state before; `restore_fp` undoes it.
    std::uint64_t (*enter_fp)() noexcept;
    void (*restore_fp)(std::uint64_t state) noexcept;
    void (*fence)() noexcept;  ///< ends what `stream` has begun
};

/// Which derivatives are 0, 1 or -1: the same for every instruction set, read from the text of the table.
constexpr Derivative classify(const char* text) noexcept {
    return text[0] == '0' && text[1] == 0                     ? Derivative::zero
           : text[0] == '1' && text[1] == 0                   ? Derivative::one
           : text[0] == '-' && text[1] == '1' && text[2] == 0 ? Derivative::minus_one
                                                              : Derivative::general;
}

inline constexpr Derivative kDerivative[kTableRows][3] = {
#define BALMER_OP(id, names, arity, value, da, db, dc, ...) {classify(#da), classify(#db), classify(#dc)},
#include "balmer/expr/operators.def"
#undef BALMER_OP
};

}  // namespace balmer::eval
