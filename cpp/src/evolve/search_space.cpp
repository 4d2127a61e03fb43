#include "balmer/evolve/search_space.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace balmer {

namespace {

/// At least 1; so large that nothing allows it where it is no number.
int rounded(double complexity) noexcept {
    constexpr double kLargest = 1'000'000'000;
    return complexity < kLargest ? static_cast<int>(std::lround(std::max(complexity, 1.0)))
                                 : static_cast<int>(kLargest);
}

}  // namespace

SearchSpace::SearchSpace(const OperatorSet& operator_set, std::span<const Op> operators, std::size_t n_features,
                         SpaceLimits limits, std::vector<double> scales)
    : operator_set_(&operator_set),
      n_features_(n_features),
      limits_(std::move(limits)),
      scales_(std::move(scales)),
      operators_(operators.begin(), operators.end()),
      feature_weight_(n_features, 1.0) {
    for (const Op op : operators_) {
        const std::uint8_t arity = operator_set.arity(op);
        arity_[static_cast<std::size_t>(op)] = arity;
        by_arity_[arity].push_back(op);
    }
    const ComplexityOptions& complexity = limits_.complexity;
    op_weight_.fill(1.0);
    op_weight_[static_cast<std::size_t>(Op::Constant)] = complexity.of_constants;
    for (std::size_t code = kFirstOp; code < kFirstUserOp + operator_set.user().size(); ++code) {
        const bool given = code < complexity.of_operators.size() && !std::isnan(complexity.of_operators[code]);
        op_weight_[code] = given ? complexity.of_operators[code] : operator_set.complexity(static_cast<Op>(code));
    }
    if (!complexity.of_variables.empty()) {
        const bool one_for_all = complexity.of_variables.size() == 1;
        for (std::size_t j = 0; j < n_features; ++j) {
            feature_weight_[j] = complexity.of_variables[one_for_all ? 0 : j];
        }
    }
    const auto is_one = [](double weight) { return weight == 1; };
    every_node_counts_one_ = std::ranges::all_of(op_weight_, is_one) && std::ranges::all_of(feature_weight_, is_one);
}

double SearchSpace::weight(const Node& node) const noexcept {
    return node.op == Op::Feature ? feature_weight_[node.index] : op_weight_[static_cast<std::size_t>(node.op)];
}

int SearchSpace::complexity(const Expression& expression) const noexcept {
    if (limits_.complexity.mapping) return rounded(limits_.complexity.mapping(expression));
    if (every_node_counts_one_) return static_cast<int>(expression.size());
    double sum = 0;
    for (const Node& node : expression.nodes) sum += weight(node);
    return rounded(sum);
}

bool SearchSpace::allows(const Expression& expression, int complexity, int max_complexity) const noexcept {
    if (expression.size() > kMaxNodes || complexity > max_complexity) return false;
    if (!depth_fits(expression) || !arguments_fit(expression)) return false;
    const auto nests = [&](const NestedConstraint& c) { return nesting_fits(expression, c); };
    const auto sees = [&](const VariableConstraint& c) { return variables_fit(expression, c); };
    return std::ranges::all_of(limits_.nested, nests) && std::ranges::all_of(limits_.variables, sees);
}

bool SearchSpace::depth_fits(const Expression& expression) const noexcept {
    if (limits_.maxdepth <= 0 || expression.size() <= static_cast<std::size_t>(limits_.maxdepth)) return true;
    return expression.depth() <= static_cast<std::size_t>(limits_.maxdepth);
}

bool SearchSpace::arguments_fit(const Expression& expression) const noexcept {
    if (limits_.arguments.empty()) return true;
    std::array<double, kMaxNodes + 1> before;  // weight of the nodes before each
    before[0] = 0;
    for (std::size_t i = 0; i < expression.size(); ++i) before[i + 1] = before[i] + weight(expression.nodes[i]);
    for (std::size_t i = 0; i < expression.size(); ++i) {
        const Node& node = expression.nodes[i];
        for (const ArgumentConstraint& constraint : limits_.arguments) {
            if (constraint.op != node.op) continue;
            for (std::size_t k = 0; k < node.arity; ++k) {
                if (constraint.max_complexity[k] < 0) continue;
                const std::size_t operand = expression.operand(i, k);
                const double sum = before[operand + 1] - before[expression.begin_of(operand)];
                if (std::lround(sum) > constraint.max_complexity[k]) return false;
            }
        }
    }
    return true;
}

bool SearchSpace::nesting_fits(const Expression& expression, const NestedConstraint& constraint) const noexcept {
    std::array<int, kMaxNodes> nested;  // the most inner operators on a path from each node down, itself included
    for (std::size_t i = 0; i < expression.size(); ++i) {
        const Node& node = expression.nodes[i];
        int below = 0;
        std::size_t operand = i - 1;
        for (std::size_t k = 0; k < node.arity; ++k) {
            below = std::max(below, nested[operand]);
            operand -= expression.nodes[operand].size;
        }
        if (node.op == constraint.outer && below > constraint.max_depth) return false;
        nested[i] = below + (node.op == constraint.inner ? 1 : 0);
    }
    return true;
}

bool SearchSpace::variables_fit(const Expression& expression, const VariableConstraint& constraint) const noexcept {
    for (std::size_t i = 0; i < expression.size(); ++i) {
        if (expression.nodes[i].op != constraint.op) continue;
        for (std::size_t k = expression.begin_of(i); k < i; ++k) {
            const Node& node = expression.nodes[k];
            if (node.op != Op::Feature) continue;
            if (node.index >= constraint.allowed.size() || !constraint.allowed[node.index]) return false;
        }
    }
    return true;
}

}  // namespace balmer
