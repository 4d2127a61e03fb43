#include "balmer/expr/simplify.hpp"

#include <algorithm>
#include <array>
#include <bitset>
#include <cmath>
#include <functional>
#include <span>
#include <utility>
#include <vector>

#include "algebra.hpp"

namespace balmer {
namespace {

double value_of(const UserOperator& compiled, std::span<const double> operands) noexcept {
    double value = 0;
    compiled.value(&value, operands.data(), operands.size() > 1 ? operands.data() + 1 : nullptr, 1);
    return value;
}

/// The value of nodes without features, or of a user operator's body with `features` for its parameters.
/// At most kMaxNodes nodes.
double value_of(std::span<const Node> nodes, std::span<const double> constants, std::span<const double> features,
                const OperatorSet& operators) noexcept {
    std::array<double, kMaxNodes> stack;
    std::size_t count = 0;
    for (const Node& node : nodes) {
        if (node.op == Op::Constant) {
            stack[count++] = constants[node.index];
        } else if (node.op == Op::Feature) {
            stack[count++] = features[node.index];
        } else {
            count -= node.arity;
            const std::span<const double> operands(stack.data() + count, node.arity);
            if (OperatorSet::is_user(node.op)) {
                const UserOperator& user = operators.user(node.op);
                const double value = user.is_compiled()
                                         ? value_of(user, operands)
                                         : value_of(user.body.nodes, user.body.constants, operands, operators);
                stack[count++] = value;
            } else {
                const auto operand = [&](std::size_t k) { return k < operands.size() ? operands[k] : 0.0; };
                stack[count++] = apply(node.op, operand(0), operand(1), operand(2));
            }
        }
    }
    return stack[0];
}

/// A commutative group as the table has it: what is said of + - and unary minus holds of * / and the reciprocal.
struct Group {
    Op plus, minus, negate;
    double neutral;

    [[nodiscard]] constexpr bool has(Op op) const noexcept { return op == plus || op == minus || op == negate; }
};

constexpr Group kSum{Op::Add, Op::Sub, Op::Neg, 0.0};
constexpr Group kProduct{Op::Mul, Op::Div, Op::Inv, 1.0};

/// A link of a chain of products also where the sign alone changes.
constexpr bool is_link(const Group& group, Op op) noexcept {
    return group.has(op) || (group.plus == Op::Mul && op == Op::Neg);
}

/// Works in place in one array: node after node is read in postfix order and put to the end of the part that is done,
/// whose subtrees are simple already. Constants keep their slots until the end, so that nodes can go and move freely.
class Simplifier {
   public:
    Simplifier(const Expression& expression, const OperatorSet& operators)
        : nodes_(expression.nodes), values_(expression.constants), operators_(operators) {
        for (const Node& node : nodes_) used_.set(static_cast<std::size_t>(node.op));
    }

    Expression run() {
        // Nearly all is done by the first pass; the others find what a change has uncovered further up. Each change takes
        // nodes away, so this ends.
        do {
            changed_ = false;
            pass();
        } while (changed_);
        return renumbered();
    }

   private:
    struct Term {
        std::size_t position;
        bool inverted;
    };

    void pass() {
        const std::size_t n_nodes = nodes_.size();
        count_ = 0;
        for (std::size_t i = 0; i < n_nodes; ++i) {
            const Node node = nodes_[i];
            if (node.is_leaf()) {
                nodes_[count_++] = node;
            } else {
                merge_operands(node);
                push(node.op, node.arity);
                rewrite_last();
            }
        }
        merge_at(count_ - 1, Op::Count_);
        nodes_.resize(count_);
    }

    // ---- the part that is done: nodes_[0, count_) ----

