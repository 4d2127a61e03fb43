#include "search/rewrite.hpp"

#include <algorithm>
#include <cmath>

#include "balmer/expr/simplify.hpp"
#include "search/compose.hpp"

namespace balmer::search {
namespace {

/// Multiplies the subtree that ends at `i` by `factor` through the constants it has. False if it cannot; then `e` may be changed.
bool absorb(Expression& e, std::size_t i, double factor) {
    if (!std::isfinite(factor) || factor == 0) return false;
    const Node node = e.nodes[i];
    const auto first = [&] { return e.operand(i, 0); };
    switch (node.op) {
        case Op::Constant:
            e.constants[node.index] *= factor;
            return std::isfinite(e.constants[node.index]);
        case Op::Add:
        case Op::Sub:
            return absorb(e, first(), factor) && absorb(e, e.operand(i, 1), factor);
        case Op::Neg:
            return absorb(e, first(), factor);
        case Op::Mul:
        case Op::Div: {
            Expression trial = e;
            if (absorb(trial, e.operand(i, 0), factor)) {
                e = std::move(trial);
                return true;
            }
            return absorb(e, e.operand(i, 1), node.op == Op::Mul ? factor : 1 / factor);
        }
        case Op::Inv:
            return absorb(e, first(), 1 / factor);
        case Op::Square:
            return factor > 0 && absorb(e, first(), std::sqrt(factor));
        case Op::Cube:
            return absorb(e, first(), balmer::apply(Op::Cbrt, factor));
        case Op::Sqrt:
            return factor > 0 && absorb(e, first(), factor * factor);
        case Op::Cbrt:
            return absorb(e, first(), factor * factor * factor);
        default:
            return false;
    }
}

Expression replaced(const Expression& e, std::size_t i, const Expression& with) {
    if (i == e.root()) return with;
    Expression out = e;
    out.replace(i, with);
    return out;
}

/// Takes the constant that stands beside or below the operand of node `i` into that operand; nothing if that cannot be.
Expression with_factor_absorbed(const Expression& e, std::size_t i, const Vocabulary& vocabulary) {
    const Node& node = e.nodes[i];
    if (node.op != Op::Mul && node.op != Op::Div) return {};
    for (const std::size_t k : {std::size_t{0}, std::size_t{1}}) {
        const std::size_t at = e.operand(i, k), other = e.operand(i, 1 - k);
        if (e.nodes[at].op != Op::Constant || e.nodes[other].op == Op::Constant) continue;
        const double c = e.constants[e.nodes[at].index];
        Expression operand = e.subtree(other);
        const bool below = node.op == Op::Div && k == 0;  // c / operand
        if (!absorb(operand, operand.root(), below || node.op == Op::Div ? 1 / c : c)) continue;
        return replaced(e, i, below ? vocabulary.reciprocal(operand) : operand);
    }
    return {};
}

/// Constants that had to be fitted.
std::size_t free_constants(const Expression& e) {
    return static_cast<std::size_t>(
        std::count_if(e.constants.begin(), e.constants.end(), [](double c) { return std::abs(c) != 1; }));
}

}  // namespace

Expression with_factors_absorbed(const Expression& e, const Vocabulary& vocabulary) {
    Expression best = e;
    for (bool again = true; again;) {
        again = false;
        for (std::size_t i = 0; i < best.size() && !again; ++i) {
            Expression next = with_factor_absorbed(best, i, vocabulary);
            if (next.nodes.empty()) continue;
            next = simplify(next, vocabulary.operators());
            const bool fewer = free_constants(next) < free_constants(best) || next.size() < best.size();
            if (!fewer || vocabulary.complexity(next) > vocabulary.complexity(best)) continue;
            best = std::move(next);
            again = true;
        }
    }
    return best;
}

std::vector<Expression> without_one_part(const Expression& e, const Vocabulary& vocabulary) {
    std::vector<Expression> found;
    for (std::size_t i = 0; i < e.size(); ++i) {
        const Node& node = e.nodes[i];
        const bool arithmetic = node.op == Op::Add || node.op == Op::Sub || node.op == Op::Mul || node.op == Op::Div;
        if (node.arity != 1 && !arithmetic && node.op != Op::Pow) continue;
        for (std::size_t k = 0; k < node.arity; ++k) {
            if (node.op == Op::Pow && k == 1) continue;  // a power becomes its base, never its exponent
            Expression part = e.subtree(e.operand(i, k));
            if (k == 1 && node.op == Op::Sub) part = vocabulary.negate(part);
            if (k == 1 && node.op == Op::Div) part = vocabulary.reciprocal(part);
            if (part.nodes.empty()) continue;
            Expression shorter = replaced(e, i, part);
            if (shorter.size() < e.size()) found.push_back(std::move(shorter));
        }
    }
    return found;
}

std::vector<Expression> with_one_factor(const Expression& e, double tolerance, const Vocabulary& vocabulary) {
    std::vector<Expression> found;
    for (std::size_t i = 0; i < e.size(); ++i) {
        if (e.nodes[i].op != Op::Add && e.nodes[i].op != Op::Sub) continue;
        Expression f = e.subtree(e.operand(i, 0)), g = e.subtree(e.operand(i, 1));
        const double a = take_factor(f);
        const double b = take_factor(g) * (e.nodes[i].op == Op::Sub ? -1 : 1);
        if (std::abs(a) == 1 || std::abs(std::abs(a) - std::abs(b)) > tolerance * std::abs(a)) continue;
        const Expression sum = (a < 0) == (b < 0) ? vocabulary.add(f, g) : vocabulary.subtract(f, g);
        const Expression product = vocabulary.scale(a, sum);
        if (product.nodes.empty()) continue;
        const Expression shorter = simplify(replaced(e, i, product), vocabulary.operators());
        if (shorter.size() < e.size()) found.push_back(shorter);
    }
    return found;
}

}  // namespace balmer::search
