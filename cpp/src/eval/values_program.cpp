// The usual way to values: a pass over the leaves, then one over the operations. At a hundred rows compiling costs as much
// as running, and what costs in compiling are branches that cannot be predicted: so neither pass has one that depends on
// the formula, but for what is rare. Operators of one and of two operands, in all forms, take the same path.
#include <algorithm>
#include <array>
#include <functional>

#include "eval/known_columns.hpp"
#include "eval/program.hpp"
#include "eval/rescue.hpp"

namespace balmer::eval {
namespace {

/// From this size of a column on operations are joined to chains: it takes about as long as the rest of compiling.
constexpr std::size_t kChainedBytes = 6144;

/// The form of an operation by which of its two operands is a constant.
static_assert(vv == 0 && vs == 1 && sv == 2);
constexpr std::size_t form_of(std::size_t a_scalar, std::size_t b_scalar) noexcept { return 2 * a_scalar + b_scalar; }

template <class T>
void see_to(std::vector<T>& list, std::size_t size) {
    if (list.size() < size) {
        list.resize(size);
    }
}

/// Operators that make it worth looking at what leaves the range.
constexpr auto kGrows = [] {
    std::array<bool, 256> grows{};
    for (std::size_t code = 0; code < 256; ++code) grows[code] = range_role(static_cast<Op>(code)) == RangeRole::growth;
    return grows;
}();

}  // namespace

template <class T>
void Program<T>::compile_values(const Expression& expression, const OperatorSet& operators,
                                std::span<const T* const> columns, std::size_t n_rows, bool extreme,
                                const KnownColumns<T>* known) {
    kernels_ = &kernels_of<T>(kernels());
    operators_ = &operators;
    columns_ = columns;
    mode_ = Derivatives::none;
    range_ = extreme ? Range::watched_extreme : Range::watched;
    choose_blocks(n_rows);
    if (!compile_plain(expression, n_rows, extreme, known)) {
        compile(expression, operators, columns, n_rows, Derivatives::none, range_);
    }
    if (is_watched()) {
        if (rescue_ == nullptr) {
            rescue_ = std::make_unique<Rescue<T>>();
        }
        rescue_->begin(expression, operators, columns);
    }
}

/// The value of a node.
template <class T>
struct Program<T>::Entry {
    Operand operand;
    std::size_t held;    // what the value holds of the stack of slots: one stride or nothing
    std::size_t scalar;  // 1 for a constant, else 0
};

/// What the passes over an expression hand on.
template <class T>
struct Program<T>::Draft {
    Entry values[kMaxNodes];              // by node
    std::uint16_t operations[kMaxNodes];  // the nodes that are no leaves
    std::size_t n_operations = 0;
    bool kept[kMaxNodes];  // by node: whether it has a slot of its own, which nothing overwrites
    bool grows;            // whether an operation may leave the range and be rescued from it
};

/// Gives up where a user's operator turns up, or a feature that is not in the data (the full way says what is wrong).
template <class T>
bool Program<T>::compile_plain(const Expression& expression, std::size_t n_rows, bool extreme,
                               const KnownColumns<T>* known) {
    const std::size_t n_nodes = expression.nodes.size();
    reserve(2 * n_nodes + 2, expression.constants.size() + n_nodes);
    constants_.resize(expression.constants.size());
    n_constants_ = expression.constants.size();
    set_constants(expression.constants);
    records_.clear();
    see_to(code_, 2 * n_nodes + 1);
    Draft draft;
    draft.grows = extreme;
    if (!draft_leaves(expression, draft)) {
        return false;
    }
    std::fill_n(draft.kept, n_nodes, false);
    n_rescuable_ = 0;
    if (draft.grows) {
        watch(expression, extreme, draft);
    }
    write_operations(expression, draft, known);
    can_split_ = true;
    if (n_rows * sizeof(T) >= kChainedBytes) {
        join_chains(slots_.data() + (n_nodes + 1) * stride_);
    }
    return true;
}

/// Binds the leaves and lists the other nodes. Whether the passes here can deal with all of them.
template <class T>
bool Program<T>::draft_leaves(const Expression& expression, Draft& draft) const noexcept {
    const Node* const nodes = expression.nodes.data();
    const T* const* const columns = columns_.data();
    const T* const constants = constants_.data();
    const std::size_t n_nodes = expression.nodes.size(), n_columns = columns_.size();
    if (n_columns == 0) {
        return false;
    }
    std::size_t n_operations = 0;
    unsigned grows = draft.grows;
    for (std::size_t i = 0; i < n_nodes; ++i) {
        const Node node = nodes[i];
        const std::size_t feature = node.op == Op::Feature;
        const std::size_t index = node.index & (0 - feature);
        if (index >= n_columns || OperatorSet::is_user(node.op)) [[unlikely]] {
            return false;
        }
        const T* const column = columns[index];
        const T* const constant = constants + (node.index - index);  // of a feature: the first, if there are any
        draft.values[i] = {{feature != 0 ? column : constant, 0 - feature}, 0, 1 - feature};
        draft.operations[n_operations] = static_cast<std::uint16_t>(i);
        n_operations += !node.is_leaf();
        grows |= kGrows[static_cast<std::size_t>(node.op)];
    }
    draft.n_operations = n_operations;
    draft.grows = grows != 0;
    return true;
}

/// Lists the operations that may leave the range and those that may be rescued from it. Both are kept, in the order of the
/// nodes, above the slots that are reused. (No operator of three operands has to do with the range.)
template <class T>
void Program<T>::watch(const Expression& expression, bool extreme, Draft& draft) {
    const std::size_t n_nodes = expression.nodes.size();
    see_to(leaving_, n_nodes);
    see_to(rescuable_, n_nodes);
    const Node* const nodes = expression.nodes.data();
    Reach reach[kMaxNodes];
    std::fill_n(reach, n_nodes, Reach::nothing);
    std::uint16_t leaving_nodes[kMaxNodes + 1];
    std::uint32_t n_leaving = 0;
    std::size_t n_rescuable = 0;
    const T* own = slots_.data() + (n_nodes + 1) * stride_;
    for (std::size_t k = 0; k < draft.n_operations; ++k) {
        const std::size_t i = draft.operations[k];
        const Node node = nodes[i];
        const std::size_t code = static_cast<std::size_t>(node.op), several = node.arity > 1;
        const std::size_t last = static_cast<std::size_t>(reach[i - 1]);
        const std::size_t other = static_cast<std::size_t>(reach[i - 1 - (nodes[i - 1].size & (0 - several))]);
        const std::size_t below = std::max(last, other);
        const bool leaves = kReach.leaves[code][extreme][below], rescued = kReach.rescued[code][extreme][last];
        leaving_[n_leaving] = own;
        leaving_nodes[n_leaving] = static_cast<std::uint16_t>(i);
        n_leaving += leaves;
        rescuable_[n_rescuable] = {own, static_cast<std::uint32_t>(i + 1 - node.size), n_leaving};
        n_rescuable += rescued;
        draft.kept[i] = leaves | rescued;
        own += stride_ & (std::size_t{0} - draft.kept[i]);
        reach[i] = kReach.after[code][below];
    }
    n_rescuable_ = n_rescuable;
    for (std::size_t k = 0; k < n_rescuable; ++k) {  // from the first node below to the first that leaves
        Rescuable& place = rescuable_[k];
        const auto* const first = std::lower_bound(leaving_nodes, leaving_nodes + place.last, place.first);
        place.first = static_cast<std::uint32_t>(first - leaving_nodes);
    }
}

/// One more constant: the value of an operation of constants, by the kernel that would compute it for each row.
template <class T>
const T* Program<T>::of_constants(ForwardKernel<T> kernel, T a, T b) {
    alignas(kAlignment) std::array<T, kLanes> left, right, out;
    left.fill(a);
    right.fill(b);
    kernel(out.data(), left.data(), right.data(), nullptr, kLanes);
    constants_.push_back(out[0]);  // never moves the others: there is room for one of each node
    return &constants_.back();
}

/// Writes the instructions. Slots of operands lie on top of the stack of slots: the result takes the lowest of them.
template <class T>
void Program<T>::write_operations(const Expression& expression, Draft& draft, const KnownColumns<T>* known) {
    const Node* const nodes = expression.nodes.data();
    const auto& kernels = kernels_->forward;
    const std::size_t stride = stride_;
    Instruction* next = code_.data();
    T* top = slots_.data();
    T* own = top + (expression.nodes.size() + 1) * stride;
    const auto fill = [&](Entry& value) {
        *next++ = {kernels_->fill, top, value.operand, {}, {}};
        value = {{top, 0}, stride, 0};
        top += stride;
    };
    for (std::size_t k = 0; k < draft.n_operations; ++k) {
        const std::size_t i = draft.operations[k];
        const Node node = nodes[i];
        const std::size_t row = static_cast<std::size_t>(node.op) - kFirstOp;
        if (node.arity > 2) [[unlikely]] {
            Entry& a = draft.values[expression.operand(i, 0)];
            Entry& b = draft.values[expression.operand(i, 1)];
            Entry& c = draft.values[i - 1];
            T* const lowest = top - (a.held + b.held + c.held);  // a slot that is filled now lies above these
            for (Entry* const value : {&a, &b, &c}) {
                if (value->scalar != 0) {
                    fill(*value);
                }
            }
            *next++ = {kernels[row][vv], lowest, a.operand, b.operand, c.operand};
            top = lowest + stride;
            draft.values[i] = {{lowest, 0}, stride, 0};
            continue;
        }
        // With one operand `b` is the same as `a`, at which alone the kernel looks.
        const std::size_t two = node.arity - std::size_t{1};
        Entry& a = draft.values[i - 1 - (nodes[i - 1].size & (0 - two))];
        const Entry& b = draft.values[i - 1];
        const bool kept = draft.kept[i];
        if ((a.scalar & b.scalar) != 0) [[unlikely]] {
            if (!kept) {
                draft.values[i] = {{of_constants(kernels[row][vv], *a.operand.p, *b.operand.p), 0}, 0, 1};
                continue;
            }
            fill(a);
        }
        if (known != nullptr && two == 0 && nodes[i - 1].op == Op::Feature && !kept) {
            if (const T* const column = known->find(node.op, nodes[i - 1].index)) {
                draft.values[i] = {{column, kColumn}, 0, 0};
                continue;
            }
        }
        const std::size_t own_stride = stride & (std::size_t{0} - kept), held = stride - own_stride;
        T* const lowest = top - a.held - (b.held & (0 - two));
        T* const out = kept ? own : lowest;
        own += own_stride;
        top = lowest + held;
        // Word by word: a pair copied at once would wait for the two stores that have just made it.
        next->kernel = kernels[row][form_of(a.scalar, b.scalar)];
        next->out = out;
        next->a.p = a.operand.p;
        next->a.mask = a.operand.mask;
        next->b.p = b.operand.p;
        next->b.mask = b.operand.mask;
        next->c = {};
        ++next;
        draft.values[i] = {{out, 0}, held, 0};
    }
    const Entry& result = draft.values[expression.root()];
    if (result.scalar != 0) {
        *next++ = {kernels_->fill, top, result.operand, {}, {}};
    } else if (result.operand.mask != 0) {
        *next++ = {kernels_->copy, top, result.operand, {}, {}};
    }
    n_code_ = static_cast<std::size_t>(next - code_.data());
}

/// The arithmetic operation that a kernel computes: its place in kArithmetic and its form, or kNone.
template <class T>
struct Program<T>::Arithmetic {
    static constexpr std::size_t kNone = kArithmeticRows;
    std::size_t place = kNone;
    Form form = vv;

