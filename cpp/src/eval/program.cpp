#include "eval/program.hpp"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <string>

#include "eval/compiled_operator.hpp"
#include "eval/rescue.hpp"

namespace balmer::eval {
namespace {

constexpr std::int16_t kCopy = -1, kFill = -2, kPrefer = -3,
                       kCompiled = -4;  // rows of instructions that the table lacks

/// Bytes of a slot. Small enough that the slots of a typical expression stay in the first-level cache, large enough
/// that calling a kernel costs little: with 2048 a thousand rows took a tenth longer, a quarter where the calls cannot be
/// predicted. A program with derivatives has several times more slots.
constexpr std::size_t kValueBlockBytes = 4096, kDerivativeBlockBytes = 1536;
static_assert(kValueBlockBytes / sizeof(float) == kMaxBlockRows);

/// Operations that the logarithm of one operation's value may need.
constexpr std::size_t kExtendedFactor = 24;

struct Extent {
    std::size_t operations = 0, constants = 0;
};

/// Operations and constants once the user's operators are written out.
Extent extent(const Expression& expression, const OperatorSet& operators) {
    Extent sum;
    for (const Node& node : expression.nodes) {
        if (node.op == Op::Constant) {
            ++sum.constants;
        } else if (OperatorSet::is_user(node.op)) {
            const Extent body = extent(operators.user(node.op).body, operators);  // nothing of compiled code
            sum.operations += body.operations + 1;
            sum.constants += body.constants;
        } else if (node.op != Op::Feature) {
            ++sum.operations;
        }
    }
    return sum;
}

}  // namespace

template <class T>
Program<T>::Program() = default;
template <class T>
Program<T>::~Program() = default;
template <class T>
Program<T>::Program(Program&&) noexcept = default;
template <class T>
Program<T>& Program<T>::operator=(Program&&) noexcept = default;

template <class T>
void Program<T>::reserve(std::size_t slots, std::size_t constants) {
    slots_.reserve(slots * stride_);
    if (constants_.capacity() < constants) {
        constants_.reserve(constants);
    }
}

template <class T>
void Program<T>::choose_blocks(std::size_t n_rows) {
    const std::size_t bytes = keeps_all() ? kDerivativeBlockBytes : kValueBlockBytes;
    block_rows_ = std::min(bytes / sizeof(T), padded(n_rows));
    stride_ = bytes / sizeof(T) + kAlignment / sizeof(T);
}

template <class T>
void Program<T>::compile(const Expression& expression, const OperatorSet& operators, std::span<const T* const> columns,
                         std::size_t n_rows, Derivatives derivatives, Range range, std::size_t free_constants,
                         const Expression* loss, const T* target, const T* weights) {
    kernels_ = &kernels_of<T>(kernels());
    operators_ = &operators;
    columns_ = columns;
    mode_ = derivatives;
    range_ = range;
    can_split_ = false;
    const bool values_only = derivatives == Derivatives::none;
    choose_blocks(n_rows);

    Extent total = extent(expression, operators);
    n_constants_ = std::min(expression.constants.size(), free_constants);
    if (loss != nullptr) {
        const Extent more = extent(*loss, operators);
        total.operations += more.operations + 1;
        total.constants += more.constants + 1;
    }
    // Each operation has one value and, for each of three operands, a product with the adjoint and a sum of adjoints;
    // fills and copies add a slot for each operand.
    std::size_t slots = (total.operations + 1) * (values_only ? 4 : 10) + columns.size();
    std::size_t literals = std::max(total.constants, expression.constants.size()) + 1;
    if (range == Range::extended) {
        slots *= kExtendedFactor;
        literals += 4 * (total.operations + 1);  // the 1 of a sign and the factors of logarithms
    }
    reserve(slots, literals);
    next_kept_ = static_cast<std::int32_t>(slots) - 1;
    leaving_.clear();
    rescuable_.clear();
    constants_.resize(expression.constants.size());
    set_constants(expression.constants);

    code_.clear();
    records_.clear();
    log_forms_.clear();
    stack_.clear();
    top_ = 0;
    compile_nodes(expression, nullptr, true);
    n_rescuable_ = rescuable_.size();
    prediction_ = nullptr;
    if (loss != nullptr) {
        Value arguments[3] = {stack_.back(), {target, kColumn, Kind::column, -1, -1}, {}};
        if (arguments[0].kind != Kind::slot) {
            arguments[0] = materialise(arguments[0]);
        }
        prediction_ = arguments[0].p;
        arguments[2] = weights != nullptr ? Value{weights, kColumn, Kind::column, -1, -1}
                                          : Value{literal(T(1)), 0, Kind::scalar, -1, -1};
        stack_.clear();
        const Frame frame{arguments, top_};
        compile_nodes(*loss, &frame, false);
    }
    const Value result = stack_.back();
    if (result.kind != Kind::slot || code_.empty() || code_.back().out != result.p) {
        const bool scalar = result.kind == Kind::scalar;
        append(scalar ? kernels_->fill : kernels_->copy, scalar ? kFill : kCopy, 1, vv, &result, top_++);
    }
    n_code_ = code_.size();
    if (!values_only) {
        compile_reverse();
    }
}

template <class T>
const T* Program<T>::literal(T value) {
    assert(constants_.size() < constants_.capacity());
    constants_.push_back(value);
    return &constants_.back();
}

template <class T>
void Program<T>::compile_nodes(const Expression& expression, const Frame* frame, bool fitted) {
    const std::int32_t base = frame != nullptr ? frame->base : 0;
    const auto push = [&](const Value& leaf) {
        stack_.push_back(leaf);
        stack_.back().first_leaving = static_cast<std::uint32_t>(leaving_.size());
    };
    for (const Node& node : expression.nodes) {
        switch (node.op) {
            case Op::Constant:
                if (fitted) {
                    const bool is_free = node.index < n_constants_;
                    push({&constants_[node.index], 0, Kind::scalar,
                          is_free ? static_cast<std::int32_t>(node.index) : -1, -1});
                } else {
                    push({literal(static_cast<T>(expression.constants[node.index])), 0, Kind::scalar, -1, -1});
                }
                break;
            case Op::Feature:
                if (frame != nullptr) {
                    stack_.push_back(frame->arguments[node.index]);
                } else if (node.index < columns_.size()) {
                    push({columns_[node.index], kColumn, Kind::column, static_cast<std::int32_t>(node.index), -1});
                } else {
                    throw std::invalid_argument("the expression uses feature " + std::to_string(node.index) +
                                                " (counted from 0), but the data have " +
                                                std::to_string(columns_.size()) + " features");
                }
                break;
            default:
                if (!OperatorSet::is_user(node.op)) {
                    emit(node.op, node.arity, base);
                } else if (operators_->user(node.op).is_compiled()) {
                    emit_compiled(node.op, node.arity, base);
                } else {
                    call(node.op, node.arity, base);
                }
        }
    }
}

template <class T>
void Program<T>::append(ForwardKernel<T> kernel, std::int16_t row, int arity, Form form, const Value* operands,
                        std::int32_t slot_number) {
    T* const out = slot(slot_number);
    const auto operand = [&](int k) { return k < arity ? Operand{operands[k].p, operands[k].mask} : Operand{}; };
    if (keeps_all()) {
        Record record{row, static_cast<std::uint8_t>(arity), form, false, {}};
        for (int k = 0; k < arity; ++k) {
            record.operands[k] = operands[k];
            record.active = record.active || is_active(operands[k]);
        }
        records_.push_back(record);
    }
    code_.push_back({kernel, out, operand(0), operand(1), operand(2)});
}

template <class T>
typename Program<T>::Value Program<T>::materialise(const Value& value) {
    const std::int32_t s = top_++;
    const bool scalar = value.kind == Kind::scalar;
    append(scalar ? kernels_->fill : kernels_->copy, scalar ? kFill : kCopy, 1, vv, &value, s);
    return {slot(s), 0, Kind::slot, static_cast<std::int32_t>(code_.size()) - 1, s, value.reach, value.first_leaving};
}

template <class T>
void Program<T>::materialise_scalars(Value* operands, int arity) {
    for (int k = 0; k < arity; ++k) {
        if (operands[k].kind == Kind::scalar) {
            operands[k] = materialise(operands[k]);
        }
    }
}

/// Slots of the operands lie on top of the stack of slots: the result takes the lowest of them. With derivatives every
/// value is kept, and the parameters of a user operator (below `base`) are kept in any case.
template <class T>
std::int32_t Program<T>::slot_of_result(const Value* operands, int arity, std::int32_t base) const noexcept {
    std::int32_t out = top_;
    if (!keeps_all()) {
        for (int k = 0; k < arity; ++k) {
            if (operands[k].kind == Kind::slot && operands[k].slot >= base) {
                out = std::min(out, operands[k].slot);
            }
        }
    }
    return out;
}

template <class T>
void Program<T>::emit_compiled(Op op, int arity, std::int32_t base) {
    Value* const operands = stack_.data() + stack_.size() - static_cast<std::size_t>(arity);
    materialise_scalars(operands, arity);
    const std::int32_t out = slot_of_result(operands, arity, base);
    top_ = out + 1;
    append(compiled_value<T>(), kCompiled, arity, vv, operands, out);
    code_.back().c.p = as_operand<T>(operators_->user(op));
    const std::uint32_t first_leaving = operands[0].first_leaving;
    stack_.resize(stack_.size() - static_cast<std::size_t>(arity));
    stack_.push_back(
        {slot(out), 0, Kind::slot, static_cast<std::int32_t>(code_.size()) - 1, out, Reach::nothing, first_leaving});
}

template <class T>
void Program<T>::emit(Op op, int arity, std::int32_t base) {
    Value* const operands = stack_.data() + stack_.size() - static_cast<std::size_t>(arity);
    const std::int16_t row = static_cast<std::int16_t>(static_cast<int>(op) - kFirstOp);
    Form form = vv;
    if (arity == 2) {
        if (operands[0].kind == Kind::scalar && operands[1].kind == Kind::scalar) {
            operands[0] = materialise(operands[0]);
        }
        form = operands[1].kind == Kind::scalar ? vs : operands[0].kind == Kind::scalar ? sv : vv;
    } else {
        materialise_scalars(operands, arity);
    }
    std::int32_t out = slot_of_result(operands, arity, base);
    Reach below = Reach::nothing;
    for (int k = 0; k < arity; ++k) {
        below = std::max(below, operands[k].reach);
    }
    const bool extreme = range_ == Range::watched_extreme, watched = extreme || range_ == Range::watched;
    const bool leaves = watched && may_leave_range(op, below, extreme);
    const bool rescued = watched && needs_range(op, operands[arity - 1].reach, extreme);
    top_ = out + 1;
    if (leaves || rescued) {  // a slot of its own, which nothing overwrites
        top_ = out;
        out = next_kept_--;
    }
    append(kernels_->forward[row][form], row, arity, form, operands, out);
    const Value result{slot(out),
                       0,
                       Kind::slot,
                       static_cast<std::int32_t>(code_.size()) - 1,
                       out,
                       reach_of(op, below),
                       operands[0].first_leaving};
    if (leaves) {
        leaving_.push_back(slot(out));
    }
    if (rescued) {
        rescuable_.push_back({slot(out), result.first_leaving, static_cast<std::uint32_t>(leaving_.size())});
    }
    Value kept[3];
    std::copy_n(operands, arity, kept);
    stack_.resize(stack_.size() - static_cast<std::size_t>(arity));
    stack_.push_back(result);
    if (range_ == Range::extended) {
        extend(op, kept);
    }
}

template <class T>
void Program<T>::call(Op op, int arity, std::int32_t base) {
    Value arguments[kMaxArity];
    std::int32_t lowest = top_;
    for (int k = 0; k < arity; ++k) {
        arguments[k] = stack_[stack_.size() - static_cast<std::size_t>(arity - k)];
        if (arguments[k].kind == Kind::slot && arguments[k].slot >= base) {
            lowest = std::min(lowest, arguments[k].slot);
        }
    }
    stack_.resize(stack_.size() - static_cast<std::size_t>(arity));
    const Frame frame{arguments, top_};
    compile_nodes(operators_->user(op).body, &frame, false);
    if (keeps_all()) {
        return;
    }
    // The result moves down to the lowest slot of the arguments, which are no longer needed.
    Value& result = stack_.back();
    if (result.kind != Kind::slot) {
        top_ = lowest;
        return;
    }
    if (result.slot < base) {  // an argument of the caller's own, handed through
        top_ = lowest;
        return;
    }
    if (result.slot != lowest) {
        if (result.slot >= frame.base && result.slot < top_) {
            code_.back().out = slot(lowest);
        } else {
            append(kernels_->copy, kCopy, 1, vv, &result, lowest);
        }
        result.slot = lowest;
        result.p = slot(lowest);
    }
    top_ = lowest + 1;
}

template <class T>
bool Program<T>::is_active(const Value& value) const noexcept {
    switch (value.kind) {
        case Kind::slot:
            return records_[static_cast<std::size_t>(value.id)].active;
        case Kind::column:
            return mode_ == Derivatives::features && value.id >= 0;
        case Kind::scalar:
            return mode_ == Derivatives::constants && value.id >= 0;
    }
    return false;
}

/// Writes the reverse sweep down as a list of kernels. An operand seen once gets its adjoint as it is (for + not even a
/// copy); one that is seen again gets a sum.
template <class T>
void Program<T>::compile_reverse() {
    const std::size_t size = kDerivativeBlockBytes / sizeof(T);
    if (ones_.size() < size) {
        ones_.assign(size, T(1));
        zeros_.assign(size, T(0));
    }
    reverse_.clear();
    adjoints_.assign(code_.size(), nullptr);
    jacobian_.assign(mode_ == Derivatives::constants ? n_constants_ : columns_.size(), nullptr);
    adjoints_.back() = ones_.data();
    for (std::size_t i = code_.size(); i-- > 0;) {
        const Record& record = records_[i];
        const T* const g = adjoints_[i];
        if (!record.active || g == nullptr) {
            continue;
        }
        const Instruction& instruction = code_[i];
        for (int k = 0; k < record.arity; ++k) {
            const Value& operand = record.operands[k];
            if (!is_active(operand)) {
                continue;
            }
            const Derivative derivative = record.row == kPrefer     ? (k == 1 ? Derivative::one : Derivative::zero)
                                          : record.row == kCompiled ? Derivative::general
                                          : record.row < 0          ? Derivative::one
                                                                    : kDerivative[record.row][k];
            const T* part = g;
            if (derivative == Derivative::zero) {
                continue;
            }
            if (derivative == Derivative::minus_one) {
                T* const out = slot(top_++);
                reverse_.push_back({nullptr, kernels_->negate, out, nullptr, {g, 0}, {}, {}, nullptr});
                part = out;
            } else if (derivative == Derivative::general) {
                T* const out = slot(top_++);
                const BackwardKernel<T> kernel = record.row == kCompiled
                                                     ? compiled_derivative<T>(k)
                                                     : kernels_->backward[record.row][k][record.form];
                reverse_.push_back(
                    {kernel, nullptr, out, g, instruction.a, instruction.b, instruction.c, instruction.out});
                part = out;
            }
            const T*& adjoint = operand.kind == Kind::slot ? adjoints_[static_cast<std::size_t>(operand.id)]
                                                           : jacobian_[static_cast<std::size_t>(operand.id)];
            if (adjoint == nullptr) {
                adjoint = part;
            } else {
                T* const out = slot(top_++);
                reverse_.push_back({nullptr, kernels_->add, out, nullptr, {adjoint, 0}, {part, 0}, {}, nullptr});
                adjoint = out;
            }
        }
    }
    for (const T*& column : jacobian_) {
        if (column == nullptr) {
            column = zeros_.data();
        }
    }
    assert(static_cast<std::size_t>(top_) * stride_ <= slots_.size());
}

template <class T>
void Program<T>::reverse(std::size_t row, std::size_t n) noexcept {
    for (const Adjoint& i : reverse_) {
        if (i.backward != nullptr) {
            i.backward(i.out, i.g, i.a.at(row), i.b.at(row), i.c.at(row), i.y, n);
        } else {
            i.forward(i.out, i.a.p, i.b.p, nullptr, n);
        }
    }
}

template class Program<double>;
template class Program<float>;

}  // namespace balmer::eval
