#include "balmer/expr/dimensions.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "balmer/expr/print.hpp"

namespace balmer {

namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

std::int32_t counted(double exponent) noexcept {
    constexpr double kLargest = 1e9;
    return static_cast<std::int32_t>(std::lround(std::clamp(exponent, -kLargest, kLargest)));
}

bool may_be_number(const Quantity& quantity) noexcept { return !quantity || quantity->is_number(); }

/// What all operands are; nullopt if they differ.
std::optional<Quantity> common(std::span<const Quantity> operands) noexcept {
    Quantity result;
    for (const Quantity& operand : operands) {
        if (!operand) continue;
        if (result && *result != *operand) return std::nullopt;
        result = operand;
    }
    return result;
}

Quantity product(const Quantity& a, const Quantity& b, double power_of_b) noexcept {
    if (!a || !b) return {};
    return a->times(*b, power_of_b);
}

Quantity power(const Quantity& a, double exponent) noexcept {
    if (!a) return {};
    return a->to_the(exponent);
}

/// a ^ b; `exponent` is the value of b where that is known.
std::optional<Quantity> general_power(const Quantity& a, const Quantity& b, double exponent) noexcept {
    if (!may_be_number(b)) return std::nullopt;
    if (std::isfinite(exponent)) return power(a, exponent);
    if (!may_be_number(a)) return std::nullopt;
    return Dimension();
}

/// A power of its operand: which one; NaN for other operators.
double power_of(Units units) noexcept {
    switch (units) {
        case Units::inverse:
            return -1;
        case Units::squared:
            return 2;
        case Units::cubed:
            return 3;
        case Units::root:
            return 1.0 / 2;
        case Units::cube_root:
            return 1.0 / 3;
        default:
            return kNan;
    }
}

std::optional<Quantity> of_builtin(Units units, std::span<const Quantity> operands, double exponent) noexcept {
    switch (units) {
        case Units::same:
            return common(operands);
        case Units::product:
            return product(operands[0], operands[1], 1);
        case Units::quotient:
            return product(operands[0], operands[1], -1);
        case Units::power:
            return general_power(operands[0], operands[1], exponent);
        case Units::pure:
            return may_be_number(operands[0]) ? std::optional<Quantity>(Dimension()) : std::nullopt;
        case Units::ratio:
        case Units::truth:
            return common(operands) ? std::optional<Quantity>(Dimension()) : std::nullopt;
        case Units::second:  // the first operand is a condition, which is looked at for its sign
            return common(operands.subspan(1));
        default:
            return power(operands[0], power_of(units));
    }
}

/// The value of a part without features; NaN where it has some, or user operators.
double constant_value(const Expression& e, std::size_t i) noexcept {
    const Node& node = e.nodes[i];
    if (node.op == Op::Constant) return e.constants[node.index];
    if (node.op == Op::Feature || OperatorSet::is_user(node.op)) return kNan;
    double operands[3] = {};
    std::size_t at = i - 1;
    for (std::size_t k = node.arity; k-- > 0; at -= e.nodes[at].size) {
        operands[k] = constant_value(e, at);
        if (std::isnan(operands[k])) return kNan;
    }
    return apply(node.op, operands[0], operands[1], operands[2]);
}

/// NaN where the operator is no power of a constant exponent.
double exponent_at(const Expression& e, std::size_t i) noexcept {
    const Op op = e.nodes[i].op;
    const bool is_power = !OperatorSet::is_user(op) && info(op).units == Units::power;
    return is_power ? constant_value(e, i - 1) : kNan;
}

/// The dimension of each node, in `of`; stops at the first that violates the rules, and returns it.
std::optional<std::size_t> find_dimensions(const Expression& e, std::span<const Quantity> features,
                                           const Quantity& constants, const OperatorSet& operators,
                                           std::span<Quantity> of) noexcept {
    for (std::size_t i = 0; i < e.size(); ++i) {
        const Node& node = e.nodes[i];
        if (node.op == Op::Constant) {
            of[i] = constants;
        } else if (node.op == Op::Feature) {
            of[i] = node.index < features.size() ? features[node.index] : Quantity(Dimension());
        } else {
            std::array<Quantity, kMaxArity> operands;
            std::size_t at = i - 1;
            for (std::size_t k = node.arity; k-- > 0; at -= e.nodes[at].size) operands[k] = of[at];
            const auto result = dimension_of(node.op, {operands.data(), node.arity}, exponent_at(e, i), operators);
            if (!result) return i;
            of[i] = *result;
        }
    }
    return std::nullopt;
}

Quantity of_constants(const DataDimensions& dimensions) noexcept {
    return dimensions.dimensionless_constants_only ? Quantity(Dimension()) : Quantity();
}

/// Carries what is known of the whole down to the parts: `of` holds each node's dimension from below, nullopt where a
/// constant leaves it open.
class Downwards {
   public:
    Downwards(const Expression& e, std::span<Quantity> of) : e_(e), of_(of) {}

    void run() {
        for (std::size_t i = e_.size(); i-- > 0;) {
            const Node& node = e_.nodes[i];
            if (node.is_leaf() || OperatorSet::is_user(node.op)) continue;
            for (std::size_t k = 0; k < node.arity; ++k) {
                const std::size_t operand = e_.operand(i, k);
                if (!of_[operand]) of_[operand] = needed(i, k);
            }
        }
    }

