#include "search/shortest_form.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <optional>
#include <span>
#include <tuple>
#include <utility>
#include <vector>

#include "balmer/expr/simplify.hpp"
#include "search/products.hpp"

namespace balmer::search {
namespace {

constexpr std::size_t kMostTerms = 24;         // of a sum that is multiplied out
constexpr std::size_t kMostFactoredTerms = 8;  // of which factors are taken out of a part of the terms
constexpr int kFactorings = 3, kPasses = 4;

Sum sum_of(const Expression& base) { return {{1, {{base, 1}}}}; }
Sum sum_of(double c) { return c == 0 ? Sum{} : Sum{{c, {}}}; }

Expression operand_of(const Expression& e) { return e.subtree(e.operand(e.root(), 0)); }
bool is_whole(double p) { return p == std::floor(p); }

class Shortener {
   public:
    Shortener(const Vocabulary& vocabulary, const IsPositive& is_positive)
        : vocabulary_(vocabulary), is_positive_(is_positive) {}

    Expression run(const Expression& e) { return forms(e, e.root()).best; }

    [[nodiscard]] bool cheaper(const Expression& a, const Expression& b) const {
        const auto price = [&](const Expression& e) {
            return std::tuple(vocabulary_.complexity(e), e.constants.size(), e.size());
        };
        return !a.nodes.empty() && (b.nodes.empty() || price(a) < price(b));
    }

   private:
    /// A part of a formula: as it is written best, and as sums of products.
    struct Forms {
        Expression best;
        Sum kept;  // sums in products are bases
        Sum open;  // multiplied out
    };

    // ---- writing ----

    void offer(Expression& best, const Expression& e) const {
        if (cheaper(e, best)) best = e;
    }

    /// The product with exponentials made one, and each with an exponent of 1.
    [[nodiscard]] Product with_one_exponential(const Product& product) {
        Product out{product.coefficient, {}};
        Sum argument;
        for (const Power& power : product.powers) {
            if (is(power.base, Op::Exp)) {
                const Expression inside = operand_of(power.base);
                add(argument, terms_of(inside), power.exponent);
            } else {
                out.powers.push_back(power);
            }
        }
        if (!argument.empty()) multiply_by(out, {vocabulary_.exp(written(argument, 1)), 1});
        return out;
    }

    [[nodiscard]] Expression written(const Product& product) {
        Expression best = power_product(product.coefficient, product.powers, vocabulary_);
        const auto n = std::ranges::count_if(product.powers, [](const Power& p) { return is(p.base, Op::Exp); });
        if (n > 0) {
            const Product merged = with_one_exponential(product);
            offer(best, power_product(merged.coefficient, merged.powers, vocabulary_));
        }
        return best;
    }

    /// Term by term.
    [[nodiscard]] Expression plain(const Sum& sum) {
        double constant = 0;
        std::vector<double> coefficients;
        std::vector<Expression> terms;
        for (const Product& term : sum) {
            if (term.powers.empty()) {
                constant = term.coefficient;
                continue;
            }
            coefficients.push_back(term.coefficient);
            terms.push_back(written(Product{1, term.powers}));
        }
        return linear_combination(constant, coefficients, terms, vocabulary_);
    }

    /// Terms of which a factor can be taken, and the others.
    struct Split {
        Product factor;
        Sum inside, others;
    };

    static Split split(const Sum& sum, const Power& power) {
        Split out{{1, {}}, {}, {}};
        double exponent = 0;
        for (const Product& term : sum) {
            const double here = exponent_of(term, power.base);
            const bool fits = here != 0 && (here > 0) == (power.exponent > 0);
            (fits ? out.inside : out.others).push_back(term);
            if (fits && (exponent == 0 || std::abs(here) < std::abs(exponent))) exponent = here;
        }
        out.factor.powers = {{power.base, exponent}};
        for (Product& term : out.inside) multiply_by(term, {power.base, -exponent});
        return out;
    }

    /// The power that most terms have, of at least two; nothing if there is none.
    static std::optional<Power> most_frequent(const Sum& sum) {
        std::optional<Power> best;
        std::size_t most = 1;
        for (const Product& term : sum) {
            for (const Power& power : term.powers) {
                const std::size_t count = split(sum, power).inside.size();
                if (count > most) {
                    most = count;
                    best = power;
                }
            }
        }
        return best;
    }

    /// The least complex of the ways to write the sum; `factorings`: how often factors may be taken out of what is inside.
    [[nodiscard]] Expression written(const Sum& sum, int factorings) {
        Expression best = plain(sum);
        if (sum.size() < 2 || factorings == 0) return best;
        for (const Denominators denominators : {Denominators::stay, Denominators::leave}) {
            const Product common = common_part(sum, denominators);
            if (common.powers.empty()) continue;
            const Expression inside = written(multiplied(sum, Sum{reciprocal(common)}), factorings - 1);
            offer(best, written(times(common, inside)));
        }
        const std::optional<Power> power = most_frequent(sum);
        if (power && sum.size() <= kMostFactoredTerms) {
            Split parts = split(sum, *power);
            parts.others.push_back(times(parts.factor, written(parts.inside, factorings - 1)));
            offer(best, written(parts.others, factorings - 1));
        }
        return best;
    }

