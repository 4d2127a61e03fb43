// A fixed number of candidates, ranked for tournaments, the oldest of which make room for the newborn.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "balmer/evolve/candidate.hpp"
#include "balmer/evolve/selection.hpp"

namespace balmer {

/// How a member's cost and complexity make its rank.
struct Ranking {
    const FrequencyStatistics* frequencies = nullptr;  ///< null: the cost alone
    double scaling = 0;

    /// Logarithm of cost * exp(scaling * frequency of its complexity): the same order, without overflow.
    [[nodiscard]] double key(const Candidate& candidate) const;
};

class Population {
   public:
    Population() = default;
    /// Takes the members; `rank` must follow.
    explicit Population(std::vector<Candidate> members);

    [[nodiscard]] std::size_t size() const noexcept { return members_.size(); }
    [[nodiscard]] const Candidate& operator[](std::size_t slot) const noexcept { return members_[slot]; }
    /// For changes in place; `update` or `rank` must follow if the cost or the complexity changed.
    [[nodiscard]] Candidate& at(std::size_t slot) noexcept { return members_[slot]; }

    /// The slot of the member of that rank, 0 the best.
    [[nodiscard]] std::size_t ranked(std::size_t rank) const noexcept { return order_[rank]; }
    /// The slot of the member that was born first.
    [[nodiscard]] std::size_t oldest() const noexcept { return by_age_.front(); }

    /// Puts `newborn` into the slot and gives it the old member's storage in exchange. Gives the newborn its number.
    void replace(std::size_t slot, Candidate& newborn, const Ranking& ranking);
    /// As `replace`, but copies.
    void copy_into(std::size_t slot, const Candidate& newborn, const Ranking& ranking);
    /// Gives a member that was changed in place its new rank.
    void update(std::size_t slot, const Ranking& ranking);
    void make_youngest(std::size_t slot) noexcept;

    /// Ranks all members anew.
    void rank(const Ranking& ranking);

    [[nodiscard]] std::uint64_t births() const noexcept { return births_; }
    void set_births(std::uint64_t births) noexcept { births_ = births; }

   private:
    std::vector<Candidate> members_;
    std::vector<double> keys_;           // by slot
    std::vector<std::uint32_t> order_;   // slots by rising key
    std::vector<std::uint32_t> by_age_;  // slots, that of the oldest first
    std::uint64_t births_ = 0;
};

}  // namespace balmer
