// An expression compiled for one dataset: kernels bound to columns, slots and constants.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "balmer/core/aligned.hpp"
#include "balmer/eval/dataset.hpp"
#include "balmer/expr/operator_set.hpp"
#include "eval/dispatch.hpp"
#include "eval/kernel_table.hpp"
#include "eval/reach.hpp"
#include "eval/scratch.hpp"

namespace balmer::eval {

/// Rows of the largest block.
inline constexpr std::size_t kMaxBlockRows = 1024;

/// Mask of an operand that moves with the row.
inline constexpr std::size_t kColumn = ~std::size_t{0};

inline constexpr std::size_t kAllConstants = static_cast<std::size_t>(-1);

/// Some rows of a block, as bits: row i is bit i % 16 of word i / 16.
using RowSet = std::array<std::uint16_t, kMaxBlockRows / kSumLanes>;

template <class T>
class Rescue;
template <class T>
class KnownColumns;

/// What a program computes beside values.
enum class Derivatives : std::uint8_t { none, constants, features };

/// How a program treats values that leave the range of doubles on the way to a result inside it.
enum class Range : std::uint8_t {
    plain,    ///< as written
    watched,  ///< as written, and rescue() puts right the rows where an exponential left the range (values alone)
    watched_extreme,  ///< the same over extreme data, where products and powers leave the range too
    extended,  ///< log(exp(a) + b), exp(a) / (exp(a) + 1) and the like through logarithms where the plain way is not finite
};

/// Whether `expression` has a place that Range::extended may rescue: a logarithm or a quotient over a sum or product in
/// which an exponential may overflow, or, where the data are `extreme`, a logarithm of products and powers.
[[nodiscard]] bool has_extended_form(const Expression& expression, const OperatorSet& operators, bool extreme) noexcept;

/// A postfix array becomes a list of kernels over blocks of rows. Leaves are operands, never copied; in a program of
/// values alone slots are reused as a stack, in one with derivatives each operation keeps its block for the reverse sweep.
///
/// Pointers into the data, the slots and the constants are bound when the program is compiled, so running a block does
/// nothing but call kernels. Constants may be changed between runs, but for those of compile_values().
template <class T>
class Program {
   public:
    Program();
    ~Program();
    Program(Program&&) noexcept;
    Program& operator=(Program&&) noexcept;

    /// Compiles `expression` over `columns`. If `loss` is given it is appended: an expression over (prediction, target,
    /// weight) as features 0, 1 and 2, taken from `target` and `weights` (null: 1). Rows per block are chosen from `n_rows`.
    /// Constants whose index is below `free_constants` are those to differentiate by; each may stand in several places.
    void compile(const Expression& expression, const OperatorSet& operators, std::span<const T* const> columns,
                 std::size_t n_rows, Derivatives derivatives, Range range = Range::plain,
                 std::size_t free_constants = kAllConstants, const Expression* loss = nullptr,
                 const T* target = nullptr, const T* weights = nullptr);

    /// The usual way to values: Range::plain, or Range::watched where has_extended_form() (which costs nothing more here).
    /// Operations of constants are done here. `known`, if given, are columns of the same data, and must live as long as the
    /// program is used.
    void compile_values(const Expression& expression, const OperatorSet& operators, std::span<const T* const> columns,
                        std::size_t n_rows, bool extreme, const KnownColumns<T>* known = nullptr);

    /// Whether rescue() may have something to do.
    [[nodiscard]] bool is_watched() const noexcept { return n_rescuable_ > 0; }

    /// After run(row, n) of a watched program: the rows that Range::extended may put right, those where a logarithm or a
    /// quotient is not finite and something below it left the range. Whether there is one.
    bool find_rescuable(std::size_t n, RowSet& rows) const noexcept;

    /// After compile_values() and values = run(row, n): computes the rows of find_rescuable() again, through logarithms.
    /// The expression, its operators and the columns are read once more.
    void rescue(std::size_t row, std::size_t n, T* values);

    [[nodiscard]] std::size_t block_rows() const noexcept { return block_rows_; }

    /// The constants of the compiled expression, by index; the first ones, if there are fewer values.
    void set_constants(std::span<const double> values) noexcept {
        for (std::size_t i = 0; i < values.size(); ++i) {
            constants_[i] = static_cast<T>(values[i]);
        }
    }

    /// Evaluates rows [row, row + n), n a multiple of kLanes and at most block_rows(); returns the block of values.
    T* run(std::size_t row, std::size_t n) noexcept {
        T* const out = code_[n_code_ - 1].out;
        run_into(row, n, out);
        return out;
    }

    /// The same, the last operation writing to `out`.
    void run_into(std::size_t row, std::size_t n, T* out) noexcept {
        const Instruction& last = run_to_last(row, n);
        last.kernel(out, last.a.at(row), last.b.at(row), last.c.at(row), n);
    }

    /// The same for any n: rows up to the next multiple of kLanes are read, n are written. For programs that can_split().
    void run_into_any(std::size_t row, std::size_t n, T* out) noexcept;
    [[nodiscard]] bool can_split() const noexcept { return can_split_; }

    /// After run(row, n) of a program with derivatives: the reverse sweep. Block k of `derivatives()` then holds the
    /// derivative of the values with respect to constant (or feature) k.
    void reverse(std::size_t row, std::size_t n) noexcept;
    [[nodiscard]] std::span<const T* const> derivatives() const noexcept { return jacobian_; }

    /// The block of values of the expression itself when a loss was appended.
    [[nodiscard]] const T* prediction() const noexcept { return prediction_; }

   private:
    struct Instruction;

