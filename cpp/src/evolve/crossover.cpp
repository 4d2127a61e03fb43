#include "balmer/evolve/crossover.hpp"

#include "evolve/assembly.hpp"

namespace balmer {

namespace {

/// `host` with the subtree `donor[j]` in the place of `host[i]`.
void graft(const Expression& host, std::size_t i, const Expression& donor, std::size_t j, Expression& child) {
    Assembly out(child, host.size() + donor.nodes[j].size);
    out.before(host, i);
    out.subtree(donor, j);
    out.after(host, i);
}

}  // namespace

void cross(const Expression& a, const Expression& b, Rng& rng, Expression& child_a, Expression& child_b) {
    const std::size_t i = rng.below(static_cast<std::uint32_t>(a.size()));
    const std::size_t j = rng.below(static_cast<std::uint32_t>(b.size()));
    graft(a, i, b, j, child_a);
    graft(b, j, a, i, child_b);
}

}  // namespace balmer
