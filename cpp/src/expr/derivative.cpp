#include "balmer/expr/derivative.hpp"

#include <array>
#include <cmath>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "balmer/core/error.hpp"
#include "balmer/expr/parse.hpp"
#include "balmer/expr/simplify.hpp"

namespace balmer {
namespace {

/// Nodes of a formula on the way to a result, before it is simplified.
constexpr std::size_t kMaxIntermediateNodes = 20'000;

/// How the columns da, db, dc call the operands and the value. More operands only user operators have.
enum Operand : std::uint32_t { kA, kB, kC, kValue, kOperandNames };
const std::array<std::string, kOperandNames> kNames = {"a", "b", "c", "y"};

void check_nodes(std::size_t nodes, std::size_t limit) {
    if (nodes > limit) {
        throw std::invalid_argument("the formula grows to more than " + std::to_string(limit) + " nodes");
    }
}

bool is_constant(const Expression& e) { return e.nodes.size() == 1 && e.nodes[0].op == Op::Constant; }
bool is_value(const Expression& e, double value) { return is_constant(e) && e.constants[0] == value; }

/// The operator over operands that are the top of `e`; folded if all are constants.
void push_folded(Expression& e, Op op, std::uint8_t arity) {
    const std::size_t first = e.nodes.size() - arity;
    bool constant = arity <= 3 && !OperatorSet::is_user(op);
    for (std::size_t i = first; constant && i < e.nodes.size(); ++i) constant = e.nodes[i].op == Op::Constant;
    if (constant) {
        const double* const c = e.constants.data() + e.constants.size() - arity;
        const double value = apply(op, c[0], arity > 1 ? c[1] : 0, arity > 2 ? c[2] : 0);
        if (std::isfinite(value)) {
            e.nodes.resize(first);
            e.constants.resize(e.constants.size() - arity);
            e.push_constant(value);
            return;
        }
    }
    e.push(op, arity);
}

void append(Expression& to, const Expression& part) {
    const auto shift = static_cast<std::uint32_t>(to.constants.size());
    for (Node node : part.nodes) {
        if (node.op == Op::Constant) node.index += shift;
        to.nodes.push_back(node);
    }
    to.constants.insert(to.constants.end(), part.constants.begin(), part.constants.end());
    check_nodes(to.nodes.size(), kMaxIntermediateNodes);
}

Expression join(Op op, const Expression& a, const Expression& b) {
    Expression result = a;
    append(result, b);
    push_folded(result, op, 2);
    return result;
}

/// Nothing stands for 0 that is known from the structure: 0 times infinity does not come up.
using Term = std::optional<Expression>;

/// The branches of a conditional formula, and its condition.
struct Branches {
    Expression condition;
    Term yes, no;
};

std::optional<Branches> branches(const Expression& e) {
    if (e.nodes.back().op != Op::IfElse) return std::nullopt;
    const auto term = [&](std::size_t k) {
        Expression branch = e.subtree(e.operand(e.root(), k));
        return is_value(branch, 0) ? Term() : Term(std::move(branch));
    };
    std::size_t condition = e.operand(e.root(), 0);
    if (e.nodes[condition].op == Op::Greater) {  // truth is a > 0 already: (a > 0) > 0 is a > 0
        const std::size_t right = e.operand(condition, 1);
        const bool against_zero = e.nodes[right].op == Op::Constant && e.constants[e.nodes[right].index] == 0;
        if (against_zero) condition = e.operand(condition, 0);
    }
    return Branches{e.subtree(condition), term(1), term(2)};
}

Term conditional(const Branches& b) {
    if (!b.yes && !b.no) return std::nullopt;
    const Expression zero = Expression::constant(0);
    Expression result = b.condition;
    append(result, b.yes ? *b.yes : zero);
    append(result, b.no ? *b.no : zero);
    result.push(Op::IfElse, 3);
    return result;
}

Term add(Term a, Term b) {
    if (!a) return b;
    if (!b) return a;
    // The two branches of a conditional formula come as two terms with the same condition.
    if (std::optional<Branches> left = branches(*a), right = branches(*b); left && right) {
        if (left->condition == right->condition) {
            return conditional({left->condition, add(std::move(left->yes), std::move(right->yes)),
                                add(std::move(left->no), std::move(right->no))});
        }
    }
    return join(Op::Add, *a, *b);
}

Term multiply(Term a, Term b) {
    if (!a || !b) return std::nullopt;
    // Into the branches: where(c, 1, 0) * b would be NaN where the branch that is not taken is infinite.
    if (const std::optional<Branches> of = branches(*a)) {
        if ((!of->yes || is_constant(*of->yes)) && (!of->no || is_constant(*of->no))) {
            return conditional({of->condition, multiply(of->yes, b), multiply(of->no, b)});
        }
    }
    if (is_value(*a, 1)) return b;
    if (is_value(*b, 1)) return a;
    if (is_value(*a, -1) && !is_constant(*b)) {
        b->push(Op::Neg, 1);
        return b;
    }
    if (is_value(*b, -1) && !is_constant(*a)) {
        a->push(Op::Neg, 1);
        return a;
    }
    return join(Op::Mul, *a, *b);
}

Expression substitute_within(const Expression& body, std::span<const Expression* const> arguments, std::size_t limit) {
    Expression result;
    for (const Node& node : body.nodes) {
        switch (node.op) {
            case Op::Constant:
                result.push_constant(body.constants[node.index]);
                break;
            case Op::Feature:
                append(result, *arguments[node.index]);
                break;
            default:
                push_folded(result, node.op, node.arity);
                // x ^ (2 - 1) comes from the derivative of x ^ 2.
                if (node.op == Op::Pow && result.nodes.back().op == Op::Pow &&
                    result.nodes[result.nodes.size() - 2].op == Op::Constant && result.constants.back() == 1) {
                    result.nodes.resize(result.nodes.size() - 2);
                    result.constants.pop_back();
                }
        }
        check_nodes(result.nodes.size(), limit);
    }
    return result;
}

/// The column of the table for operand k, over a, b, c and y.
Expression table_derivative(Op op, std::size_t k) {
    const OpInfo& row = info(op);
    const std::string_view text = k == 0 ? row.da : k == 1 ? row.db : row.dc;
    try {
        return parse(text, kNames);
    } catch (const ParseError&) {
        throw std::invalid_argument("the operator " + std::string(row.name) + " has no derivative as a formula: " +
                                    std::string(text) + " holds a function that is no operator");
    }
}

/// The formula of a user operator. Throws std::invalid_argument if it has none.
const Expression& body_of(Op op, const OperatorSet& operators) {
    const UserOperator& user = operators.user(op);
    if (user.is_compiled()) {
        throw std::invalid_argument("the operator " + user.name +
                                    " is compiled code, which has no formula: define it as text where one is needed");
    }
    return user.body;
}

Term differentiate(const Expression& expression, std::uint32_t feature, const OperatorSet& operators);

/// d (operator `i` of the expression) / d (its operand k), over the operands themselves.
Term partial(const Expression& expression, std::size_t i, std::size_t k, const OperatorSet& operators) {
    const Node& node = expression.nodes[i];
    Term rule = OperatorSet::is_user(node.op)
                    ? differentiate(body_of(node.op, operators), static_cast<std::uint32_t>(k), operators)
                    : table_derivative(node.op, k);
    if (!rule || is_value(*rule, 0)) return std::nullopt;
    std::array<Expression, kMaxArity + 1> operands;
    std::array<const Expression*, kMaxArity + 1> arguments{};
    for (std::size_t j = 0; j < node.arity; ++j) {
        operands[j] = expression.subtree(expression.operand(i, j));
        arguments[j] = &operands[j];
    }
    if (!OperatorSet::is_user(node.op)) {
        operands[kMaxArity] = expression.subtree(i);
        arguments[kValue] = &operands[kMaxArity];
    }
    return substitute_within(*rule, arguments, kMaxIntermediateNodes);
}

Term differentiate(const Expression& expression, std::uint32_t feature, const OperatorSet& operators) {
    std::vector<Term> slopes(expression.nodes.size());
    for (std::size_t i = 0; i < expression.nodes.size(); ++i) {
        const Node& node = expression.nodes[i];
        if (node.op == Op::Feature && node.index == feature) slopes[i] = Expression::constant(1);
        for (std::size_t k = 0; k < node.arity; ++k) {
            Term& inner = slopes[expression.operand(i, k)];
            if (inner)
                slopes[i] = add(std::move(slopes[i]), multiply(partial(expression, i, k, operators), std::move(inner)));
        }
    }
    return std::move(slopes.back());
}

}  // namespace

Expression derivative(const Expression& expression, std::uint32_t feature, const OperatorSet& operators) {
    const Term result = differentiate(expression, feature, operators);
    if (!result) return Expression::constant(0);
    check_nodes(result->nodes.size(), kMaxNodes);
    return simplify(*result, operators);
}

Expression substitute(const Expression& body, std::span<const Expression* const> arguments) {
    return substitute_within(body, arguments, kMaxNodes);
}

Expression expand(const Expression& expression, const OperatorSet& operators) {
    std::vector<Expression> stack;
    for (const Node& node : expression.nodes) {
        if (node.op == Op::Constant) {
            stack.push_back(Expression::constant(expression.constants[node.index]));
            continue;
        }
        if (node.op == Op::Feature) {
            stack.push_back(Expression::feature(node.index));
            continue;
        }
        std::array<const Expression*, kMaxArity> operands{};
        const std::size_t first = stack.size() - node.arity;
        for (std::size_t k = 0; k < node.arity; ++k) operands[k] = &stack[first + k];
        const std::span<const Expression* const> arguments(operands.data(), node.arity);
        Expression result = OperatorSet::is_user(node.op)
                                ? substitute(expand(body_of(node.op, operators), operators), arguments)
                                : Expression::apply(node.op, arguments);
        check_nodes(result.nodes.size(), kMaxNodes);
        stack.resize(first);
        stack.push_back(std::move(result));
    }
    return std::move(stack.back());
}

}  // namespace balmer