   private:
    /// What operand `k` of node `i` must be; nullopt if that is open.
    [[nodiscard]] Quantity needed(std::size_t i, std::size_t k) const {
        const Quantity& whole = of_[i];
        const auto other = [&] { return of_[e_.operand(i, 1 - k)]; };
        switch (const Units units = info(e_.nodes[i].op).units) {
            case Units::same:
                return whole;
            case Units::product:
                return product(whole, other(), -1);
            case Units::quotient:
                return k == 0 ? product(whole, other(), 1) : product(other(), whole, -1);
            case Units::power: {
                const double exponent = exponent_at(e_, i);
                if (k == 1 || std::isnan(exponent)) return Dimension();
                return std::isfinite(1 / exponent) ? power(whole, 1 / exponent) : Quantity();
            }
            case Units::pure:
                return Dimension();
            case Units::ratio:
            case Units::truth:
                return e_.nodes[i].arity == 2 ? other() : Quantity();
            case Units::second:
                return k == 0 ? Quantity() : whole;
            default:
                return power(whole, 1 / power_of(units));
        }
    }

    const Expression& e_;
    std::span<Quantity> of_;
};

}  // namespace

Dimension::Dimension(const std::array<double, kBases>& exponents) noexcept {
    for (std::size_t k = 0; k < kBases; ++k) counts_[k] = counted(exponents[k] * kDenominator);
}

Dimension Dimension::times(const Dimension& other, double power) const noexcept {
    Dimension result;
    for (std::size_t k = 0; k < kBases; ++k) result.counts_[k] = counted(counts_[k] + power * other.counts_[k]);
    return result;
}

std::string to_text(const Dimension& dimension) {
    constexpr const char* kNames[] = {"m", "kg", "s", "A", "K", "mol", "cd"};
    constexpr int kDigits = 6;
    std::string text;
    for (std::size_t k = 0; k < Dimension::kBases; ++k) {
        const double exponent = dimension.exponent(k);
        if (exponent == 0) continue;
        if (!text.empty()) text += ' ';
        text += kNames[k];
        if (exponent != 1) text += "^" + number_text(exponent, kDigits);
    }
    return text.empty() ? "1" : text;
}

// Gauss and Jordan: a row for each base unit, a column for each base, and one for what is wanted.
std::optional<std::vector<double>> powers_that_make(const Dimension& wanted, std::span<const Dimension> bases) {
    constexpr double kZero = 1e-9;
    const std::size_t n = bases.size();
    std::array<std::vector<double>, Dimension::kBases> rows;
    for (std::size_t r = 0; r < rows.size(); ++r) {
        for (const Dimension& base : bases) rows[r].push_back(base.exponent(r));
        rows[r].push_back(wanted.exponent(r));
    }
    std::vector<double> powers(n, 0);
    std::vector<std::size_t> pivots;  // by row
    for (std::size_t c = 0; c < n && pivots.size() < rows.size(); ++c) {
        const std::size_t top = pivots.size();
        const auto larger = [c](const auto& a, const auto& b) { return std::abs(a[c]) < std::abs(b[c]); };
        const auto pivot = std::max_element(rows.begin() + static_cast<std::ptrdiff_t>(top), rows.end(), larger);
        if (std::abs((*pivot)[c]) < kZero) continue;
        std::swap(rows[top], *pivot);
        for (std::size_t r = 0; r < rows.size(); ++r) {
            if (r == top) continue;
            const double factor = rows[r][c] / rows[top][c];
            for (std::size_t k = c; k <= n; ++k) rows[r][k] -= factor * rows[top][k];
        }
        pivots.push_back(c);
    }
    for (std::size_t r = 0; r < pivots.size(); ++r) powers[pivots[r]] = rows[r][n] / rows[r][pivots[r]];
    for (std::size_t r = pivots.size(); r < rows.size(); ++r) {
        if (std::abs(rows[r][n]) > kZero) return std::nullopt;
    }
    return powers;
}

std::optional<Quantity> dimension_of(Op op, std::span<const Quantity> operands, double exponent,
                                     const OperatorSet& operators) noexcept {
    if (!OperatorSet::is_user(op)) return of_builtin(info(op).units, operands, exponent);
    if (operators.user(op).is_compiled()) {
        return std::ranges::all_of(operands, may_be_number) ? std::optional<Quantity>(Dimension()) : std::nullopt;
    }
    const Expression& body = operators.user(op).body;
    std::array<Quantity, kMaxNodes> of;
    if (find_dimensions(body, operands, Dimension(), operators, of)) return std::nullopt;
    return of[body.root()];
}

std::optional<Quantity> dimension_of(const Expression& expression, const DataDimensions& dimensions,
                                     const OperatorSet& operators) noexcept {
    std::array<Quantity, kMaxNodes> of;
    if (find_dimensions(expression, dimensions.features, of_constants(dimensions), operators, of)) return std::nullopt;
    return of[expression.root()];
}

std::optional<std::size_t> dimension_violation(const Expression& expression, const DataDimensions& dimensions,
                                               const OperatorSet& operators) noexcept {
    std::array<Quantity, kMaxNodes> of;
    if (const auto at = find_dimensions(expression, dimensions.features, of_constants(dimensions), operators, of)) {
        return at;
    }
    const Quantity& whole = of[expression.root()];
    if (whole && dimensions.target && *whole != *dimensions.target) return expression.root();
    return std::nullopt;
}

std::vector<Quantity> dimensions_of_constants(const Expression& expression, const DataDimensions& dimensions,
                                              const OperatorSet& operators) {
    std::array<Quantity, kMaxNodes> of;
    std::vector<Quantity> result;
    if (!find_dimensions(expression, dimensions.features, of_constants(dimensions), operators, of)) {
        if (!of[expression.root()]) of[expression.root()] = dimensions.target;
        Downwards(expression, of).run();
    }
    for (std::size_t i = 0; i < expression.size(); ++i) {
        if (expression.nodes[i].op == Op::Constant) result.push_back(of[i]);
    }
    return result;
}

}  // namespace balmer
