// Random expressions for the property tests of every module: all operators, all shapes, seeded.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <limits>
#include <vector>

#include "balmer/core/rng.hpp"
#include "balmer/expr/operator_set.hpp"

namespace balmer::test {

/// What a random constant looks like.
enum class Constants : std::uint8_t {
    real,     ///< normal times a power of ten from 1e-3 to 1e3
    dyadic,   ///< k / 4 with |k| <= 16, often 0, 1 and -1: sums and products of a few are exact
    special,  ///< any bits: huge, tiny, infinite, NaN, -0 among them
};

struct RandomExpressionOptions {
    std::size_t max_nodes = 30;
    std::uint32_t n_features = 3;
    double leaf_is_constant = 0.4;
    Constants constants = Constants::real;
    std::vector<Op> operators = {};  ///< the ones to use; empty: the whole table and all of the set's own
};

inline double random_constant(Rng& rng, Constants kind) {
    if (kind == Constants::dyadic) {
        constexpr double kFrequent[] = {0, 1, -1, 2};
        return rng.below(2) == 0 ? kFrequent[rng.below(4)] : (static_cast<double>(rng.below(33)) - 16) / 4;
    }
    if (kind == Constants::special && rng.below(2) == 0) {
        constexpr double kInf = std::numeric_limits<double>::infinity();
        constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
        constexpr double kSpecial[] = {0.0,
                                       -0.0,
                                       1.0,
                                       -1.0,
                                       kInf,
                                       -kInf,
                                       kNan,
                                       5e-324,
                                       1e-310,
                                       1e-5,
                                       123456.,
                                       1e16,
                                       1e22,
                                       1.7976931348623157e308,
                                       -1e100,
                                       0.1,
                                       1. / 3,
                                       -2.5,
                                       2.2250738585072014e-308};
        return kSpecial[rng.below(std::size(kSpecial))];
    }
    constexpr double kScale[] = {1e-3, 1e-2, 0.1, 1, 10, 100, 1000};
    return rng.normal() * kScale[rng.below(std::size(kScale))];
}

/// A random expression of 1 to max_nodes nodes: the number is uniform, then the shape grows from the root, each operand
/// getting a uniform share of what is left.
inline Expression random_expression(Rng& rng, const RandomExpressionOptions& options = {},
                                    const OperatorSet& operators = OperatorSet::builtin()) {
    std::vector<Op> of_arity[kMaxArity + 1];
    const auto allow = [&](Op op) { of_arity[operators.arity(op)].push_back(op); };
    if (options.operators.empty()) {
        for (const OpInfo& row : operator_table()) allow(row.op);
        for (std::size_t k = 0; k < operators.user().size(); ++k) allow(static_cast<Op>(kFirstUserOp + k));
    } else {
        std::ranges::for_each(options.operators, allow);
    }

    Expression expression;
    const auto grow = [&](const auto& self, std::size_t n_nodes) -> void {
        // An operator must leave a node for each operand; arities weigh as many as their operators.
        std::size_t choices = 0;
        for (std::size_t arity = 1; arity <= kMaxArity && arity < n_nodes; ++arity) choices += of_arity[arity].size();
        if (choices == 0) {
            if (options.n_features == 0 || rng.uniform() < options.leaf_is_constant) {
                expression.push_constant(random_constant(rng, options.constants));
            } else {
                expression.push_feature(rng.below(options.n_features));
            }
            return;
        }
        std::size_t choice = rng.below(static_cast<std::uint32_t>(choices));
        std::size_t arity = 1;
        while (choice >= of_arity[arity].size()) choice -= of_arity[arity++].size();
        std::size_t left = n_nodes - 1;
        for (std::size_t k = arity; k > 1; --k) {
            const std::size_t share = 1 + rng.below(static_cast<std::uint32_t>(left - k + 1));
            self(self, share);
            left -= share;
        }
        self(self, left);
        expression.push(of_arity[arity][choice], static_cast<std::uint8_t>(arity));
    };
    grow(grow, 1 + rng.below(static_cast<std::uint32_t>(options.max_nodes)));
    return expression;
}

}  // namespace balmer::test
