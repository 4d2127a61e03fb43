#include "search/vocabulary.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "balmer/expr/simplify.hpp"

namespace balmer::search {
namespace {

const Expression kNothing;

/// Value of a user operator of one parameter at a single number; NaN for bodies that use other user operators.
double value_of_body(const Expression& body, double x) {
    std::vector<double> stack;
    for (const Node& node : body.nodes) {
        if (node.op == Op::Constant) {
            stack.push_back(body.constants[node.index]);
        } else if (node.op == Op::Feature) {
            stack.push_back(x);
        } else if (OperatorSet::is_user(node.op)) {
            return std::numeric_limits<double>::quiet_NaN();
        } else {
            double operand[kMaxArity] = {0, 0, 0};
            for (std::size_t k = node.arity; k-- > 0;) {
                operand[k] = stack.back();
                stack.pop_back();
            }
            stack.push_back(balmer::apply(node.op, operand[0], operand[1], operand[2]));
        }
    }
    return stack.back();
}

template <class F>
bool body_is(const Expression& body, F f) {
    for (const double x : {-1.7, -0.4, 0.3, 1.9, 3.1}) {
        const double expected = f(x);
        if (!(std::abs(value_of_body(body, x) - expected) <= 1e-12 * std::abs(expected))) return false;
    }
    return true;
}

}  // namespace

Vocabulary::Vocabulary(const SearchOptions& options, const OperatorSet& operators)
    : options_(&options), operators_(&operators), allowed_(256, false), op_complexity_(256, 1.0) {
    for (std::size_t code = kFirstOp; code < kFirstUserOp + operators.user().size(); ++code) {
        const Op op = static_cast<Op>(code);
        const auto& given = options.complexity.of_operators;
        op_complexity_[code] = code < given.size() && !std::isnan(given[code])
                                   ? given[code]
                                   : static_cast<double>(operators.complexity(op));
    }
    for (const Op op : options.operators) {
        if (!allowed_[static_cast<std::size_t>(op)]) ++op_complexity_count_;
        allowed_[static_cast<std::size_t>(op)] = true;
        if (OperatorSet::is_user(op) && operators.arity(op) == 1 && !operators.user(op).is_compiled()) {
            const Expression& body = operators.user(op).body;
            if (body_is(body, [](double x) { return 1 / x; })) user_inverse_ = op;
            if (body_is(body, [](double x) { return x * x; })) user_square_ = op;
            if (body_is(body, [](double x) { return x * x * x; })) user_cube_ = op;
        }
    }
}

double Vocabulary::n_symbols(std::size_t n_features) const noexcept {
    return op_complexity_count_ + static_cast<double>(n_features) + 1;  // 1: the constant
}

double Vocabulary::complexity_of_feature(std::size_t j) const noexcept {
    const auto& given = options_->complexity.of_variables;
    if (given.empty()) return 1;
    return given.size() == 1 ? given[0] : j < given.size() ? given[j] : 1;
}

int Vocabulary::complexity(const Expression& e) const noexcept {
    double sum = 0;
    for (const Node& node : e.nodes) {
        sum += node.op == Op::Constant  ? options_->complexity.of_constants
               : node.op == Op::Feature ? complexity_of_feature(node.index)
                                        : op_complexity_[static_cast<std::size_t>(node.op)];
    }
    return static_cast<int>(std::lround(sum));
}

bool Vocabulary::keeps_constraints(const Expression& e) const {
    if (options_->constraints.empty() && options_->nested_constraints.empty()) return true;
    for (std::size_t i = 0; i < e.size(); ++i) {
        const Node& node = e.nodes[i];
        for (const ArgumentConstraint& c : options_->constraints) {
            if (c.op != node.op) continue;
            for (std::size_t k = 0; k < node.arity; ++k) {
                if (c.max_complexity[k] >= 0 && complexity(e.subtree(e.operand(i, k))) > c.max_complexity[k])
                    return false;
            }
        }
        for (const NestedConstraint& c : options_->nested_constraints) {
            if (c.outer != node.op) continue;
            // Postfix order: depth[j] = most `inner` nodes on a path from j down.
            std::vector<int> depth(node.size, 0);
            const std::size_t first = e.begin_of(i);
            for (std::size_t j = first; j < i; ++j) {
                for (std::size_t k = 0; k < e.nodes[j].arity; ++k) {
                    depth[j - first] = std::max(depth[j - first], depth[e.operand(j, k) - first]);
                }
                depth[j - first] += e.nodes[j].op == c.inner ? 1 : 0;
            }
            if (*std::max_element(depth.begin(), depth.end()) > c.max_depth) return false;
        }
    }
    return true;
}

bool Vocabulary::keeps_dimensions(const Expression& e) const noexcept {
    return !watches_dimensions() || !dimension_violation(e, options_->dimensions, *operators_);
}

Expression Vocabulary::with_units(const Expression& e) const {
    if (!watches_dimensions() || e.nodes.empty()) return e;
    constexpr int kMostOperands = 4;
    constexpr double kScale = 2;  // where fits begin; a 1 would be simplified away
    Expression result = e;
    for (int k = 0; k <= kMostOperands; ++k) {
        const auto at = dimension_violation(result, options_->dimensions, *operators_);
        if (!at) return result;
        const Node& node = result.nodes[*at];
        if (node.is_leaf() || OperatorSet::is_user(node.op) || info(node.op).units != Units::pure) break;
        const std::size_t operand = result.operand(*at, 0);
        const Expression scaled = scale(kScale, result.subtree(operand));
        if (scaled.nodes.empty() || result.size() + 2 > kMaxNodes) break;
        result.replace(operand, scaled);
    }
    return e;
}

Expression Vocabulary::simplified(const Expression& e) const {
    Expression simpler = simplify(e, *operators_);
    return keeps_dimensions(simpler) || !keeps_dimensions(e) ? simpler : e;
}

bool Vocabulary::admissible(const Expression& e) const {
    if (e.nodes.empty() || complexity(e) > options_->evolution.maxsize) return false;
    for (const Node& node : e.nodes) {
        if (!node.is_leaf() && !allowed_[static_cast<std::size_t>(node.op)]) return false;
    }
    for (const double c : e.constants) {
        if (!std::isfinite(c)) return false;
    }
    if (options_->evolution.maxdepth > 0 && e.depth() > static_cast<std::size_t>(options_->evolution.maxdepth))
        return false;
    return keeps_constraints(e) && keeps_dimensions(e);
}

Expression Vocabulary::apply(Op op, const Expression& a) const {
    if (a.nodes.empty() || !has(op) || a.size() + 1 > kMaxNodes) return {};
    return Expression::apply(op, a);
}

Expression Vocabulary::apply(Op op, const Expression& a, const Expression& b) const {
    if (a.nodes.empty() || b.nodes.empty() || !has(op) || a.size() + b.size() + 1 > kMaxNodes) return {};
    return Expression::apply(op, a, b);
}

const Expression& Vocabulary::cheapest(std::initializer_list<const Expression*> forms) const {
    const Expression* best = &kNothing;
    for (const Expression* form : forms) {
        if (!form->nodes.empty() && (best->nodes.empty() || complexity(*form) < complexity(*best))) best = form;
    }
    return *best;
}

Expression Vocabulary::negate(const Expression& a) const {
    if (a.nodes.empty()) return {};
    if (a.size() == 1 && a.nodes[0].op == Op::Constant) return Expression::constant(-a.constants[0]);
    const Expression direct = apply(Op::Neg, a);
    const Expression product = apply(Op::Mul, Expression::constant(-1), a);
    const Expression difference = apply(Op::Sub, Expression::constant(0), a);
    return cheapest({&direct, &product, &difference});
}

Expression Vocabulary::add(const Expression& a, const Expression& b) const {
    Expression direct = apply(Op::Add, a, b);
    if (!direct.nodes.empty() || !has(Op::Sub)) return direct;
    return apply(Op::Sub, a, apply(Op::Sub, Expression::constant(0), b));
}

Expression Vocabulary::subtract(const Expression& a, const Expression& b) const {
    const Expression direct = apply(Op::Sub, a, b);
    return direct.nodes.empty() ? apply(Op::Add, a, negate(b)) : direct;
}

Expression Vocabulary::multiply(const Expression& a, const Expression& b) const {
    const Expression direct = apply(Op::Mul, a, b);
    return direct.nodes.empty() ? apply(Op::Div, a, apply(Op::Div, Expression::constant(1), b)) : direct;
}

Expression Vocabulary::reciprocal(const Expression& a) const {
    if (a.size() == 1 && a.nodes[0].op == Op::Constant) return Expression::constant(1 / a.constants[0]);
    const Expression direct = apply(Op::Inv, a);
    const Expression user = user_inverse_ == Op::Constant ? Expression{} : apply(user_inverse_, a);
    const Expression quotient = apply(Op::Div, Expression::constant(1), a);
    const Expression powered = apply(Op::Pow, a, Expression::constant(-1));
    return cheapest({&direct, &user, &quotient, &powered});
}

Expression Vocabulary::divide(const Expression& a, const Expression& b) const {
    const Expression direct = apply(Op::Div, a, b);
    return direct.nodes.empty() ? apply(Op::Mul, a, reciprocal(b)) : direct;
}

Expression Vocabulary::whole_power(const Expression& a, int p) const {
    // The least complex way to each power up to p, from those below.
    const std::size_t last = static_cast<std::size_t>(p);
    std::vector<Expression> best(last + 1);
    best[1] = a;
    const auto squared = [&](const Expression& e) {
        const Expression square = apply(Op::Square, e), product = apply(Op::Mul, e, e);
        const Expression user = user_square_ == Op::Constant ? Expression{} : apply(user_square_, e);
        return cheapest({&square, &user, &product});
    };
    const auto cubed = [&](const Expression& e) {
        const Expression cube = apply(Op::Cube, e);
        const Expression user = user_cube_ == Op::Constant ? Expression{} : apply(user_cube_, e);
        return cheapest({&cube, &user});
    };
    for (std::size_t e = 2; e <= last; ++e) {
        const Expression powered = apply(Op::Pow, a, Expression::constant(static_cast<double>(e)));
        const Expression halves = e % 2 == 0 ? squared(best[e / 2]) : Expression{};
        const Expression thirds = e % 3 == 0 ? cubed(best[e / 3]) : Expression{};
        Expression sum;
        for (std::size_t part = 1; part <= std::min<std::size_t>(e / 2, 3); ++part) {
            const Expression product = multiply(best[e - part], best[part]);
            sum = cheapest({&product, &sum});
        }
        best[e] = cheapest({&halves, &thirds, &sum, &powered});
    }
    return best[last];
}

Expression Vocabulary::power(const Expression& a, double p) const {
    if (a.nodes.empty()) return {};
    if (p == 0) return Expression::constant(1);
    if (p == 1) return a;
    const Expression powered = apply(Op::Pow, a, Expression::constant(p));
    // Shorter than long products, but not defined where the base is negative.
    const Expression through_log = p == std::floor(p) ? Expression{} : exp(scale(p, log(a)));
    Expression whole, reciprocal_form, root;
    const double magnitude = std::abs(p);
    if (magnitude == std::floor(magnitude) && magnitude <= 16) {
        whole = whole_power(a, static_cast<int>(magnitude));
    } else if (2 * magnitude == std::floor(2 * magnitude) && magnitude <= 8) {
        const int twice = static_cast<int>(2 * magnitude);
        const Expression root_last = apply(Op::Sqrt, whole_power(a, twice));
        const Expression root_first = apply(Op::Sqrt, a);
        const Expression powers = whole_power(root_first, twice);
        const Expression mixed = twice > 1 ? multiply(whole_power(a, twice / 2), root_first) : Expression{};
        whole = cheapest({&root_last, &powers, &mixed});
    } else if (std::abs(3 * magnitude - std::round(3 * magnitude)) < 1e-12 && magnitude > 0.3 && magnitude <= 4) {
        whole = whole_power(apply(Op::Cbrt, a), static_cast<int>(std::lround(3 * magnitude)));
    }
    if (p < 0) {
        reciprocal_form = reciprocal(whole);
        whole = {};
    }
    return cheapest({&whole, &reciprocal_form, &powered, &through_log});
}

Expression Vocabulary::exp(const Expression& a) const {
    const Expression direct = apply(Op::Exp, a);
    const Expression powered = apply(Op::Pow, Expression::constant(2.718281828459045), a);
    return cheapest({&direct, &powered});
}

Expression Vocabulary::log(const Expression& a) const {
    Expression direct = apply(Op::Log, a);
    if (!direct.nodes.empty()) return direct;
    if (has(Op::Log10)) return apply(Op::Mul, Expression::constant(2.302585092994046), apply(Op::Log10, a));
    if (has(Op::Log2)) return apply(Op::Mul, Expression::constant(0.6931471805599453), apply(Op::Log2, a));
    return {};
}

Expression Vocabulary::scale(double factor, const Expression& a) const {
    if (factor == 1) return a;
    if (factor == -1) return negate(a);
    if (a.size() == 1 && a.nodes[0].op == Op::Constant) return Expression::constant(factor * a.constants[0]);
    const Expression product = apply(Op::Mul, Expression::constant(factor), a);
    return product.nodes.empty() ? apply(Op::Div, a, Expression::constant(1 / factor)) : product;
}

Expression Vocabulary::offset(double offset, const Expression& a) const {
    if (offset == 0) return a;
    const Expression sum = apply(Op::Add, a, Expression::constant(offset));
    return sum.nodes.empty() ? apply(Op::Sub, a, Expression::constant(-offset)) : sum;
}

}  // namespace balmer::search
