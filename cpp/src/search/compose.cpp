#include "search/compose.hpp"

#include <algorithm>
#include <cmath>

namespace balmer::search {
namespace {

constexpr double kSame = 1e-10;

double unit_or(double c) noexcept { return std::abs(std::abs(c) - 1) < kSame ? (c < 0 ? -1.0 : 1.0) : c; }

bool is_constant(const Expression& e) noexcept { return e.size() == 1 && e.nodes[0].op == Op::Constant; }

Expression product_of(std::span<const Expression> factors, const Vocabulary& vocabulary) {
    Expression all = factors[0];
    for (std::size_t k = 1; k < factors.size(); ++k) all = vocabulary.multiply(all, factors[k]);
    return all;
}

}  // namespace

double take_factor(Expression& e) {
    double factor = 1;
    while (!e.nodes.empty()) {
        const Node root = e.nodes.back();
        if (root.op == Op::Neg) {
            factor = -factor;
            e = e.subtree(e.operand(e.root(), 0));
            continue;
        }
        if (root.op != Op::Mul && root.op != Op::Div) break;
        const std::size_t a = e.operand(e.root(), 0), b = e.operand(e.root(), 1);
        if (e.nodes[b].op == Op::Constant) {
            const double c = e.constants.back();
            if (c == 0 || !std::isfinite(c)) break;
            factor = root.op == Op::Mul ? factor * c : factor / c;
            e = e.subtree(a);
        } else if (root.op == Op::Mul && e.nodes[a].op == Op::Constant) {
            const double c = e.constants.front();
            if (c == 0 || !std::isfinite(c)) break;
            factor *= c;
            e = e.subtree(b);
        } else {
            break;
        }
    }
    return factor;
}

Expression linear_combination(double c0, std::span<const double> coefficients, std::span<const Expression> terms,
                              const Vocabulary& vocabulary) {
    struct Term {
        double coefficient;
        Expression e;
    };
    std::vector<Term> parts;
    for (std::size_t k = 0; k < terms.size(); ++k) {
        if (terms[k].nodes.empty()) return {};
        if (coefficients[k] == 0) continue;
        Term term{coefficients[k], terms[k]};
        term.coefficient *= take_factor(term.e);
        if (is_constant(term.e)) {
            c0 += term.coefficient * term.e.constants[0];
        } else {
            parts.push_back(std::move(term));
        }
    }
    if (parts.empty()) return Expression::constant(c0);
    // A common magnitude is written once, and a sum begins with a term that needs no sign.
    const double magnitude = std::abs(parts[0].coefficient);
    const bool common =
        parts.size() > 1 && magnitude != 1 && std::all_of(parts.begin(), parts.end(), [&](const Term& t) {
            return std::abs(std::abs(t.coefficient) - magnitude) <= kSame * magnitude;
        });
    for (Term& t : parts) t.coefficient = unit_or(common ? t.coefficient / magnitude : t.coefficient);
    double outer = common ? magnitude : 1;
    if (common && std::all_of(parts.begin(), parts.end(), [](const Term& t) { return t.coefficient < 0; })) {
        for (Term& t : parts) t.coefficient = -t.coefficient;
        outer = -outer;
    }
    std::stable_partition(parts.begin(), parts.end(), [](const Term& t) { return t.coefficient > 0; });
    Expression sum;
    // A constant goes first where all else is taken from it.
    if (c0 != 0 && outer == 1 && parts[0].coefficient < 0 && vocabulary.has(Op::Sub)) {
        sum = Expression::constant(c0);
        c0 = 0;
    }
    for (std::size_t k = 0; k < parts.size(); ++k) {
        const double c = parts[k].coefficient;
        if (k == 0 && sum.nodes.empty()) {
            sum = vocabulary.scale(c, parts[k].e);
        } else if (c < 0) {
            sum = vocabulary.subtract(sum, vocabulary.scale(-c, parts[k].e));
        } else {
            sum = vocabulary.add(sum, vocabulary.scale(c, parts[k].e));
        }
    }
    return vocabulary.offset(c0, vocabulary.scale(outer, sum));
}

Expression power_product(double factor, std::span<const Power> powers, const Vocabulary& vocabulary) {
    struct Group {
        double exponent;
        std::vector<Expression> above, below;
    };
    std::vector<Group> groups;
    for (const Power& p : powers) {
        if (p.base.nodes.empty()) return {};
        if (p.exponent == 0) continue;
        Expression base = p.base;
        const double inner = take_factor(base);
        const double scaled = inner > 0 || p.exponent == std::floor(p.exponent)
                                  ? balmer::apply(Op::Pow, inner, p.exponent)
                                  : std::nan("");
        if (std::isfinite(scaled) && scaled != 0) {
            factor *= scaled;
        } else {
            base = p.base;
        }
        if (is_constant(base)) {
            factor *= balmer::apply(Op::Pow, base.constants[0], p.exponent);
            continue;
        }
        const double magnitude = std::abs(p.exponent);
        auto group =
            std::find_if(groups.begin(), groups.end(), [&](const Group& g) { return g.exponent == magnitude; });
        if (group == groups.end()) group = groups.insert(groups.end(), Group{magnitude, {}, {}});
        (p.exponent > 0 ? group->above : group->below).push_back(std::move(base));
    }
    factor = unit_or(factor);
    std::vector<Expression> above, below;
    for (const Group& group : groups) {
        if (group.exponent == 1) {
            above.insert(above.end(), group.above.begin(), group.above.end());
            below.insert(below.end(), group.below.begin(), group.below.end());
        } else if (group.above.empty()) {
            below.push_back(vocabulary.power(product_of(group.below, vocabulary), group.exponent));
        } else {
            Expression base = product_of(group.above, vocabulary);
            if (!group.below.empty()) base = vocabulary.divide(base, product_of(group.below, vocabulary));
            above.push_back(vocabulary.power(base, group.exponent));
        }
    }
    if (above.empty() && below.empty()) return Expression::constant(factor);
    if (above.empty()) {
        const Expression denominator = product_of(below, vocabulary);
        if (factor == 1) return vocabulary.reciprocal(denominator);
        const Expression quotient = vocabulary.divide(Expression::constant(factor), denominator);
        return quotient;
    }
    Expression result = vocabulary.scale(factor, product_of(above, vocabulary));
    return below.empty() ? result : vocabulary.divide(result, product_of(below, vocabulary));
}

double nearest_simple_exponent(double p, double tolerance) noexcept {
    if (std::abs(p) > 8) return p;
    const double half = std::nearbyint(2 * p) / 2, third = std::nearbyint(3 * p) / 3;
    if (std::abs(p - half) <= tolerance) return half;
    if (std::abs(p - third) <= tolerance) return third;
    return p;
}

}  // namespace balmer::search
