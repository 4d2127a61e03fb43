// Losses that were computed lately, so that the same expression is not evaluated twice.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <vector>

#include "balmer/expr/expression.hpp"

namespace balmer {

/// A small table from the hash of a candidate (structure and constants) to its loss over the rows of this iteration; a
/// newer entry takes an older one's place. An answer is what an evaluation would have given, so that results do not depend
/// on what the table holds; only the number of evaluations does, and so it is cleared before each island's iteration.
class LossTable {
   public:
    LossTable() : entries_(kEntries) {}

    /// Forgets all: what was inserted in an earlier generation does not count.
    void clear() noexcept {
        if (++generation_ == 0) {
            for (Entry& entry : entries_) entry = {};
            generation_ = 1;
        }
    }

    /// Hash of the nodes and constants as they stand. Two lanes, so that one multiplication need not wait for the other.
    [[nodiscard]] static std::uint64_t key(std::span<const Expression> roles) noexcept {
        std::uint64_t lanes[2] = {0x9e3779b97f4a7c15U, 0xc2b2ae3d27d4eb4fU};
        const auto add = [](std::uint64_t& lane, std::uint64_t word) {
            lane = (lane ^ word) * 0xff51afd7ed558ccdU;
            lane ^= lane >> 32;
        };
        for (const Expression& role : roles) {
            for (std::size_t i = 0; i < role.size(); ++i)
                add(lanes[i & 1], std::bit_cast<std::uint64_t>(role.nodes[i]));
            for (std::size_t i = 0; i < role.constants.size(); ++i) {
                add(lanes[i & 1], std::bit_cast<std::uint64_t>(role.constants[i]));
            }
        }
        add(lanes[0], lanes[1]);
        return lanes[0];
    }

    /// The loss, infinity if it is known to be above `bound`, or nullopt.
    [[nodiscard]] std::optional<double> find(std::uint64_t key, double bound) const noexcept {
        const Entry& entry = entries_[key % kEntries];
        if (entry.key != key || entry.generation != generation_) return std::nullopt;
        if (entry.is_bound && entry.loss < bound) return std::nullopt;
        return entry.is_bound ? std::numeric_limits<double>::infinity() : entry.loss;
    }

    /// Remembers the outcome of an evaluation under that bound.
    void insert(std::uint64_t key, double loss, double bound) noexcept {
        const bool is_bound = loss == std::numeric_limits<double>::infinity();
        entries_[key % kEntries] = {key, is_bound ? bound : loss, generation_, is_bound};
    }

   private:
    static constexpr std::size_t kEntries = 4096;
    struct Entry {
        std::uint64_t key = 0;
        double loss = 0;
        std::uint32_t generation = 0;  // of an empty one
        bool is_bound = false;
    };
    std::vector<Entry> entries_;
    std::uint32_t generation_ = 1;
};

}  // namespace balmer
