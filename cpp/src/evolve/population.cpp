#include "balmer/evolve/population.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

#include "balmer/expr/op.hpp"
#include "eval/dispatch.hpp"

namespace balmer {

double Ranking::key(const Candidate& candidate) const {
    // Not std::log: its last bit differs between machines. A loss of the user's may be 0 or negative: below all positive
    // ones (whose logarithms are above -745), and finite, so that rarity still counts.
    const double cost =
        candidate.cost > 0 ? eval::natural_log(candidate.cost) : -1000 - apply(Op::Log1p, -candidate.cost);
    return frequencies == nullptr ? cost : cost + scaling * frequencies->frequency(candidate.complexity);
}

Population::Population(std::vector<Candidate> members)
    : members_(std::move(members)), keys_(members_.size()), order_(members_.size()) {
    std::iota(order_.begin(), order_.end(), 0U);
    by_age_ = order_;
    std::ranges::stable_sort(by_age_, {}, [&](std::uint32_t slot) { return members_[slot].birth; });
    for (const Candidate& member : members_) births_ = std::max(births_, member.birth);
}

void Population::make_youngest(std::size_t slot) noexcept {
    members_[slot].birth = ++births_;
    const auto at = std::ranges::find(by_age_, static_cast<std::uint32_t>(slot));
    std::rotate(at, at + 1, by_age_.end());
}

void Population::replace(std::size_t slot, Candidate& newborn, const Ranking& ranking) {
    std::swap(members_[slot], newborn);
    make_youngest(slot);
    update(slot, ranking);
}

void Population::copy_into(std::size_t slot, const Candidate& newborn, const Ranking& ranking) {
    if (&members_[slot] != &newborn) members_[slot] = newborn;
    make_youngest(slot);
    update(slot, ranking);
}

void Population::update(std::size_t slot, const Ranking& ranking) {
    const double key = ranking.key(members_[slot]);
    keys_[slot] = key;
    std::size_t at = 0;
    while (order_[at] != slot) ++at;
    // Equal keys keep the order in which they came.
    for (; at > 0 && key < keys_[order_[at - 1]]; --at) order_[at] = order_[at - 1];
    for (; at + 1 < order_.size() && keys_[order_[at + 1]] <= key; ++at) order_[at] = order_[at + 1];
    order_[at] = static_cast<std::uint32_t>(slot);
}

void Population::rank(const Ranking& ranking) {
    for (std::size_t slot = 0; slot < members_.size(); ++slot) keys_[slot] = ranking.key(members_[slot]);
    std::ranges::sort(order_, [&](std::uint32_t a, std::uint32_t b) {
        return keys_[a] != keys_[b] ? keys_[a] < keys_[b] : members_[a].birth < members_[b].birth;
    });
}

}  // namespace balmer
