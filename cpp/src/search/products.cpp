#include "search/products.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <optional>
#include <utility>

namespace balmer::search {
namespace {

/// Relative to what was added: below, a sum or a remainder is rounding.
constexpr double kRounding = 1e-13, kFittedRounding = 1e-9;
constexpr std::size_t kLargestDegree = 12;

bool same_magnitude(double a, double b) { return std::abs(std::abs(a) - std::abs(b)) <= kFittedRounding * std::abs(a); }

}  // namespace

bool is(const Expression& e, Op op) noexcept { return !e.nodes.empty() && e.nodes.back().op == op; }

double exponent_of(const Product& product, const Expression& base) noexcept {
    const auto found = std::ranges::find(product.powers, base, &Power::base);
    return found == product.powers.end() ? 0 : found->exponent;
}

bool same_powers(const Product& a, const Product& b) noexcept {
    return a.powers.size() == b.powers.size() && std::ranges::all_of(a.powers, [&](const Power& power) {
               return exponent_of(b, power.base) == power.exponent;
           });
}

void multiply_by(Product& product, const Power& power) {
    const auto found = std::ranges::find(product.powers, power.base, &Power::base);
    if (found == product.powers.end()) {
        product.powers.push_back(power);
        return;
    }
    found->exponent += power.exponent;
    if (std::abs(found->exponent) <= kRounding * std::abs(power.exponent)) product.powers.erase(found);
}

Product multiplied(Product a, const Product& b) {
    a.coefficient *= b.coefficient;
    for (const Power& power : b.powers) multiply_by(a, power);
    return a;
}

Product reciprocal(Product product) {
    product.coefficient = 1 / product.coefficient;
    for (Power& power : product.powers) power.exponent = -power.exponent;
    return product;
}

void add(Sum& sum, const Product& term) {
    if (term.coefficient == 0) return;
    const auto like = std::ranges::find_if(sum, [&](const Product& other) { return same_powers(other, term); });
    if (like == sum.end()) {
        sum.push_back(term);
        return;
    }
    like->coefficient += term.coefficient;
    if (std::abs(like->coefficient) <= kRounding * std::abs(term.coefficient)) sum.erase(like);
}

void add(Sum& sum, const Sum& other, double factor) {
    for (Product term : other) {
        term.coefficient *= factor;
        add(sum, term);
    }
}

Sum multiplied(const Sum& a, const Sum& b) {
    Sum result;
    for (const Product& left : a) {
        for (const Product& right : b) add(result, multiplied(left, right));
    }
    return result;
}

Product common_part(const Sum& sum, Denominators denominators) {
    Product common;
    for (const Product& term : sum) {
        for (const Power& power : term.powers) {
            if (exponent_of(common, power.base) != 0) continue;
            double least = power.exponent;
            for (const Product& other : sum) least = std::min(least, exponent_of(other, power.base));
            if (least > 0 || (least < 0 && denominators == Denominators::leave)) {
                common.powers.push_back({power.base, least});
            }
        }
    }
    return common;
}

// ---- angles ----

namespace {

/// The angles of the sines and cosines, one to the first power each (an angle twice for a square), and the rest.
struct Angles {
    std::vector<Expression> sines, cosines;
    Product rest;
};

Angles angles_of(const Product& term) {
    Angles out;
    out.rest.coefficient = term.coefficient;
    for (const Power& power : term.powers) {
        const bool sine = is(power.base, Op::Sin), angle = sine || is(power.base, Op::Cos);
        if (!angle || (power.exponent != 1 && power.exponent != 2)) {
            out.rest.powers.push_back(power);
            continue;
        }
        std::vector<Expression>& of_kind = sine ? out.sines : out.cosines;
        of_kind.insert(of_kind.end(), static_cast<std::size_t>(power.exponent),
                       power.base.subtree(power.base.operand(power.base.root(), 0)));
    }
    return out;
}

/// The two terms as one, by the addition theorems read from right to left; nothing if none fits.
std::optional<Product> as_one(const Product& first, const Product& second, const AngleSum& angle_sum) {
    if (!same_magnitude(first.coefficient, second.coefficient)) return {};
    const Angles x = angles_of(first), y = angles_of(second);
    if (!same_powers(x.rest, y.rest)) return {};
    const int sign = (first.coefficient < 0) == (second.coefficient < 0) ? 1 : -1;
    const auto times = [](Product product, Op op, const Expression& angle) {
        multiply_by(product, {Expression::apply(op, angle), 1});
        return product;
    };
    const auto halves = [&](Op op, const Expression& a, const Expression& b,
                            Op other) {  // 2 op((a + b)/2) other((a - b)/2)
        Product product = times(x.rest, op, angle_sum(0.5, a, 0.5, b));
        product.coefficient *= 2;
        return times(std::move(product), other, angle_sum(0.5, a, -0.5, b));
    };
    const std::size_t sines = x.sines.size(), cosines = x.cosines.size();
    if (sines == 1 && cosines == 1 && x.sines == y.cosines && x.cosines == y.sines) {
        return times(x.rest, Op::Sin, angle_sum(1, x.sines[0], sign, x.cosines[0]));
    }
    if (sines == 0 && cosines == 2 && y.sines.size() == 2 && y.cosines.empty()) {
        const bool crossed = x.cosines[0] == y.sines[1] && x.cosines[1] == y.sines[0];
        if (x.cosines != y.sines && !crossed) return {};
        if (sign == 1 && x.cosines[0] == x.cosines[1]) return x.rest;
        return times(x.rest, Op::Cos, angle_sum(1, x.cosines[0], -sign, x.cosines[1]));
    }
    if (sines == 1 && cosines == 0 && y.sines.size() == 1 && y.cosines.empty()) {
        return sign == 1 ? halves(Op::Sin, x.sines[0], y.sines[0], Op::Cos)
                         : halves(Op::Cos, x.sines[0], y.sines[0], Op::Sin);
    }
    if (sines == 0 && cosines == 1 && y.sines.empty() && y.cosines.size() == 1) {
        const Op op = sign == 1 ? Op::Cos : Op::Sin;
        Product product = halves(op, x.cosines[0], y.cosines[0], op);
        product.coefficient *= sign;
        return product;
    }
    return {};
}

}  // namespace

Sum with_angles_added(Sum sum, const AngleSum& angle_sum) {
    for (std::size_t i = 0; i < sum.size(); ++i) {
        for (std::size_t j = 0; j < sum.size(); ++j) {
            if (i == j) continue;
            const std::optional<Product> one = as_one(sum[i], sum[j], angle_sum);
            if (!one) continue;
            Sum next;
            for (std::size_t k = 0; k < sum.size(); ++k) {
                if (k != i && k != j) next.push_back(sum[k]);
            }
            add(next, *one);
            return with_angles_added(std::move(next), angle_sum);
        }
    }
    return sum;
}

// ---- quotients ----

namespace {

using Polynomial = std::vector<double>;  // coefficients by rising power

bool is_degree(double exponent) {
    return exponent >= 0 && exponent <= kLargestDegree && exponent == std::floor(exponent);
}

/// The sum as a polynomial in `v` alone; nothing if it is not one.
std::optional<Polynomial> polynomial_in(const Expression& v, const Sum& sum) {
    Polynomial out;
    for (const Product& term : sum) {
        const double degree = exponent_of(term, v);
        const bool pure = term.powers.empty() || (term.powers.size() == 1 && degree != 0);
        if (!pure || !is_degree(degree)) return {};
        out.resize(std::max(out.size(), static_cast<std::size_t>(degree) + 1));
        out[static_cast<std::size_t>(degree)] = term.coefficient;
    }
    return out;
}

/// p / d without a remainder; nothing if there is one.
std::optional<Polynomial> quotient(Polynomial p, const Polynomial& d) {
    if (p.size() < d.size()) return {};
    double largest = 0;
    for (const double c : p) largest = std::max(largest, std::abs(c));
    Polynomial q(p.size() - d.size() + 1);
    for (std::size_t k = q.size(); k-- > 0;) {
        q[k] = p[k + d.size() - 1] / d.back();
        for (std::size_t j = 0; j < d.size(); ++j) p[k + j] -= q[k] * d[j];
    }
    const bool exact = std::ranges::all_of(p, [&](double c) { return std::abs(c) <= kFittedRounding * largest; });
    if (!exact) return {};
    for (double& c : q) c = std::abs(c) <= kFittedRounding * largest / std::abs(d.back()) ? 0 : c;
    return q;
}

/// Terms above one denominator that differ in the power of one base only.
struct Cofactor {
    Product rest;  // coefficient 1, without the denominator and the base
    Sum terms;     // as they stand in the sum
    Polynomial above;
};

/// The terms of `sum` over `denominator`, by what they have beside powers of `v`.
std::vector<Cofactor> cofactors(const Sum& sum, const Expression& denominator, const Expression& v) {
    std::vector<Cofactor> out;
    for (const Product& term : sum) {
        const double degree = exponent_of(term, v);
        if (exponent_of(term, denominator) != -1 || !is_degree(degree)) continue;
        Product rest = multiplied(term, {1 / term.coefficient, {{denominator, 1}}});
        if (degree != 0) multiply_by(rest, {v, -degree});
        auto found = std::ranges::find_if(out, [&](const Cofactor& c) { return same_powers(c.rest, rest); });
        if (found == out.end()) found = out.insert(out.end(), Cofactor{rest, {}, {}});
        found->terms.push_back(term);
        found->above.resize(std::max(found->above.size(), static_cast<std::size_t>(degree) + 1));
        found->above[static_cast<std::size_t>(degree)] = term.coefficient;
    }
    return out;
}

/// The sum with what `v` makes of the terms over `denominator`; whether that was anything.
bool divide(Sum& sum, const Expression& denominator, const Polynomial& below, const Expression& v) {
    bool divided = false;
    for (const Cofactor& cofactor : cofactors(sum, denominator, v)) {
        const std::optional<Polynomial> whole = quotient(cofactor.above, below);
        if (!whole) continue;
        add(sum, cofactor.terms, -1);
        for (std::size_t k = 0; k < whole->size(); ++k) {
            Product term = cofactor.rest;
            term.coefficient = (*whole)[k];
            if (k > 0) multiply_by(term, {v, static_cast<double>(k)});
            add(sum, term);
        }
        divided = true;
    }
    return divided;
}

}  // namespace

Sum with_quotients(const Sum& sum, const std::function<Sum(const Expression& base)>& terms_of) {
    Sum result = sum;
    for (const Product& term : sum) {
        for (const Power& power : term.powers) {
            if (power.exponent != -1 || !(is(power.base, Op::Add) || is(power.base, Op::Sub))) continue;
            const Sum below = terms_of(power.base);
            for (const Product& part : below) {
                for (const Power& v : part.powers) {
                    const std::optional<Polynomial> polynomial = polynomial_in(v.base, below);
                    if (polynomial && divide(result, power.base, *polynomial, v.base)) break;
                }
            }
        }
    }
    return result;
}

}  // namespace balmer::search
