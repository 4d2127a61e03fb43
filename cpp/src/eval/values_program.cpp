// The usual way to values: one pass over the nodes with nothing but the operand stack. At a hundred rows compiling costs
// as much as running, and what costs in compiling are branches that cannot be predicted: so operators of one and of two
// operands, in all forms, take the same path.
#include <algorithm>

#include "eval/program.hpp"
#include "eval/rescue.hpp"

namespace balmer::eval {
namespace {

template <class T>
struct Entry {
    const T* p;
    std::size_t mask;  // all ones: a column
    std::size_t held;  // what the operand holds of the stack of slots: one stride or nothing
    std::uint32_t first_leaving;
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
    range_ = extreme ? Range::watched_extreme : Range::watched;
    choose_blocks(n_rows);
    if (!compile_plain(expression, extreme)) {
        compile(expression, operators, columns, n_rows, Derivatives::none, range_);
    }
    if (is_watched()) {
        if (rescue_ == nullptr) {
            rescue_ = std::make_unique<Rescue<T>>();
        }
        rescue_->begin(expression, operators, columns);
    }
}

/// Gives up where a user's operator turns up, or a feature that is not in the data (the full way says what is wrong).
/// The operations that may leave the range, and those that may be rescued from it, have slots of their own.
template <class T>
bool Program<T>::compile_plain(const Expression& expression, bool extreme) {
    const std::size_t n_nodes = expression.nodes.size();
    reserve(2 * n_nodes + 2, expression.constants.size());
    constants_.resize(expression.constants.size());
    n_constants_ = expression.constants.size();
    set_constants(expression.constants);
    records_.clear();
    const auto see_to = [](auto& list, std::size_t size) {
        if (list.size() < size) {
            list.resize(size);
        }
    };
    see_to(code_, 2 * n_nodes + 1);
    see_to(leaving_, n_nodes + 1);
    see_to(rescuable_, n_nodes + 1);
    Instruction* next = code_.data();
    Entry<T> stack[kMaxNodes];
    stack[0] = {nullptr, 0, 0, 0, true, Reach::nothing};
    Entry<T>* end = stack;
    T* top = slots_.data();
    T* own = slots_.data() + (n_nodes + 1) * stride_;  // the slots that are not reused
    std::uint32_t n_leaving = 0;
    std::size_t n_rescuable = 0;
    const T* const none = nullptr;
    const T* const* const columns = columns_.empty() ? &none : columns_.data();
    const auto fill = [&](Entry<T>& entry) {
        *next++ = {kernels_->fill, top, entry.p, nullptr, nullptr, 0, 0, 0};
        entry = {top, 0, stride_, entry.first_leaving, false, entry.reach};
        top += stride_;
    };
    for (const Node& node : expression.nodes) {
        if (node.is_leaf()) {
            const bool feature = node.op == Op::Feature;
            const std::size_t index = feature ? node.index : 0;
            if (feature && index >= columns_.size()) [[unlikely]] {
                return false;
            }
            const T* const column = columns[index];
            *end++ = {feature ? column : constants_.data() + node.index,
                      std::size_t{0} - std::size_t{feature},
                      0,
                      n_leaving,
                      !feature,
                      Reach::nothing};
            continue;
        }
        const std::size_t code = static_cast<std::size_t>(node.op);
        if (node.arity > 2 || OperatorSet::is_user(node.op)) [[unlikely]] {
            if (OperatorSet::is_user(node.op)) {
                return false;
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
            a = {lowest, 0, stride_, a.first_leaving, false, Reach::nothing};
            end -= 2;
            continue;
        }
        Entry<T>& a = end[-node.arity];
        const Entry<T>& b = end[-1];  // the same for one operand: its kernel looks at `a` alone
        if (a.scalar && b.scalar) [[unlikely]] {
            fill(a);
        }
        const std::size_t below = static_cast<std::size_t>(std::max(a.reach, b.reach));
        const bool leaves = kReach.leaves[code][extreme][below];
        const bool rescued = kReach.rescued[code][extreme][static_cast<std::size_t>(b.reach)];
        T* const lowest = top - a.held - (node.arity == 2 ? b.held : 0);
        const bool kept = leaves | rescued;
        const std::size_t held = kept ? 0 : stride_;
        T* const out = kept ? own : lowest;
        own += stride_ - held;
        top = lowest + held;
        *next++ = {
            kernels_->forward[code - kFirstOp][kForms2[a.scalar][b.scalar]], out, a.p, b.p, nullptr, a.mask, b.mask, 0};
        leaving_[n_leaving] = out;
        n_leaving += leaves;
        rescuable_[n_rescuable] = {out, a.first_leaving, n_leaving};
        n_rescuable += rescued;
        a = {out, 0, held, a.first_leaving, false, kReach.after[code][below]};
        end = &a + 1;
    }
    const Entry<T>& result = stack[0];
    if (result.scalar) {
        *next++ = {kernels_->fill, top, result.p, nullptr, nullptr, 0, 0, 0};
    } else if (result.mask != 0) {
        *next++ = {kernels_->copy, top, result.p, nullptr, nullptr, result.mask, 0, 0};
    }
    n_code_ = static_cast<std::size_t>(next - code_.data());
    n_rescuable_ = n_rescuable;
    return true;
}

template <class T>
bool Program<T>::find_rescuable(std::size_t n, RowSet& rows) const noexcept {
    rows.fill(0);
    bool found = false;
    for (std::size_t k = 0; k < n_rescuable_; ++k) {
        const Rescuable& place = rescuable_[k];
        if (kernels_->all_finite(place.values, n)) {
            continue;
        }
        RowSet not_finite{}, left{};
        kernels_->mark_not_finite(place.values, n, not_finite.data());
        for (std::size_t i = place.first; i < place.last; ++i) {
            kernels_->mark_out_of_range(leaving_[i], n, left.data());
        }
        for (std::size_t word = 0; word < n / kSumLanes; ++word) {
            rows[word] = static_cast<std::uint16_t>(rows[word] | (not_finite[word] & left[word]));
            found = found || rows[word] != 0;
        }
    }
    return found;
}

template <class T>
void Program<T>::rescue(std::size_t row, std::size_t n, T* values) {
    RowSet rows;
    if (find_rescuable(n, rows)) {
        rescue_->compute(rows, row, values);
    }
}

template void Program<double>::compile_values(const Expression&, const OperatorSet&, std::span<const double* const>,
                                              std::size_t, bool);
template void Program<float>::compile_values(const Expression&, const OperatorSet&, std::span<const float* const>,
                                             std::size_t, bool);
#define BALMER_INSTANTIATE(T)                                                      \
    template bool Program<T>::find_rescuable(std::size_t, RowSet&) const noexcept; \
    template void Program<T>::rescue(std::size_t, std::size_t, T*)
BALMER_INSTANTIATE(double);
BALMER_INSTANTIATE(float);
#undef BALMER_INSTANTIATE

}  // namespace balmer::eval
