// The usual way to values: one pass over the nodes with nothing but the operand stack. At a hundred rows compiling costs
// as much as running, and what costs in compiling are branches that cannot be predicted: so operators of one and of two
// operands, in all forms, take the same path.
#include <algorithm>

#include "eval/program.hpp"
#include "eval/reach.hpp"

namespace balmer::eval {
namespace {

template <class T>
struct Entry {
    const T* p;
    std::size_t mask;  // all ones: a column
    std::size_t held;  // what the operand holds of the stack of slots: one stride or nothing
    bool scalar;
    Reach reach;
};

/// By whether a and b are scalars; both cannot be.
constexpr Form kForms2[2][2] = {{vv, vs}, {sv, vv}};

}  // namespace

template <class T>
void Program<T>::compile_values(const Expression& expression, const OperatorSet& operators,
                                std::span<const T* const> columns, std::size_t n_rows, bool extreme) {
    kernels_ = &kernels_of<T>(kernels());
    operators_ = &operators;
    columns_ = columns;
    mode_ = Derivatives::none;
    range_ = Range::plain;
    choose_blocks(n_rows);
    Plain result = compile_plain<Range::plain>(expression, extreme);
    if (result == Plain::needs_watch) {
        range_ = Range::watched;
        result = compile_plain<Range::watched>(expression, extreme);
    }
    if (result == Plain::needs_full) {
        const bool watch = has_extended_form(expression, operators, extreme);
        compile(expression, operators, columns, n_rows, Derivatives::none, watch ? Range::watched : Range::plain);
    }
}

/// Gives up where a user's operator turns up, or a feature that is not in the data (the full way says what is wrong).
/// Unwatched also where something may need the extended range; watched, the operations that may leave the range keep
/// their values in slots of their own.
template <class T>
template <Range range>
typename Program<T>::Plain Program<T>::compile_plain(const Expression& expression, bool extreme) {
    const std::size_t n_nodes = expression.nodes.size();
    reserve(2 * n_nodes + 2, expression.constants.size());
    constants_.resize(expression.constants.size());
    n_constants_ = expression.constants.size();
    set_constants(expression.constants);
    records_.clear();
    watched_.clear();
    if (code_.size() < 2 * n_nodes + 1) {
        code_.resize(2 * n_nodes + 1);
    }
    Instruction* next = code_.data();
    Entry<T> stack[kMaxNodes];
    stack[0] = {nullptr, 0, 0, true, Reach::nothing};
    Entry<T>* end = stack;
    T* top = slots_.data();
    T* own = slots_.data() + (n_nodes + 1) * stride_;  // the slots of watched operations
    const T* const none = nullptr;
    const T* const* const columns = columns_.empty() ? &none : columns_.data();
    const auto fill = [&](Entry<T>& entry) {
        *next++ = {kernels_->fill, top, entry.p, nullptr, nullptr, 0, 0, 0};
        entry = {top, 0, stride_, false, entry.reach};
        top += stride_;
    };
    for (const Node& node : expression.nodes) {
        if (node.is_leaf()) {
            const bool feature = node.op == Op::Feature;
            const std::size_t index = feature ? node.index : 0;
            if (feature && index >= columns_.size()) [[unlikely]] {
                return Plain::needs_full;
            }
            const T* const column = columns[index];
            *end++ = {feature ? column : constants_.data() + node.index, std::size_t{0} - std::size_t{feature}, 0,
                      !feature, Reach::nothing};
            continue;
        }
        const std::size_t code = static_cast<std::size_t>(node.op);
        if (node.arity > 2 || OperatorSet::is_user(node.op)) [[unlikely]] {
            if (OperatorSet::is_user(node.op)) {
                return Plain::needs_full;
            }
            Entry<T>&a = end[-3], &b = end[-2], &c = end[-1];
            // A slot that is filled now lies above those that other operands hold: the result goes to the lowest.
            T* const lowest = top - (a.held + b.held + c.held);
            for (Entry<T>* const entry : {&a, &b, &c}) {
                if (entry->scalar) {
                    fill(*entry);
                }
            }
            *next++ = {kernels_->forward[code - kFirstOp][vv], lowest, a.p, b.p, c.p, a.mask, b.mask, c.mask};
            top = lowest + stride_;
            a = {lowest, 0, stride_, false, Reach::nothing};
            end -= 2;
            continue;
        }
        Entry<T>& a = end[-node.arity];
        const Entry<T>& b = end[-1];  // the same for one operand: its kernel looks at `a` alone
        if constexpr (range == Range::plain) {
            if (kReach.rescued[code][extreme][static_cast<std::size_t>(b.reach)]) {
                return Plain::needs_watch;
            }
        }
        if (a.scalar && b.scalar) [[unlikely]] {
            fill(a);
        }
        T* out = top - a.held - (node.arity == 2 ? b.held : 0);
        top = out + stride_;
        std::size_t held = stride_;
        if constexpr (range == Range::watched) {
            if (kReach.leaves[code]) {
                top = out;
                out = own;
                own += stride_;
                held = 0;
                watched_.push_back(out);
            }
        }
        *next++ = {
            kernels_->forward[code - kFirstOp][kForms2[a.scalar][b.scalar]], out, a.p, b.p, nullptr, a.mask, b.mask, 0};
        a = {out, 0, held, false, kReach.after[code][static_cast<std::size_t>(std::max(a.reach, b.reach))]};
        end = &a + 1;
    }
    const Entry<T>& result = stack[0];
    if (result.scalar) {
        *next++ = {kernels_->fill, top, result.p, nullptr, nullptr, 0, 0, 0};
    } else if (result.mask != 0) {
        *next++ = {kernels_->copy, top, result.p, nullptr, nullptr, result.mask, 0, 0};
    }
    n_code_ = static_cast<std::size_t>(next - code_.data());
    return Plain::done;
}

template <class T>
bool Program<T>::left_range(std::size_t n) const noexcept {
    return std::any_of(watched_.begin(), watched_.end(),
                       [&](const T* values) { return kernels_->any_out_of_range(values, n); });
}

template void Program<double>::compile_values(const Expression&, const OperatorSet&, std::span<const double* const>,
                                              std::size_t, bool);
template void Program<float>::compile_values(const Expression&, const OperatorSet&, std::span<const float* const>,
                                             std::size_t, bool);
template bool Program<double>::left_range(std::size_t) const noexcept;
template bool Program<float>::left_range(std::size_t) const noexcept;

}  // namespace balmer::eval
