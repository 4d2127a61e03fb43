#include "expr/interval.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <initializer_list>
#include <stdexcept>
#include <string>
#include <vector>

namespace balmer {
namespace {

constexpr double kPi = 3.141592653589793;
constexpr double kInfinity = std::numeric_limits<double>::infinity();

Interval hull(std::initializer_list<double> values) {
    return {std::min(values), std::max(values)};  // of numbers
}

/// Whether the interval has a point `phase` + k `period`, with a whole k.
bool meets(const Interval& a, double phase, double period) {
    return std::ceil((a.low - phase) / period) <= std::floor((a.high - phase) / period);
}

/// Where the operator grows or falls with its operand, all over its domain.
bool is_monotone(Op op) {
    switch (op) {
        case Op::Neg:
        case Op::Cube:
        case Op::Sqrt:
        case Op::Cbrt:
        case Op::Sign:
        case Op::Exp:
        case Op::Expm1:
        case Op::Log:
        case Op::Log1p:
        case Op::Log2:
        case Op::Log10:
        case Op::Logistic:
        case Op::Asin:
        case Op::Acos:
        case Op::Atan:
        case Op::Sinh:
        case Op::Tanh:
        case Op::Asinh:
        case Op::Acosh:
        case Op::Atanh:
        case Op::Erf:
        case Op::Erfc:
        case Op::Relu:
        case Op::Round:
        case Op::Floor:
        case Op::Ceil:
            return true;
        default:
            return false;
    }
}

/// Of one operation; counts itself in `at_risk` once at most.
class Operation {
   public:
    Operation(Op op, std::span<const Interval> operands) : op_(op), arity_(operands.size()), a_(operands[0]) {
        if (arity_ > 1) b_ = operands[1];
        if (arity_ > 2) c_ = operands[2];
    }

    [[nodiscard]] bool at_risk() const noexcept { return at_risk_; }

    [[nodiscard]] Interval values() {
        const bool finite = is_finite(a_) && (arity_ < 2 || is_finite(b_)) && (arity_ < 3 || is_finite(c_));
        const Interval result = extension();
        at_risk_ = at_risk_ || (finite && !is_finite(result) && known_);
        return result;
    }

   private:
    Op op_;
    std::size_t arity_;
    Interval a_, b_, c_;
    bool at_risk_ = false, known_ = true;

    static bool is_finite(const Interval& a) { return std::isfinite(a.low) && std::isfinite(a.high); }

    Interval extension() {
        if (info(op_).arity == 1) return unary();
        switch (op_) {
            case Op::Add:
                return {a_.low + b_.low, a_.high + b_.high};
            case Op::Sub:
                return {a_.low - b_.high, a_.high - b_.low};
            case Op::Mul:
                return product(a_, b_);
            case Op::Div:
                return product(a_, inverse(b_));
            case Op::Pow:
                return b_.is_point() ? power(b_.low) : power();
            case Op::Mod:
                at_risk_ = b_.contains(0);
                return {std::min(b_.low, 0.0), std::max(b_.high, 0.0)};
            case Op::Hypot: {
                const Interval a = even(a_, Op::Abs), b = even(b_, Op::Abs);
                return {apply(Op::Hypot, a.low, b.low), apply(Op::Hypot, a.high, b.high)};
            }
            case Op::Atan2:
                return {-kPi, kPi};
            case Op::Min:
                return {std::min(a_.low, b_.low), std::min(a_.high, b_.high)};
            case Op::Max:
                return {std::max(a_.low, b_.low), std::max(a_.high, b_.high)};
            case Op::Cond:
                return {std::min(b_.low, 0.0), std::max(b_.high, 0.0)};
            case Op::IfElse:
                return {std::min(b_.low, c_.low), std::max(b_.high, c_.high)};
            default:
                known_ = info(op_).units == Units::truth;
                return known_ ? Interval{0, 1} : Interval{};
        }
    }

    Interval unary() {
        switch (op_) {
            case Op::Inv:
                return inverse(a_);
            case Op::Square:
            case Op::Abs:
            case Op::Cosh:
                return even(a_, op_);
            case Op::Sin:
                return wave(kPi / 2);
            case Op::Cos:
                return wave(0);
            case Op::Tan:
                at_risk_ = meets(a_, kPi / 2, kPi);
                return at_risk_ ? Interval{} : hull({apply(op_, a_.low), apply(op_, a_.high)});
            case Op::Gamma: {
                constexpr double kLeastAt = 1.4616321449683623, kLeast = 0.8856031944108887;
                at_risk_ = a_.low <= 0;
                if (at_risk_) return {};
                const Interval ends = hull({apply(op_, a_.low), apply(op_, a_.high)});
                return {a_.contains(kLeastAt) ? kLeast : ends.low, ends.high};
            }
            default:
                return is_monotone(op_) ? monotone() : anything();
        }
    }