    [[nodiscard]] std::size_t begin_of(std::size_t i) const noexcept { return i + 1 - nodes_[i].size; }
    [[nodiscard]] bool used(Op op) const noexcept { return used_[static_cast<std::size_t>(op)]; }
    [[nodiscard]] bool is(std::size_t i, Op op) const noexcept { return nodes_[i].op == op; }
    [[nodiscard]] double& value(std::size_t i) noexcept { return values_[nodes_[i].index]; }
    [[nodiscard]] bool is_constant(std::size_t i, double wanted) noexcept {
        return is(i, Op::Constant) && value(i) == wanted;
    }
    /// Position of the first operand of a binary node.
    [[nodiscard]] std::size_t left(std::size_t i) const noexcept { return i - 1 - nodes_[i - 1].size; }

    void push(Op op, std::uint8_t arity) noexcept {
        std::size_t size = 1;
        bool constant = true;
        for (std::uint8_t k = 0; k < arity; ++k) {
            const Node& operand = nodes_[count_ - size];
            constant = constant && is_constant_tree(operand);
            size += operand.size;
        }
        // The index of an operator is free: here it says that there is no feature below.
        nodes_[count_++] = {op, arity, static_cast<std::uint16_t>(size), constant ? 1U : 0U};
    }

    static bool is_constant_tree(const Node& node) noexcept {
        return node.op == Op::Constant || (!node.is_leaf() && node.index == 1);
    }

    /// Takes nodes_[i] out; the caller sees to it that a tree is left.
    void erase(std::size_t i) noexcept {
        for (std::size_t j = i + 1; j < count_; ++j) {
            if (begin_of(j) <= i) --nodes_[j].size;
        }
        std::move(nodes_.begin() + static_cast<std::ptrdiff_t>(i) + 1,
                  nodes_.begin() + static_cast<std::ptrdiff_t>(count_),
                  nodes_.begin() + static_cast<std::ptrdiff_t>(i));
        --count_;
        changed_ = true;
    }

    /// Makes the last subtree one node.
    void replace_last(Node node) noexcept {
        count_ = begin_of(count_ - 1);
        nodes_[count_++] = node;
        changed_ = true;
    }

    void replace_last_by_value(double v) {
        values_.push_back(v);
        replace_last(Node::constant(static_cast<std::uint32_t>(values_.size() - 1)));
    }

    /// Keeps the operand that ends at `i` of the last node, and nothing else of it.
    void keep_operand(std::size_t i) noexcept {
        const std::size_t first = begin_of(i);
        const std::size_t to = begin_of(count_ - 1);
        std::move(nodes_.begin() + static_cast<std::ptrdiff_t>(first),
                  nodes_.begin() + static_cast<std::ptrdiff_t>(i) + 1,
                  nodes_.begin() + static_cast<std::ptrdiff_t>(to));
        count_ = to + (i + 1 - first);
        changed_ = true;
    }

    void swap_operands(std::size_t i) noexcept {
        const auto begin = nodes_.begin() + static_cast<std::ptrdiff_t>(begin_of(i));
        const auto middle = nodes_.begin() + static_cast<std::ptrdiff_t>(left(i)) + 1;
        std::rotate(begin, middle, nodes_.begin() + static_cast<std::ptrdiff_t>(i));
    }

    // ---- one operator and its operands ----

    void rewrite_last() {
        while (rewrite_once()) {
        }
    }