    /// Runs all operations but the last, which is returned.
    const Instruction& run_to_last(std::size_t row, std::size_t n) noexcept {
        const Instruction* const last = code_.data() + n_code_ - 1;
        for (const Instruction* i = code_.data(); i != last; ++i) {
            i->kernel(i->out, i->a.at(row), i->b.at(row), i->c.at(row), n);
        }
        return *last;
    }

    struct Operand {
        const T* p;
        std::size_t mask;  // kColumn, or 0 for what is the same in each block
        [[nodiscard]] const T* at(std::size_t row) const noexcept { return p + (row & mask); }
    };

    struct Instruction {
        ForwardKernel<T> kernel;
        T* out;
        Operand a, b, c;
    };

    /// One step of the reverse sweep: `backward` if set, else `forward` (add or negate) over g and a.
    struct Adjoint {
        BackwardKernel<T> backward;
        ForwardKernel<T> forward;
        T* out;
        const T* g;
        Operand a, b, c;
        const T* y;
    };

    enum class Kind : std::uint8_t { slot, column, scalar };
    struct Value {
        const T* p = nullptr;
        std::size_t mask = 0;
        Kind kind = Kind::scalar;
        std::int32_t id = -1;    // slot: its instruction; column: the feature; scalar: the constant, -1 for a literal
        std::int32_t slot = -1;  // number of the slot
        Reach reach = Reach::nothing;
        std::uint32_t first_leaving = 0;  // of leaving_: those from here on lie below this value
    };

    /// An operation whose value Range::extended may rescue, and what may leave the range below it: a part of leaving_.
    struct Rescuable {
        const T* values;
        std::uint32_t first, last;
    };

    /// What the reverse sweep needs to know of an instruction.
    struct Record {
        std::int16_t row;  // of the table, or one of the negative codes in program.cpp
        std::uint8_t arity;
        Form form;
        bool active;  // something to differentiate by lies below
        Value operands[3];
    };

    /// log|value| and the sign of a value that may be out of range itself. A sign of null: +1.
    struct LogForm {
        Value log, sign;
        bool positive = true, ready = false;
    };

    /// The body of a user operator reads its parameters from `arguments`.
    struct Frame {
        const Value* arguments;
        std::int32_t base;  // slots from here on are the body's own
    };

    void choose_blocks(std::size_t n_rows);
    struct Entry;
    struct Draft;
    bool compile_plain(const Expression& expression, std::size_t n_rows, bool extreme, const KnownColumns<T>* known);
    bool draft_leaves(const Expression& expression, Draft& draft) const noexcept;
    void watch(const Expression& expression, bool extreme, Draft& draft);
    void write_operations(const Expression& expression, Draft& draft, const KnownColumns<T>* known);
    const T* of_constants(ForwardKernel<T> kernel, T a, T b);
    struct Arithmetic;
    void join_chains(const T* kept) noexcept;
    void compile_nodes(const Expression& expression, const Frame* frame, bool fitted);
    void emit(Op op, int arity, std::int32_t base);
    void emit_compiled(Op op, int arity, std::int32_t base);
    void call(Op op, int arity, std::int32_t base);
    void append(ForwardKernel<T> kernel, std::int16_t row, int arity, Form form, const Value* operands,
                std::int32_t slot);
    Value materialise(const Value& value);
    void materialise_scalars(Value* operands, int arity);
    [[nodiscard]] std::int32_t slot_of_result(const Value* operands, int arity, std::int32_t base) const noexcept;
    Value operation(Op op, const Value& a, const Value& b = {});
    void extend(Op op, const Value* operands);
    LogForm log_form(const Value& value);
    LogForm log_of_sum(const LogForm& a, const LogForm& b, bool subtract);
    [[nodiscard]] bool may_overflow(const Value& value) const noexcept;
    [[nodiscard]] bool keeps_all() const noexcept { return mode_ != Derivatives::none || range_ == Range::extended; }
    void compile_reverse();
    [[nodiscard]] bool is_active(const Value& value) const noexcept;
    [[nodiscard]] T* slot(std::int32_t i) noexcept { return slots_.data() + static_cast<std::size_t>(i) * stride_; }
    void reserve(std::size_t slots, std::size_t constants);
    const T* literal(T value);

    const Kernels<T>* kernels_ = nullptr;
    const OperatorSet* operators_ = nullptr;
    std::span<const T* const> columns_;
    Derivatives mode_ = Derivatives::none;
    Range range_ = Range::plain;

    std::vector<Instruction> code_;  // may be longer than the program: see n_code_
    std::size_t n_code_ = 0;
    bool can_split_ = false;  // operands are arrays and constants, nothing of compiled operators
    std::vector<Record> records_;
    std::vector<Adjoint> reverse_;
    std::vector<Value> stack_;
    std::vector<LogForm> log_forms_;    // by instruction
    std::vector<const T*> leaving_;     // values of the operations that may leave the range, in order
    std::vector<Rescuable> rescuable_;  // may be longer than n_rescuable_
    std::size_t n_rescuable_ = 0;
    std::int32_t next_kept_ = 0;         // the slots of both are their own, counted down from the last
    std::unique_ptr<Rescue<T>> rescue_;  // made when it is needed first
    Scratch<T> slots_;
    AlignedVector<T> constants_;
    std::vector<const T*> jacobian_;
    std::vector<const T*> adjoints_;  // by instruction
    AlignedVector<T> ones_, zeros_;
    std::size_t block_rows_ = 0, stride_ = 0;
    std::size_t n_constants_ = 0;
    std::int32_t top_ = 0;  // first free slot
    const T* prediction_ = nullptr;
};

}  // namespace balmer::eval
