#include "balmer/search/pareto.hpp"

#include <algorithm>
#include <cstdint>
#include <limits>

namespace balmer {

namespace {

std::uint64_t hash_of(const Candidate& candidate) noexcept {
    std::uint64_t hash = 0;
    for (const Expression& role : candidate.roles) hash = hash * 0x9e3779b97f4a7c15U + exact_hash(role);
    return hash;
}

}  // namespace

Archive::Archive(int max_complexity)
    : best_(static_cast<std::size_t>(std::max(0, max_complexity)) + 1),
      losses_(best_.size(), std::numeric_limits<double>::infinity()) {}

bool Archive::offer(const Candidate& candidate) {
    if (candidate.complexity < 1 || candidate.complexity >= static_cast<int>(best_.size())) return false;
    const auto c = static_cast<std::size_t>(candidate.complexity);
    const bool better = candidate.loss < losses_[c];
    const bool tie = candidate.loss == losses_[c] && !best_[c].roles.empty();
    if (!better && !(tie && hash_of(candidate) < hash_of(best_[c]))) return false;
    best_[c] = candidate;
    losses_[c] = candidate.loss;
    return true;
}

const Candidate* Archive::at(int complexity) const noexcept {
    if (complexity < 1 || complexity >= static_cast<int>(best_.size())) return nullptr;
    const Candidate& candidate = best_[static_cast<std::size_t>(complexity)];
    return candidate.roles.empty() ? nullptr : &candidate;
}

std::vector<const Candidate*> Archive::front(double floor) const {
    std::vector<const Candidate*> front;
    double least = std::numeric_limits<double>::infinity();
    for (const Candidate& candidate : best_) {
        if (candidate.roles.empty() || !(candidate.loss < least)) continue;
        front.push_back(&candidate);
        least = candidate.loss;
        if (least <= floor) break;
    }
    return front;
}

}  // namespace balmer