    /// Applies the first rule that fits the last node; whether there was one, and an operator is still there.
    bool rewrite_once() {
        const std::size_t i = count_ - 1;
        if (nodes_[i].is_leaf()) return false;
        if (nodes_[i].index == 1 && nodes_[i].size <= kMaxNodes && fold()) return false;
        const Op op = nodes_[i].op;
        for (const Group& group : {kSum, kProduct}) {
            if (op == group.negate) return rewrite_negation(group, i);
            if (op == group.plus || op == group.minus) return rewrite_sum(group, i);
        }
        switch (op) {
            case Op::Pow:
                if (is_constant(i - 1, 1)) {
                    keep_operand(left(i));
                } else if (is_constant(i - 1, 0) && is(left(i), Op::Feature)) {
                    replace_last_by_value(1);
                }
                break;
            case Op::Min:
            case Op::Max:
                if (same_operands(i)) keep_operand(i - 1);
                break;
            case Op::Cond:
                if (is(left(i), Op::Constant)) {
                    value(left(i)) > 0 ? keep_operand(i - 1) : replace_last_by_value(0);
                }
                break;
            case Op::IfElse: {
                const std::size_t second = left(i);
                const std::size_t condition = begin_of(second) - 1;
                if (is(condition, Op::Constant)) keep_operand(value(condition) > 0 ? second : i - 1);
                break;
            }
            default:
                if (detail::absorbs(nodes_[i - 1].op, op)) {
                    erase(i);
                } else if (detail::is_even(op) && is(i - 1, Op::Neg)) {
                    erase(i - 1);
                    return true;
                }
                break;
        }
        return false;
    }

    bool fold() {
        const std::size_t i = count_ - 1;
        const double folded = value_of({nodes_.data() + begin_of(i), nodes_[i].size}, values_, {}, operators_);
        if (!std::isfinite(folded)) return false;
        replace_last_by_value(folded);
        return true;
    }

    /// -(-x) -> x, -(x - y) -> y - x, and the same for reciprocals.
    bool rewrite_negation(const Group& group, std::size_t i) {
        if (is(i - 1, group.negate)) {
            keep_operand(i - 2);
            return true;
        }
        if (is(i - 1, group.minus)) {
            swap_operands(i - 1);
            erase(i);
            return true;
        }
        return false;
    }

    /// x + -y -> x - y, x - -y -> x + y, where the other operator is in use; x - x -> 0; 0 * x -> 0.
    bool rewrite_sum(const Group& group, std::size_t i) {
        const bool is_plus = nodes_[i].op == group.plus;
        const Op other = is_plus ? group.minus : group.plus;
        if (is(i - 1, group.negate) && used(other)) {
            nodes_[i].op = other;
            erase(i - 1);
            return true;
        }
        if (is_plus && is(left(i), group.negate) && used(other)) {
            nodes_[i].op = other;
            erase(left(i));
            swap_operands(count_ - 1);
            return true;
        }
        const bool features = is(i - 1, Op::Feature) && is(left(i), Op::Feature);
        if (nodes_[i].op == Op::Sub && features && nodes_[i - 1].index == nodes_[left(i)].index) {
            replace_last_by_value(0);
        } else if (nodes_[i].op == Op::Mul && ((is_constant(i - 1, 0) && is(left(i), Op::Feature)) ||
                                               (is_constant(left(i), 0) && is(i - 1, Op::Feature)))) {
            replace_last_by_value(0);
        }
        return false;
    }

    bool same_operands(std::size_t i) noexcept {
        const std::size_t size = nodes_[i - 1].size;
        if (nodes_[left(i)].size != size) return false;
        const std::size_t a = begin_of(left(i));
        const std::size_t b = begin_of(i - 1);
        for (std::size_t k = 0; k < size; ++k) {
            if (nodes_[a + k].op != nodes_[b + k].op || nodes_[a + k].arity != nodes_[b + k].arity) return false;
            const bool same =
                is(a + k, Op::Constant) ? value(a + k) == value(b + k) : nodes_[a + k].index == nodes_[b + k].index;
            if (!same) return false;
        }
        return true;
    }

    // ---- chains ----

    /// Merges the chains that end below an operator, which is not pushed yet.
    void merge_operands(const Node& node) {
        std::size_t end = count_;
        for (std::uint8_t k = 0; k < node.arity; ++k) {
            const std::size_t begin = begin_of(end - 1);
            merge_at(end - 1, node.op);
            end = begin;
        }
    }

    /// Merges the chains whose topmost link is at `i`, below an operator `above`.
    void merge_at(std::size_t i, Op above) {
        const std::size_t behind = count_ - i;  // what follows does not change
        for (const Group& group : {kSum, kProduct}) {
            const std::size_t root = count_ - behind;
            if (is_link(group, nodes_[root].op) && !is_link(group, above)) merge(group, root);
        }
    }

