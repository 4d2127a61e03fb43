// Values of expressions, one row and one node at a time: the oracle that shares nothing with the evaluator.
#pragma once

#include <cmath>
#include <span>
#include <vector>

#include "balmer/core/rng.hpp"
#include "balmer/expr/operator_set.hpp"

namespace balmer::test {

struct Walk {
    double value;
    bool saw_infinity;  ///< some node's value was infinite
};

/// The value of `expression` for one row of features. With `noise` > 0 each node's value is moved by a random relative
/// error of that size: what the value does then shows how much rounding may do to it.
inline Walk walk(const Expression& expression, std::span<const double> features, const OperatorSet& operators,
                 double noise = 0, Rng* rng = nullptr) {
    std::vector<double> stack;
    bool saw_infinity = false;
    for (const Node& node : expression.nodes) {
        double value = 0;
        if (node.op == Op::Constant) {
            value = expression.constants[node.index];
        } else if (node.op == Op::Feature) {
            value = features[node.index];
        } else {
            const std::size_t first = stack.size() - node.arity;
            const std::vector<double> operands(stack.begin() + static_cast<std::ptrdiff_t>(first), stack.end());
            stack.resize(first);
            if (OperatorSet::is_user(node.op)) {
                const Walk inner = walk(operators.user(node.op).body, operands, operators, noise, rng);
                value = inner.value;
                saw_infinity = saw_infinity || inner.saw_infinity;
            } else {
                value = apply(node.op, operands[0], operands.size() > 1 ? operands[1] : 0,
                              operands.size() > 2 ? operands[2] : 0);
            }
        }
        if (noise > 0) value *= 1 + noise * (2 * rng->uniform() - 1);
        saw_infinity = saw_infinity || std::isinf(value);
        stack.push_back(value);
    }
    return {stack.back(), saw_infinity};
}

inline double value_at(const Expression& expression, std::span<const double> features,
                       const OperatorSet& operators = OperatorSet::builtin()) {
    return walk(expression, features, operators).value;
}

}  // namespace balmer::test