    Arithmetic() = default;
    Arithmetic(const Kernels<T>& kernels, ForwardKernel<T> kernel) noexcept {
        for (std::size_t i = 0; i < kArithmeticRows; ++i) {
            for (const Form f : {vv, vs, sv}) {
                if (kernel == kernels.forward[kArithmetic.row[i]][f]) {
                    place = i;
                    form = f;
                }
            }
        }
    }
};

/// Makes one instruction of two arithmetic ones where the second takes the value of the first, which nothing else does
/// unless it is kept: in a slot from `kept` on.
template <class T>
void Program<T>::join_chains(const T* kept) noexcept {
    Instruction* next = code_.data();
    Arithmetic before;  // what the instruction before `next` computes, if it may be joined
    for (std::size_t i = 0; i < n_code_; ++i) {
        const Instruction second = code_[i];
        const Arithmetic now(*kernels_, second.kernel);
        const T* const value = before.place == Arithmetic::kNone ? nullptr : next[-1].out;
        if (now.place != Arithmetic::kNone && value != nullptr && (second.a.p == value || second.b.p == value)) {
            const Chained chained = second.a.p == value ? first_operand : second_operand;
            const bool single = now.form == (chained == first_operand ? vs : sv);
            next[-1].kernel = kernels_->chain[chained][before.place][now.place][before.form][single];
            next[-1].out = second.out;
            next[-1].c = chained == first_operand ? second.b : second.a;
            before = {};
        } else {
            *next++ = second;
            before = std::less<>{}(second.out, kept) ? now : Arithmetic{};
        }
    }
    n_code_ = static_cast<std::size_t>(next - code_.data());
}

template <class T>
void Program<T>::run_into_any(std::size_t row, std::size_t n, T* out) noexcept {
    const std::size_t rest = n % kLanes, whole = n - rest;
    const Instruction& last = run_to_last(row, padded(n));
    last.kernel(out, last.a.at(row), last.b.at(row), last.c.at(row), whole);
    if (rest == 0) {
        return;
    }
    const T *const first = constants_.data(), *const end = first + constants_.size();
    const auto operand = [&](const Operand& o) {
        const bool constant = !std::less<>{}(o.p, first) && std::less<>{}(o.p, end);
        return o.p == nullptr || constant ? o.p : o.at(row) + whole;
    };
    T* const values = last.out + whole;
    last.kernel(values, operand(last.a), operand(last.b), operand(last.c), kLanes);
    std::copy_n(values, rest, out + whole);
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
                                              std::size_t, bool, const KnownColumns<double>*);
template void Program<float>::compile_values(const Expression&, const OperatorSet&, std::span<const float* const>,
                                             std::size_t, bool, const KnownColumns<float>*);
#define BALMER_INSTANTIATE(T)                                                      \
    template void Program<T>::run_into_any(std::size_t, std::size_t, T*) noexcept; \
    template bool Program<T>::find_rescuable(std::size_t, RowSet&) const noexcept; \
    template void Program<T>::rescue(std::size_t, std::size_t, T*)
BALMER_INSTANTIATE(double);
BALMER_INSTANTIATE(float);
#undef BALMER_INSTANTIATE

}  // namespace balmer::eval