    /// One constant for all that stand in the chain, where no operator has to be introduced for that.
    void merge(const Group& group, std::size_t root) {
        n_terms_ = n_signs_ = 0;
        collect(group, root, false);
        const std::size_t behind = count_ - root;
        if (n_signs_ > 0 && (n_terms_ > 0 || n_signs_ > 1)) {
            remove_signs();
            n_terms_ = n_signs_ = 0;
            collect(group, count_ - behind, false);
        }
        if (n_terms_ == 0) return;

        const std::size_t kept = choose(group, root = count_ - behind);
        const std::uint32_t slot = nodes_[terms_[kept].position].index;
        bool inverted = terms_[kept].inverted;
        // Later positions first: what is taken out there moves nothing before.
        for (std::size_t k = 0; k < n_terms_; ++k) {
            const Term& term = terms_[k];
            if (k == kept) continue;
            const double v = value(term.position);
            if (v == group.neutral) {
                drop(group, term.position, count_ - behind);
                continue;
            }
            const double merged = combined(group, values_[slot], v, inverted != term.inverted);
            if (can_merge(group, values_[slot], v, merged) && drop(group, term.position, count_ - behind)) {
                values_[slot] = merged;
            }
        }
        if (values_[slot] != group.neutral) return;
        root = count_ - behind;
        for (std::size_t i = begin_of(root); i < root; ++i) {
            if (is(i, Op::Constant) && nodes_[i].index == slot) {
                drop(group, i, root);
                return;
            }
        }
    }

    /// Finds the constants of the chain, last first, and (in a product) the links that only change the sign.
    void collect(const Group& group, std::size_t i, bool inverted) noexcept {
        const Node& node = nodes_[i];
        if (node.op == Op::Constant) {
            const double v = value(i);
            // A subnormal number counts as zero in the evaluator, but not in the merged constant.
            if ((std::isnormal(v) || v == 0) && n_terms_ < terms_.size()) terms_[n_terms_++] = {i, inverted};
        } else if (node.op == group.plus || node.op == group.minus) {
            collect(group, i - 1, inverted != (node.op == group.minus));
            collect(group, left(i), inverted);
        } else if (node.op == group.negate) {
            collect(group, i - 1, !inverted);
        } else if (is_link(group, node.op)) {
            if (n_signs_ < signs_.size()) signs_[n_signs_++] = i;
            collect(group, i - 1, inverted);
        }
    }

    /// -x * 2 -> x * -2, -x * -y -> x * y. Positions of terms_ hold no longer.
    void remove_signs() {
        std::size_t removed = n_signs_;
        if (n_terms_ == 0) {
            removed -= removed % 2;
        } else if (removed % 2 == 1) {
            double& v = value(terms_[n_terms_ - 1].position);
            v = -v;
        }
        std::sort(signs_.begin(), signs_.begin() + static_cast<std::ptrdiff_t>(n_signs_), std::greater<>());
        for (std::size_t k = n_signs_ - removed; k < n_signs_; ++k) erase(signs_[k]);
    }

    [[nodiscard]] static double combined(const Group& group, double kept, double other, bool opposite) noexcept {
        if (group.plus == Op::Add) return opposite ? kept - other : kept + other;
        return opposite ? kept / other : kept * other;
    }

    /// A product that leaves the range of normal numbers would lose what the separate factors keep.
    [[nodiscard]] static bool can_merge(const Group& group, double kept, double other, double merged) noexcept {
        if (!std::isfinite(merged)) return false;
        if (group.plus == Op::Add) return std::isnormal(merged) || merged == 0;
        return std::isnormal(merged) || kept == 0 || other == 0;
    }