    /// The product times a formula, as a base if it is not a constant.
    static Product times(Product product, const Expression& e) {
        if (e.size() == 1 && e.nodes[0].op == Op::Constant) {
            product.coefficient *= e.constants[0];
        } else {
            multiply_by(product, {e, 1});
        }
        return product;
    }

    // ---- reading ----

    Forms made(Expression best, Sum kept, Sum open) {
        const auto angle_sum = [this](double x, const Expression& a, double y, const Expression& b) {
            Sum angle;
            add(angle, terms_of(a), x);
            add(angle, terms_of(b), y);
            return written(angle, kFactorings);
        };
        const auto terms = [this](const Expression& base) { return terms_of(base); };
        for (const Sum* sum : {&kept, &open}) {
            offer(best, written(*sum, kFactorings));
            offer(best, written(with_angles_added(*sum, angle_sum), kFactorings));
            offer(best, written(with_quotients(*sum, terms), kFactorings));
        }
        return {std::move(best), std::move(kept), std::move(open)};
    }

    /// The sum that a base stands for, if it is one.
    [[nodiscard]] Sum terms_of(const Expression& base) const {
        const auto known = std::ranges::find(sums_, base, &std::pair<Expression, Sum>::first);
        return known == sums_.end() ? sum_of(base) : known->second;
    }

    /// The sum as a product of the powers that all terms have and of what is left as a base, whose first term has the
    /// coefficient 1, so that multiples of one sum have one base.
    [[nodiscard]] Product as_product(const Sum& sum) {
        if (sum.empty()) return {0, {}};
        if (sum.size() == 1) return sum[0];
        Product product = common_part(sum, Denominators::leave);
        Sum rest = multiplied(sum, Sum{reciprocal(product)});
        std::ranges::stable_sort(rest, {}, [&](const Product& term) {
            return term.powers.empty() ? ~std::uint64_t{0} : exact_hash(written(Product{1, term.powers}));
        });
        product.coefficient = rest[0].coefficient;
        for (Product& term : rest) term.coefficient /= product.coefficient;
        const Expression base = written(rest, kFactorings);
        if (std::ranges::find(sums_, base, &std::pair<Expression, Sum>::first) == sums_.end()) {
            sums_.emplace_back(base, rest);
        }
        return times(product, base);
    }

    Forms product(const Expression& e, const Forms& a, const Forms& b, double exponent_of_b) {
        const Forms raised = exponent_of_b == 1 ? b : power(b.best, b, exponent_of_b);
        Sum kept{multiplied(as_product(a.kept), as_product(raised.kept))};
        if (kept[0].coefficient == 0) kept.clear();
        const bool small = a.open.size() * raised.open.size() <= kMostTerms;
        Sum open = small ? multiplied(a.open, raised.open) : kept;
        return made(e, std::move(kept), std::move(open));
    }

    /// Whether (product of powers)^p is the product of the powers to p.
    [[nodiscard]] bool distributes(const Product& product, double p) const {
        if (is_whole(p)) return true;
        if (!(product.coefficient > 0)) return false;
        if (product.powers.size() == 1 && is_whole(product.powers[0].exponent)) {
            if (std::fmod(product.powers[0].exponent, 2) != 0) return true;
        }
        return std::ranges::all_of(
            product.powers, [&](const Power& power) { return !power.base.nodes.empty() && is_positive_(power.base); });
    }

    Forms power(const Expression& e, const Forms& a, double p) {
        Product inside = as_product(a.kept);
        Product raised;
        if (distributes(inside, p)) {
            raised.coefficient = balmer::apply(Op::Pow, inside.coefficient, p);
            for (Power& power : inside.powers) raised.powers.push_back({std::move(power.base), power.exponent * p});
        }
        if (raised.powers.empty() || !std::isfinite(raised.coefficient) || raised.coefficient == 0) {
            raised = {1, {{a.best, p}}};
        }
        Sum kept{raised};
        Sum open = kept;
        const std::size_t n = a.open.size();
        if (p == 2 && n * n <= kMostTerms) open = multiplied(a.open, a.open);
        if (p == 3 && n * n * n <= kMostTerms) open = multiplied(multiplied(a.open, a.open), a.open);
        return made(e, std::move(kept), std::move(open));
    }

    /// exp(c + k log(f) + rest) = e^c f^k exp(rest).
    Forms exponential(const Expression& e, const Forms& a) {
        Product product;
        Sum rest;
        for (const Product& term : a.open) {
            const bool logarithm =
                term.powers.size() == 1 && term.powers[0].exponent == 1 && is(term.powers[0].base, Op::Log);
            const double factor = term.powers.empty() ? balmer::apply(Op::Exp, term.coefficient) : 0;
            if (logarithm) {
                multiply_by(product, {operand_of(term.powers[0].base), term.coefficient});
            } else if (factor > 0 && std::isfinite(factor)) {
                product.coefficient *= factor;
            } else {
                rest.push_back(term);
            }
        }
        if (!rest.empty()) {
            const Expression argument = written(rest, kFactorings);
            if (argument.nodes.empty()) return opaque(e);
            sums_.emplace_back(argument, rest);
            multiply_by(product, {Expression::apply(Op::Exp, argument), 1});
        }
        return made(e, {product}, {product});
    }

