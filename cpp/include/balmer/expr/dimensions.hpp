// Physical dimensions: what kind of quantity each part of a formula is.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "balmer/expr/operator_set.hpp"

namespace balmer {

/// Exponents of metre, kilogram, second, ampere, kelvin, mole and candela. A newton is {1, 1, -2, 0, 0, 0, 0}; angles are
/// numbers. Exponents are counted in 1 / 25200, so halves to tenths are exact; others are rounded, and those beyond +-39,000
/// end there.
class Dimension {
   public:
    static constexpr std::size_t kBases = 7;
    static constexpr int kDenominator = 25'200;

    /// Of a number.
    constexpr Dimension() = default;
    explicit Dimension(const std::array<double, kBases>& exponents) noexcept;

    [[nodiscard]] double exponent(std::size_t base) const noexcept {
        return static_cast<double>(counts_[base]) / kDenominator;
    }
    [[nodiscard]] constexpr bool is_number() const noexcept { return *this == Dimension(); }

    [[nodiscard]] Dimension times(const Dimension& other, double power = 1) const noexcept;  ///< this * other^power
    [[nodiscard]] Dimension to_the(double power) const noexcept { return Dimension().times(*this, power); }
    friend constexpr bool operator==(const Dimension&, const Dimension&) = default;

   private:
    std::array<std::int32_t, kBases> counts_{};
};

/// Base units and their exponents: "m kg s^-2"; "1" for a number.
[[nodiscard]] std::string to_text(const Dimension& dimension);

/// Exponents with which powers of `bases` make `wanted`, 0 for those that are not needed; nullopt if none do.
[[nodiscard]] std::optional<std::vector<double>> powers_that_make(const Dimension& wanted,
                                                                  std::span<const Dimension> bases);

/// The dimension of a part of a formula; nullopt: any, whichever is needed.
using Quantity = std::optional<Dimension>;

/// What is known of the dimensions of the data, and what constants may have.
struct DataDimensions {
    std::vector<Quantity> features;             ///< one for each; empty: they are numbers
    Quantity target;                            ///< nullopt: any
    bool dimensionless_constants_only = false;  ///< constants are numbers; else each has the dimension that it needs

    /// Whether there is anything to keep to.
    [[nodiscard]] bool given() const noexcept { return !features.empty() || target; }
};

/// The dimension of an operator's value, by its column `units` in operators.def and, for a user operator, by its body, the
/// constants of which are numbers; compiled code takes numbers and gives one. Nullopt where the operands violate it. `exponent`: the value of the last operand of a power, if that is a
/// constant, else NaN.
[[nodiscard]] std::optional<Quantity> dimension_of(Op op, std::span<const Quantity> operands, double exponent,
                                                   const OperatorSet& operators) noexcept;

/// The dimension of a formula's value; nullopt where it violates the rules. The target does not matter.
[[nodiscard]] std::optional<Quantity> dimension_of(const Expression& expression, const DataDimensions& dimensions,
                                                   const OperatorSet& operators) noexcept;

/// The node at which the formula violates the dimensions; its root if the whole has another one than the target. Nullopt if it
/// keeps to them. Features beyond those given are numbers.
///
/// A constant times a quantity may be any other, so a formula is valid if some choice of units for its constants makes it so.
/// Rules: + - min max hypot mod and comparisons need operands of one dimension; * / and powers combine them; exponents that are not
/// constant, and operands of sin, exp, log, ... must be numbers.
[[nodiscard]] std::optional<std::size_t> dimension_violation(const Expression& expression,
                                                             const DataDimensions& dimensions,
                                                             const OperatorSet& operators) noexcept;

/// The dimension that each constant must have, in the order in which they stand; nullopt where the others' leave a choice. The
/// formula keeps to the dimensions.
[[nodiscard]] std::vector<Quantity> dimensions_of_constants(const Expression& expression,
                                                            const DataDimensions& dimensions,
                                                            const OperatorSet& operators);

}  // namespace balmer