    /// Cuts the operand down to where the operator has values; false if nothing is left.
    bool cut() {
        const OpInfo& row = info(op_);
        at_risk_ = a_.low < row.low || a_.high > row.high;
        a_ = {std::max(a_.low, row.low), std::min(a_.high, row.high)};
        return a_.low <= a_.high;
    }

    Interval monotone() {
        if (!cut()) return {};
        const double first = apply(op_, a_.low), last = apply(op_, a_.high);
        return std::isnan(first) || std::isnan(last) ? Interval{} : hull({first, last});
    }

    /// Of an operator that this file does not know: it has values in its domain.
    Interval anything() {
        known_ = false;
        cut();
        return {};
    }

    /// Of a function that grows with the magnitude of its operand.
    static Interval even(const Interval& a, Op op) {
        const double near = a.contains(0) ? 0 : std::min(std::abs(a.low), std::abs(a.high));
        return {apply(op, near), apply(op, std::max(std::abs(a.low), std::abs(a.high)))};
    }

    /// Of sine or cosine, which is largest at `top`.
    Interval wave(double top) const {
        if (!(a_.high - a_.low < 2 * kPi)) return {-1, 1};
        const Interval ends = hull({apply(op_, a_.low), apply(op_, a_.high)});
        return {meets(a_, top + kPi, 2 * kPi) ? -1 : ends.low, meets(a_, top, 2 * kPi) ? 1 : ends.high};
    }

    static Interval product(const Interval& a, const Interval& b) {
        const auto times = [](double x, double y) { return x == 0 || y == 0 ? 0.0 : x * y; };
        return hull({times(a.low, b.low), times(a.low, b.high), times(a.high, b.low), times(a.high, b.high)});
    }

    Interval inverse(const Interval& a) {
        if (a.contains(0)) {
            at_risk_ = true;
            if (a.low == 0) return {1 / a.high, kInfinity};
            if (a.high == 0) return {-kInfinity, 1 / a.low};
            return {};
        }
        return {1 / a.high, 1 / a.low};
    }

    Interval power(double p) {
        if (p == std::floor(p) && std::abs(p) < 1e9) {
            const bool is_even = std::fmod(p, 2) == 0;
            const Interval base = is_even ? even(a_, Op::Abs) : a_;
            const double magnitude = std::abs(p);
            const Interval whole = {apply(Op::Pow, base.low, magnitude), apply(Op::Pow, base.high, magnitude)};
            return p < 0 ? inverse(whole) : whole;
        }
        at_risk_ = a_.low < 0 || (p < 0 && a_.low == 0);
        if (a_.high < 0) return {};
        return hull({apply(Op::Pow, std::max(a_.low, 0.0), p), apply(Op::Pow, a_.high, p)});
    }

    /// With an exponent that varies: of positive numbers, monotone in base and exponent.
    Interval power() {
        at_risk_ = a_.low < 0 || (a_.low == 0 && b_.low < 0);
        if (a_.low < 0) return {};
        double least = kInfinity, most = 0;
        for (const double base : {a_.low, a_.high}) {
            for (const double exponent : {b_.low, b_.high}) {
                const double value = apply(Op::Pow, base, exponent);
                if (std::isnan(value)) return {0, kInfinity};
                least = std::min(least, value);
                most = std::max(most, value);
            }
        }
        return {least, most};
    }
};

}  // namespace

Enclosure enclose(const Expression& e, std::span<const Interval> box, const OperatorSet& operators) {
    Enclosure result;
    std::vector<Interval> stack;
    for (const Node& node : e.nodes) {
        if (node.op == Op::Constant) {
            stack.push_back({e.constants[node.index], e.constants[node.index]});
            continue;
        }
        if (node.op == Op::Feature) {
            if (node.index >= box.size()) {
                throw std::invalid_argument("the formula has feature " + std::to_string(node.index) +
                                            ", the box has only " + std::to_string(box.size()) + " intervals");
            }
            stack.push_back(box[node.index]);
            continue;
        }
        const std::span<const Interval> operands(stack.end() - node.arity, stack.end());
        Interval values;
        if (!OperatorSet::is_user(node.op)) {
            Operation operation(node.op, operands);
            values = operation.values();
            result.at_risk += operation.at_risk() ? 1 : 0;
        } else if (const UserOperator& user = operators.user(node.op); !user.is_compiled()) {
            const Enclosure inner = enclose(user.body, operands, operators);
            values = inner.values;
            result.at_risk += inner.at_risk > 0 ? 1 : 0;
        }
        if (std::isnan(values.low) || std::isnan(values.high)) values = {};  // infinity less infinity
        stack.resize(stack.size() - node.arity);
        stack.push_back(values);
    }
    result.values = stack.back();
    return result;
}

}  // namespace balmer