    /// The constant that stays: one that cannot go, else one that is hard to take out (c - x), else the first that is added.
    [[nodiscard]] std::size_t choose(const Group& group, std::size_t root) const noexcept {
        std::size_t best = 0;
        int best_rank = -1;
        for (std::size_t k = n_terms_; k-- > 0;) {
            const std::size_t i = terms_[k].position;
            const std::size_t up = parent(i, root);
            int rank = nodes_[up].op == group.plus ? 1 : 0;
            if (nodes_[up].op == group.minus && up != i + 1) rank = can_drop_minuend(group, up, root) ? 2 : 3;
            if (rank > best_rank) {
                best_rank = rank;
                best = k;
            }
        }
        return best;
    }

    /// The node of which `i` is an operand, in the chain that ends at `root`. `i` is not the root.
    [[nodiscard]] std::size_t parent(std::size_t i, std::size_t root) const noexcept {
        std::size_t up = i + 1;
        while (up < root && begin_of(up) > i) ++up;
        return up;
    }

    /// Whether the neutral minuend of `up` can go: what is left is the negated subtrahend, and the link above must take it.
    [[nodiscard]] bool can_drop_minuend(const Group& group, std::size_t up, std::size_t root) const noexcept {
        if (used(group.negate)) return true;
        if (up == root) return false;
        const std::size_t above = parent(up, root);
        return nodes_[above].op == group.plus ||
               (nodes_[above].op == group.minus && above == up + 1 && used(group.plus));
    }

    /// Takes out a constant as if it were the neutral element; false if that cannot be done.
    bool drop(const Group& group, std::size_t i, std::size_t root) noexcept {
        if (i == root) return false;
        const std::size_t up = parent(i, root);
        const Op op = nodes_[up].op;
        if (op != group.plus && op != group.minus) return false;
        if (op == group.minus && up != i + 1) return drop_minuend(group, i, up, root);
        erase(up);
        erase(i);
        return true;
    }

    bool drop_minuend(const Group& group, std::size_t i, std::size_t up, std::size_t root) noexcept {
        if (!can_drop_minuend(group, up, root)) return false;
        const std::size_t above = up == root ? up : parent(up, root);
        const Op op = up == root ? Op::Count_ : nodes_[above].op;
        if (op == group.negate) {  // -(0 - y) -> y
            erase(above);
        } else if (op == group.plus) {  // x + (0 - y) and (0 - y) + x -> x - y
            nodes_[above].op = group.minus;
            if (above != up + 1) {
                erase(up);
                erase(i);
                swap_operands(above - 2);
                return true;
            }
        } else if (op == group.minus && above == up + 1 && used(group.plus)) {  // x - (0 - y) -> x + y
            nodes_[above].op = group.plus;
        } else {  // 0 - y -> -y
            nodes_[up].op = group.negate;
            nodes_[up].arity = 1;
            erase(i);
            return true;
        }
        erase(up);
        erase(i);
        return true;
    }

    /// The result: constants numbered as they stand, operators with index 0.
    Expression renumbered() {
        Expression result;
        result.constants.reserve(values_.size());
        for (Node& node : nodes_) {
            if (node.op == Op::Constant) {
                result.constants.push_back(values_[node.index]);
                node.index = static_cast<std::uint32_t>(result.constants.size() - 1);
            } else if (!node.is_leaf()) {
                node.index = 0;
            }
        }
        result.nodes = std::move(nodes_);
        return result;
    }

    std::vector<Node> nodes_;
    std::vector<double> values_;
    const OperatorSet& operators_;
    std::size_t count_ = 0;
    bool changed_ = false;
    std::bitset<256> used_;
    // One chain's. What does not fit is left to the next pass.
    std::array<Term, kMaxNodes / 2 + 1> terms_;
    std::array<std::size_t, kMaxNodes> signs_;
    std::size_t n_terms_ = 0;
    std::size_t n_signs_ = 0;
};

}  // namespace

Expression simplify(const Expression& expression, const OperatorSet& operators) {
    return Simplifier(expression, operators).run();
}

}  // namespace balmer
