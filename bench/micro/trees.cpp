#include "trees.hpp"

#include <iterator>

namespace balmer::bench {
namespace {

constexpr Op kBinary[] = {Op::Add, Op::Sub, Op::Mul, Op::Div};
constexpr Op kUnary[] = {Op::Sin, Op::Cos, Op::Exp, Op::Log, Op::Sqrt, Op::Tanh};

void grow(Rng& rng, std::size_t size, Set set, std::uint32_t n_features, Expression& out) {
    if (size == 1) {
        if (rng.uniform() < 0.3) {
            out.push_constant(rng.normal());
        } else {
            out.push_feature(rng.below(n_features));
        }
        return;
    }
    const bool full = set == Set::full;
    const std::uint32_t n_unary = full ? static_cast<std::uint32_t>(std::size(kUnary)) : 0;
    const std::uint32_t n_binary = size >= 3 ? static_cast<std::uint32_t>(std::size(kBinary)) : 0;
    const std::uint32_t choice = rng.below(n_unary + n_binary);
    if (choice < n_unary) {
        grow(rng, size - 1, set, n_features, out);
        out.push(kUnary[choice], 1);
        return;
    }
    const std::uint32_t rest = static_cast<std::uint32_t>(size) - 1;
    // Without unary operators only odd sizes can be had.
    const std::size_t left = full ? 1 + rng.below(rest - 1) : 2 * rng.below(rest / 2) + 1;
    grow(rng, left, set, n_features, out);
    grow(rng, rest - left, set, n_features, out);
    out.push(kBinary[choice - n_unary], 2);
}

}  // namespace

std::string_view name(Set set) noexcept { return set == Set::full ? "full" : "arith"; }

Expression random_tree(Rng& rng, std::size_t size, Set set, std::uint32_t n_features) {
    Expression tree;
    grow(rng, set == Set::full || size % 2 == 1 ? size : size + 1, set, n_features, tree);
    return tree;
}

std::vector<Expression> random_trees(Set set, std::size_t count, std::uint64_t seed) {
    Rng rng(seed, 0);
    std::vector<Expression> trees;
    for (std::size_t i = 0; i < count; ++i) {
        trees.push_back(random_tree(rng, 5 + rng.below(46), set));
    }
    return trees;
}

std::size_t count_nodes(const std::vector<Expression>& trees) {
    std::size_t nodes = 0;
    for (const Expression& tree : trees) {
        nodes += tree.size();
    }
    return nodes;
}

}  // namespace balmer::bench
