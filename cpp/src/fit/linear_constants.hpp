// Which constants enter an expression linearly.
#pragma once

#include <bitset>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "balmer/expr/operator_set.hpp"

namespace balmer::fit {

/// Finds constants in which an expression is jointly affine when all others are held: the scales and offsets of a sum of
/// terms. Reads through the user's operators. A constant may stand in several places, there and in what a Template composes.
///
/// Of the factors of a product only one side can contribute: that with more of them; of equal ones a bare constant. For
/// expressions where each constant stands once the set is a largest one.
class LinearConstants {
   public:
    /// linear[k] is set for the constants of the set, out of the first `n_constants`; the others count as numbers. A call
    /// that needs no more memory than an earlier one allocates nothing.
    void find(const Expression& expression, const OperatorSet& operators, std::size_t n_constants,
              std::vector<bool>& linear);

   private:
    /// A subtree as a function of the constants: affine in `linear` when those in `other` are held.
    template <class Set>
    struct Reading {
        Set linear{}, other{};
        bool bare = false;  // a constant alone
    };

    template <class Set>
    static void read(const Expression& expression, const OperatorSet& operators, std::size_t n_constants,
                     const Reading<Set>* arguments, std::vector<Reading<Set>>& stack);

    std::vector<Reading<std::uint64_t>> stack_;  // for up to 64 constants: nearly always
    std::vector<Reading<std::bitset<kMaxNodes>>> wide_stack_;
};

}  // namespace balmer::fit