    /// log(c exp(g) rest) = log(c) + g + log(rest).
    Forms logarithm(const Expression& e, const Forms& a) {
        const Product inside = as_product(a.kept);
        if (!(inside.coefficient > 0)) return opaque(e);
        Sum sum = sum_of(balmer::apply(Op::Log, inside.coefficient));
        Product rest;
        for (const Power& power : inside.powers) {
            if (is(power.base, Op::Exp)) {
                add(sum, terms_of(operand_of(power.base)), power.exponent);
            } else {
                rest.powers.push_back(power);
            }
        }
        if (!rest.powers.empty()) {
            const Expression argument = written(rest);
            if (argument.nodes.empty()) return opaque(e);
            add(sum, Product{1, {{Expression::apply(Op::Log, argument), 1}}});
        }
        return made(e, sum, sum);
    }

    static Forms opaque(const Expression& e) { return {e, sum_of(e), sum_of(e)}; }

    /// sin(-a) = -sin(a), cos(-a) = cos(a).
    Forms angle(const Expression& e, const Forms& a) {
        const bool negative = std::ranges::all_of(a.open, [](const Product& term) { return term.coefficient < 0; });
        if (!negative || a.open.empty()) return opaque(e);
        Sum positive;
        add(positive, a.open, -1);
        const Expression argument = written(positive, kFactorings);
        if (argument.nodes.empty()) return opaque(e);
        sums_.emplace_back(argument, positive);
        const Op op = e.nodes.back().op;
        const Sum sum{{op == Op::Sin ? -1.0 : 1.0, {{Expression::apply(op, argument), 1}}}};
        return made(e, sum, sum);
    }

    Forms unary(const Expression& e, const Forms& a) {
        switch (e.nodes.back().op) {
            case Op::Neg:
                return product(e, a, {Expression::constant(-1), sum_of(-1.0), sum_of(-1.0)}, 1);
            case Op::Inv:
                return power(e, a, -1);
            case Op::Square:
                return power(e, a, 2);
            case Op::Cube:
                return power(e, a, 3);
            case Op::Sqrt:
                return power(e, a, 0.5);
            case Op::Exp:
                return exponential(e, a);
            case Op::Log:
                return logarithm(e, a);
            case Op::Abs:
                return is_positive_(a.best) ? a : opaque(e);
            case Op::Sin:
            case Op::Cos:
                return angle(e, a);
            default:
                return opaque(e);
        }
    }

    Forms forms(const Expression& e, std::size_t i) {
        const Node& node = e.nodes[i];
        if (node.op == Op::Constant) {
            const double c = e.constants[node.index];
            return {Expression::constant(c), sum_of(c), sum_of(c)};
        }
        if (node.op == Op::Feature) return opaque(Expression::feature(node.index));
        std::array<Forms, kMaxArity> operands;
        std::array<const Expression*, kMaxArity> written_best{};
        for (std::size_t k = 0; k < node.arity; ++k) {
            operands[k] = forms(e, e.operand(i, k));
            written_best[k] = &operands[k].best;
            sums_.emplace_back(operands[k].best, operands[k].open);
        }
        const Expression whole = Expression::apply(node.op, std::span(written_best.data(), node.arity));
        const Forms &a = operands[0], &b = operands[1];
        switch (node.op) {
            case Op::Add:
            case Op::Sub: {
                const double sign = node.op == Op::Add ? 1 : -1;
                Sum kept = a.kept, open = a.open;
                add(kept, b.kept, sign);
                add(open, b.open, sign);
                return open.size() <= kMostTerms ? made(whole, std::move(kept), std::move(open)) : opaque(whole);
            }
            case Op::Mul:
                return product(whole, a, b, 1);
            case Op::Div:
                return product(whole, a, b, -1);
            case Op::Pow:
                return is(b.best, Op::Constant) ? power(whole, a, b.best.constants[0]) : opaque(whole);
            default:
                return node.arity == 1 ? unary(whole, a) : opaque(whole);
        }
    }

    const Vocabulary& vocabulary_;
    const IsPositive& is_positive_;
    std::vector<std::pair<Expression, Sum>> sums_;  // bases and arguments that stand for sums
};

}  // namespace

Expression shortest_form(const Expression& e, const Vocabulary& vocabulary, const IsPositive& is_positive) {
    Expression best = e;
    for (int pass = 0; pass < kPasses; ++pass) {
        Shortener shortener(vocabulary, is_positive);
        const Expression next = simplify(shortener.run(best), vocabulary.operators());
        if (!shortener.cheaper(next, best)) break;
        best = next;
    }
    return vocabulary.admissible(best) ? best : e;
}

}  // namespace balmer::search
