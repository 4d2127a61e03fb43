#include "balmer/expr/expression.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cassert>
#include <cmath>

#include "algebra.hpp"
#include "balmer/expr/operator_set.hpp"

namespace balmer {
namespace {

/// One value for each operand that waits, over a pass in postfix order. Inside the limit of nodes (twice it, for
/// expressions that are about to be cut) nothing is allocated.
template <class T>
class OperandStack {
   public:
    explicit OperandStack(std::size_t n_nodes) {
        if (n_nodes > inside_.size()) outside_.resize(n_nodes);
        base_ = outside_.empty() ? inside_.data() : outside_.data();
    }
    OperandStack(const OperandStack&) = delete;
    OperandStack& operator=(const OperandStack&) = delete;

    void push(T value) noexcept { base_[count_++] = value; }
    /// The `arity` operands on top, in reading order; they are taken off.
    [[nodiscard]] std::span<T> pop(std::size_t arity) noexcept {
        assert(arity <= count_);
        count_ -= arity;
        return {base_ + count_, arity};
    }

   private:
    std::array<T, 2 * kMaxNodes> inside_;
    std::vector<T> outside_;
    T* base_;
    std::size_t count_ = 0;
};

/// The finaliser of SplitMix64: every bit of the input moves every bit of the output.
constexpr std::uint64_t mix(std::uint64_t x) noexcept {
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
    return x ^ (x >> 31);
}

constexpr std::uint64_t combine(std::uint64_t hash, std::uint64_t value) noexcept {
    return mix(hash * 0x9e3779b97f4a7c15ULL + value + 0x632be59bd9b4e019ULL);
}

constexpr std::uint64_t code(Op op) noexcept { return static_cast<std::uint64_t>(op); }

/// Bits of a constant; those of one NaN for all of them, since operator== makes them equal.
std::uint64_t bits_of(double value) noexcept {
    return std::isnan(value) ? 0x7ff8000000000000ULL : std::bit_cast<std::uint64_t>(value);
}

/// values[first, last) = with, without an allocation if the capacity suffices.
template <class T>
void splice(std::vector<T>& values, std::size_t first, std::size_t last, const std::vector<T>& with) {
    const std::size_t old_count = last - first;
    const auto at = values.begin() + static_cast<std::ptrdiff_t>(first);
    if (with.size() <= old_count) {
        values.erase(std::copy(with.begin(), with.end(), at), values.begin() + static_cast<std::ptrdiff_t>(last));
    } else {
        const auto split = with.begin() + static_cast<std::ptrdiff_t>(old_count);
        values.insert(std::copy(with.begin(), split, at), split, with.end());
    }
}

}  // namespace

Expression& Expression::push_constant(double value) {
    nodes.push_back(Node::constant(static_cast<std::uint32_t>(constants.size())));
    constants.push_back(value);
    return *this;
}

Expression& Expression::push_feature(std::uint32_t index) {
    nodes.push_back(Node::feature(index));
    return *this;
}

Expression& Expression::push(Op op, std::uint8_t arity) {
    std::size_t size = 1;
    for (std::uint8_t k = 0; k < arity; ++k) {
        assert(size <= nodes.size());
        size += nodes[nodes.size() - size].size;
    }
    nodes.push_back({op, arity, static_cast<std::uint16_t>(size), 0});
    return *this;
}

Expression Expression::constant(double value) { return Expression().push_constant(value); }

Expression Expression::feature(std::uint32_t index) { return Expression().push_feature(index); }

Expression Expression::apply(Op op, std::span<const Expression* const> operands) {
    Expression result;
    std::size_t n_nodes = 1;
    std::size_t n_constants = 0;
    for (const Expression* operand : operands) {
        n_nodes += operand->nodes.size();
        n_constants += operand->constants.size();
    }
    result.nodes.reserve(n_nodes);
    result.constants.reserve(n_constants);
    for (const Expression* operand : operands) {
        const auto shift = static_cast<std::uint32_t>(result.constants.size());
        for (Node node : operand->nodes) {
            if (node.op == Op::Constant) node.index += shift;
            result.nodes.push_back(node);
        }
        result.constants.insert(result.constants.end(), operand->constants.begin(), operand->constants.end());
    }
    return std::move(result.push(op, static_cast<std::uint8_t>(operands.size())));
}

Expression Expression::apply(Op op, const Expression& a) {
    const Expression* operands[] = {&a};
    return apply(op, operands);
}

Expression Expression::apply(Op op, const Expression& a, const Expression& b) {
    const Expression* operands[] = {&a, &b};
    return apply(op, operands);
}

std::size_t Expression::operand(std::size_t i, std::size_t k) const noexcept {
    assert(k < nodes[i].arity);
    std::size_t child = i - 1;
    for (std::size_t later = nodes[i].arity - 1U; later > k; --later) child -= nodes[child].size;
    return child;
}

std::size_t Expression::constants_before(std::size_t i) const noexcept {
    while (i > 0) {
        --i;
        if (nodes[i].op == Op::Constant) return nodes[i].index + std::size_t{1};
    }
    return 0;
}

Expression Expression::subtree(std::size_t i) const {
    const std::size_t begin = begin_of(i);
    const std::size_t first = constants_before(begin);
    const std::size_t last = constants_before(i + 1);
    Expression result;
    result.nodes.assign(nodes.begin() + static_cast<std::ptrdiff_t>(begin),
                        nodes.begin() + static_cast<std::ptrdiff_t>(i + 1));
    result.constants.assign(constants.begin() + static_cast<std::ptrdiff_t>(first),
                            constants.begin() + static_cast<std::ptrdiff_t>(last));
    for (Node& node : result.nodes) {
        if (node.op == Op::Constant) node.index -= static_cast<std::uint32_t>(first);
    }
    return result;
}

void Expression::replace(std::size_t i, const Expression& with) {
    assert(this != &with && !with.nodes.empty());
    const std::size_t begin = begin_of(i);
    const std::size_t first = constants_before(begin);
    const std::size_t last = constants_before(i + 1);

    // Unsigned arithmetic that wraps is right here: the sums are in range again.
    const auto grows = static_cast<std::uint16_t>(with.nodes.size() - nodes[i].size);
    const auto more_constants = static_cast<std::uint32_t>(with.constants.size() - (last - first));
    for (std::size_t j = i + 1; j < nodes.size(); ++j) {
        if (begin_of(j) <= begin) nodes[j].size = static_cast<std::uint16_t>(nodes[j].size + grows);
    }
    splice(nodes, begin, i + 1, with.nodes);
    splice(constants, first, last, with.constants);

    const std::size_t end = begin + with.nodes.size();
    for (std::size_t j = begin; j < end; ++j) {
        if (nodes[j].op == Op::Constant) nodes[j].index += static_cast<std::uint32_t>(first);
    }
    for (std::size_t j = end; j < nodes.size(); ++j) {
        if (nodes[j].op == Op::Constant) nodes[j].index += more_constants;
    }
}

std::size_t Expression::n_features() const noexcept {
    std::size_t count = 0;
    for (const Node& node : nodes) {  // no branch: which nodes are features cannot be predicted
        count = std::max(count, node.op == Op::Feature ? node.index + std::size_t{1} : 0);
    }
    return count;
}

std::size_t Expression::depth() const noexcept {
    OperandStack<std::uint32_t> depths(nodes.size());
    std::uint32_t depth = 0;
    for (const Node& node : nodes) {
        depth = 0;
        for (const std::uint32_t operand : depths.pop(node.arity)) depth = std::max(depth, operand);
        depths.push(++depth);
    }
    return depth;
}

bool Expression::valid(const OperatorSet& operators, std::size_t n_features) const noexcept {
    if (nodes.empty() || nodes.size() > kMaxNodes) return false;
    std::size_t n_constants = 0;
    for (std::size_t i = 0; i < nodes.size(); ++i) {
        const Node& node = nodes[i];
        if (static_cast<std::size_t>(node.op) >= kFirstUserOp + operators.user().size()) return false;
        if (node.arity != operators.arity(node.op)) return false;
        if (node.op == Op::Constant) {
            if (node.index != n_constants++) return false;
        } else if (node.op == Op::Feature) {
            if (node.index >= n_features) return false;
        } else if (node.index != 0) {
            return false;
        }
        // The nodes before i have been checked, so their sizes may be trusted.
        std::size_t size = 1;
        for (std::uint8_t k = 0; k < node.arity; ++k) {
            if (size > i) return false;
            size += nodes[i - size].size;
        }
        if (node.size != size) return false;
    }
    return nodes.back().size == nodes.size() && constants.size() == n_constants;
}

bool operator==(const Expression& a, const Expression& b) noexcept {
    return a.nodes == b.nodes &&
           std::ranges::equal(a.constants, b.constants, [](double x, double y) { return bits_of(x) == bits_of(y); });
}

std::uint64_t structural_hash(const Expression& expression) noexcept {
    OperandStack<std::uint64_t> hashes(expression.nodes.size());
    std::uint64_t hash = 0;
    for (const Node& node : expression.nodes) {
        hash = combine(code(node.op), node.op == Op::Feature ? node.index : 0);
        const std::span<std::uint64_t> operands = hashes.pop(node.arity);
        if (detail::is_commutative(node.op) && operands[1] < operands[0]) std::swap(operands[0], operands[1]);
        for (const std::uint64_t operand : operands) hash = combine(hash, operand);
        hashes.push(hash);
    }
    return hash;
}

std::uint64_t exact_hash(const Expression& expression) noexcept {
    std::uint64_t hash = expression.nodes.size();
    for (const Node& node : expression.nodes) {
        hash = combine(hash, code(node.op) << 32 | (node.op == Op::Constant ? 0 : node.index));
    }
    for (const double value : expression.constants) hash = combine(hash, bits_of(value));
    return hash;
}

}  // namespace balmer
