#include "balmer/evolve/mutation.hpp"

#include <algorithm>
#include <utility>

#include "evolve/assembly.hpp"

namespace balmer {

namespace {

constexpr std::size_t kNone = static_cast<std::size_t>(-1);

/// A node drawn uniformly among those that `is` accepts; kNone if there is none.
template <class Predicate>
std::size_t random_node(const Expression& expression, Rng& rng, Predicate is) {
    std::array<std::uint16_t, kMaxNodes + 1> accepted;  // NOLINT: filled as far as it is read
    std::uint32_t count = 0;
    for (std::size_t i = 0; i < expression.size(); ++i) {
        accepted[count] = static_cast<std::uint16_t>(i);  // over it goes the next, if this one is not
        count += is(i) ? 1U : 0U;
    }
    return count == 0 ? kNone : accepted[rng.below(count)];
}

Op random_op(std::span<const Op> operators, Rng& rng) noexcept {
    return operators[rng.below(static_cast<std::uint32_t>(operators.size()))];
}

void copy(const Expression& source, Expression& out) {
    out.nodes = source.nodes;
    out.constants = source.constants;
}

}  // namespace

std::string_view name(Mutation mutation) noexcept {
    constexpr std::array<std::string_view, kMutations> kNames = {
        "mutate_constant", "mutate_operator", "mutate_feature", "swap_operands", "rotate_tree",
        "add_node",        "insert_node",     "delete_node",    "randomize",     "simplify",
        "do_nothing",      "optimize",        "backsolve"};
    return kNames[static_cast<std::size_t>(mutation)];
}

MutationTable as_table(const MutationWeights& w) noexcept {
    return {w.mutate_constant, w.mutate_operator, w.mutate_feature, w.swap_operands, w.rotate_tree,
            w.add_node,        w.insert_node,     w.delete_node,    w.randomize,     w.simplify,
            w.do_nothing,      w.optimize,        w.backsolve};
}

Mutator::Mutator(const SearchSpace& space, const EvolutionOptions& options)
    : space_(&space),
      weights_(as_table(options.weights)),
      perturbation_factor_(options.perturbation_factor),
      probability_negate_(options.probability_negate_constant),
      scaled_constants_(options.scaled_constants),
      should_simplify_(options.should_simplify) {
    if (!options.should_optimize_constants) weights_[static_cast<std::size_t>(Mutation::optimize)] = 0;
    if (space.operators().empty()) {
        for (const Mutation m : {Mutation::add_node, Mutation::insert_node, Mutation::mutate_operator}) {
            weights_[static_cast<std::size_t>(m)] = 0;
        }
    }
}

MutationTable Mutator::conditioned(const Expression& parent, int complexity, int max_complexity) const noexcept {
    MutationTable weights = weights_;
    const auto weight = [&weights](Mutation m) -> double& { return weights[static_cast<std::size_t>(m)]; };
    const std::size_t constants = parent.constants.size();
    if (parent.size() == 1) {
        for (const Mutation m : {Mutation::mutate_operator, Mutation::swap_operands, Mutation::delete_node,
                                 Mutation::simplify, Mutation::rotate_tree, Mutation::backsolve}) {
            weight(m) = 0;
        }
    } else {
        const bool can_swap = std::ranges::any_of(parent.nodes, [](const Node& node) { return node.arity >= 2; });
        if (!can_swap) weight(Mutation::swap_operands) = 0;
        if (parent.size() == parent.nodes.back().arity + 1U) weight(Mutation::rotate_tree) = 0;
    }
    weight(Mutation::mutate_constant) *= static_cast<double>(std::min<std::size_t>(8, constants)) / 8.0;
    if (constants == 0) weight(Mutation::optimize) = 0;
    const bool has_feature = std::ranges::any_of(parent.nodes, [](const Node& n) { return n.op == Op::Feature; });
    if (space_->n_features() < 2 || !has_feature) weight(Mutation::mutate_feature) = 0;
    if (complexity >= max_complexity) weight(Mutation::add_node) = weight(Mutation::insert_node) = 0;
    if (!should_simplify_) weight(Mutation::simplify) = 0;
    return weights;
}

bool Mutator::apply(Mutation mutation, const Expression& parent, double temperature, int max_complexity, Rng& rng,
                    Expression& child) const {
    switch (mutation) {
        case Mutation::mutate_constant:
            return mutate_constant(parent, temperature, rng, child);
        case Mutation::mutate_operator:
            return mutate_operator(parent, rng, child);
        case Mutation::mutate_feature:
            return mutate_feature(parent, rng, child);
        case Mutation::swap_operands:
            return swap_operands(parent, rng, child);
        case Mutation::rotate_tree:
            return rotate_tree(parent, rng, child);
        case Mutation::add_node:
            return add_node(parent, rng, child);
        case Mutation::insert_node:
            return insert_above(parent, rng.below(static_cast<std::uint32_t>(parent.size())), rng, child);
        case Mutation::delete_node:
            return delete_node(parent, rng, child);
        case Mutation::randomize: {
            const auto size = 1 + rng.below(static_cast<std::uint32_t>(std::max(1, max_complexity)));
            copy(random_expression_of_size(std::min<std::size_t>(size, kMaxNodes), rng), child);
            return true;
        }
        default:
            return false;
    }
}

double Mutator::random_constant(Rng& rng) const noexcept {
    double value = rng.normal();
    const std::span<const double> scales = space_->scales();
    if (!scales.empty() && rng.uniform() < scaled_constants_) {
        value *= scales[rng.below(static_cast<std::uint32_t>(scales.size()))];
    }
    return value;
}

namespace {

void push_random_leaf(Assembly& out, const SearchSpace& space, const Mutator& mutator, Rng& rng) {
    if (space.n_features() == 0 || rng.uniform() < 0.5) {
        out.constant(mutator.random_constant(rng));
    } else {
        out.feature(rng.below(static_cast<std::uint32_t>(space.n_features())));
    }
}

}  // namespace

bool Mutator::mutate_constant(const Expression& parent, double temperature, Rng& rng, Expression& child) const {
    if (parent.constants.empty()) return false;
    copy(parent, child);
    double& value = child.constants[rng.below(static_cast<std::uint32_t>(child.constants.size()))];
    if (value == 0) {  // no factor leads away from 0
        value = random_constant(rng);
        return true;
    }
    const double largest = perturbation_factor_ * temperature + 1.1;
    const double factor = balmer::apply(Op::Pow, largest, rng.uniform());
    value = rng.uniform() < 0.5 ? value * factor : value / factor;
    if (rng.uniform() < probability_negate_) value = -value;
    return true;
}

bool Mutator::mutate_operator(const Expression& parent, Rng& rng, Expression& child) const {
    const std::size_t i = random_node(parent, rng, [&](std::size_t k) {
        const Node& node = parent.nodes[k];
        return node.arity > 0 && space_->operators_of_arity(node.arity).size() > 1;
    });
    if (i == kNone) return false;
    copy(parent, child);
    Node& node = child.nodes[i];
    const std::span<const Op> choice = space_->operators_of_arity(node.arity);
    // One of the others: a birth that changes nothing is wasted. (A guess may hold an operator outside the choice.)
    const auto own = static_cast<std::size_t>(std::ranges::find(choice, node.op) - choice.begin());
    if (own == choice.size()) {
        node.op = random_op(choice, rng);
    } else {
        const std::size_t other = rng.below(static_cast<std::uint32_t>(choice.size() - 1));
        node.op = choice[other < own ? other : other + 1];
    }
    return true;
}

bool Mutator::mutate_feature(const Expression& parent, Rng& rng, Expression& child) const {
    if (space_->n_features() < 2) return false;
    const std::size_t i = random_node(parent, rng, [&](std::size_t k) { return parent.nodes[k].op == Op::Feature; });
    if (i == kNone) return false;
    copy(parent, child);
    const std::uint32_t other = rng.below(static_cast<std::uint32_t>(space_->n_features() - 1));
    child.nodes[i].index = other < child.nodes[i].index ? other : other + 1;
    return true;
}

bool Mutator::swap_operands(const Expression& parent, Rng& rng, Expression& child) const {
    const std::size_t i = random_node(parent, rng, [&](std::size_t k) { return parent.nodes[k].arity >= 2; });
    if (i == kNone) return false;
    const std::uint32_t arity = parent.nodes[i].arity;
    std::array<std::uint32_t, kMaxArity> order{};
    for (std::uint32_t k = 0; k < arity; ++k) order[k] = k;
    const std::uint32_t first = rng.below(arity - 1);
    const std::uint32_t second = first + 1 + rng.below(arity - 1 - first);
    std::swap(order[first], order[second]);
    Assembly out(child, parent.size());
    out.before(parent, i);
    for (std::uint32_t k = 0; k < arity; ++k) out.subtree(parent, parent.operand(i, order[k]));
    out.op(parent.nodes[i].op, parent.nodes[i].arity);
    out.after(parent, i);
    return true;
}

/// An operator child (the pivot) takes the place of its parent (the root), which becomes the child of the pivot in the
/// place of one of the pivot's operands; that operand becomes the root's in the place of the pivot.
bool Mutator::rotate_tree(const Expression& parent, Rng& rng, Expression& child) const {
    const Node* const nodes = parent.nodes.data();
    const auto is_inner = [nodes](std::size_t i) { return nodes[i].arity > 0 ? 1U : 0U; };
    const auto inner_operands = [&](std::size_t i) {  // without branches up to two operands
        const std::size_t arity = nodes[i].arity, one = arity > 0, two = arity > 1;
        std::size_t operand = i - one;
        std::uint32_t count = is_inner(operand);
        operand -= nodes[operand].size & (0 - two);
        count += is_inner(operand) & static_cast<std::uint32_t>(two);
        for (std::size_t k = 2; k < arity; ++k) {
            operand -= nodes[operand].size;
            count += is_inner(operand);
        }
        return count;
    };
    const std::size_t root = random_node(parent, rng, [&](std::size_t i) { return inner_operands(i) > 0; });
    if (root == kNone) return false;
    std::uint32_t chosen = rng.below(inner_operands(root));
    std::size_t pivot_at = 0;
    while (parent.nodes[parent.operand(root, pivot_at)].arity == 0 || chosen-- > 0) ++pivot_at;
    const std::size_t pivot = parent.operand(root, pivot_at);
    const std::size_t moved_at = rng.below(parent.nodes[pivot].arity);

    Assembly out(child, parent.size());
    out.before(parent, root);
    for (std::size_t k = 0; k < parent.nodes[pivot].arity; ++k) {
        if (k != moved_at) {
            out.subtree(parent, parent.operand(pivot, k));
            continue;
        }
        for (std::size_t m = 0; m < parent.nodes[root].arity; ++m) {
            out.subtree(parent, m == pivot_at ? parent.operand(pivot, moved_at) : parent.operand(root, m));
        }
        out.op(parent.nodes[root].op, parent.nodes[root].arity);
    }
    out.op(parent.nodes[pivot].op, parent.nodes[pivot].arity);
    out.after(parent, root);
    return true;
}

/// A random operator over random leaves in the place of a random leaf.
bool Mutator::grow_leaf(const Expression& parent, std::size_t max_arity, Rng& rng, Expression& child) const {
    std::array<Op, 256> choice;  // NOLINT: filled as far as it is read
    std::size_t choices = 0;
    for (const Op op : space_->operators()) {
        if (space_->arity(op) <= max_arity) choice[choices++] = op;
    }
    if (choices == 0) return false;
    const std::size_t leaf = random_node(parent, rng, [&](std::size_t i) { return parent.nodes[i].is_leaf(); });
    const Op op = random_op(std::span<const Op>(choice.data(), choices), rng);
    Assembly out(child, parent.size() + space_->arity(op));
    out.before(parent, leaf);
    for (std::size_t k = 0; k < space_->arity(op); ++k) push_random_leaf(out, *space_, *this, rng);
    out.op(op, space_->arity(op));
    out.after(parent, leaf);
    return true;
}

/// The subtree at `node` becomes an operand of a new operator, whose other operands are random leaves.
bool Mutator::insert_above(const Expression& parent, std::size_t node, Rng& rng, Expression& child) const {
    if (space_->operators().empty()) return false;
    const Op op = random_op(space_->operators(), rng);
    const std::uint8_t arity = space_->arity(op);
    const std::size_t at = rng.below(arity);
    Assembly out(child, parent.size() + arity);
    out.before(parent, node);
    for (std::size_t k = 0; k < arity; ++k) {
        if (k == at) {
            out.subtree(parent, node);
        } else {
            push_random_leaf(out, *space_, *this, rng);
        }
    }
    out.op(op, arity);
    out.after(parent, node);
    return true;
}

bool Mutator::add_node(const Expression& parent, Rng& rng, Expression& child) const {
    return rng.uniform() < 0.5 ? grow_leaf(parent, kMaxArity, rng, child)
                               : insert_above(parent, parent.root(), rng, child);
}

bool Mutator::delete_node(const Expression& parent, Rng& rng, Expression& child) const {
    const std::size_t i = random_node(parent, rng, [&](std::size_t k) { return parent.nodes[k].arity > 0; });
    if (i == kNone) return false;
    const std::size_t kept = parent.operand(i, rng.below(parent.nodes[i].arity));
    Assembly out(child, parent.size());
    out.before(parent, i);
    out.subtree(parent, kept);
    out.after(parent, i);
    return true;
}

Expression Mutator::random_leaf(Rng& rng) const {
    Expression leaf;
    Assembly out(leaf, 1);
    push_random_leaf(out, *space_, *this, rng);
    return leaf;
}

Expression Mutator::random_expression(int growths, Rng& rng) const {
    Expression now = random_leaf(rng), next;
    for (int k = 0; k < growths && grow_leaf(now, kMaxArity, rng, next); ++k) std::swap(now, next);
    return now;
}

Expression Mutator::random_expression_of_size(std::size_t size, Rng& rng) const {
    Expression now = random_leaf(rng), next;
    while (now.size() < size && grow_leaf(now, std::min(kMaxArity, size - now.size()), rng, next)) {
        std::swap(now, next);
    }
    return now;
}

}  // namespace balmer
