// What the parser and the printers agree on: precedences, infix symbols, and which names can stand as they are.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

#include "balmer/expr/op.hpp"
#include "op_names.hpp"

namespace balmer::detail {

/// From loosest to tightest. A prefix minus binds tighter than a product and looser than a power: -x^2 is -(x^2).
enum class Precedence : std::uint8_t {
    lowest,
    ternary,
    logical_or,
    logical_and,
    comparison,
    sum,
    product,
    negation,
    power,
    atom
};

struct InfixSymbol {
    std::string_view symbol;
    Precedence precedence;
    Op op;
};

consteval InfixSymbol infix(std::string_view symbol, Precedence precedence) {
    return {symbol, precedence, find_builtin(symbol)->op};
}

/// Longer symbols before those that they begin with.
inline constexpr std::array kInfixSymbols = {
    infix("||", Precedence::logical_or), infix("&&", Precedence::logical_and), infix("<=", Precedence::comparison),
    infix(">=", Precedence::comparison), infix("==", Precedence::comparison),  infix("<", Precedence::comparison),
    infix(">", Precedence::comparison),  infix("+", Precedence::sum),          infix("-", Precedence::sum),
    infix("**", Precedence::power),      infix("*", Precedence::product),      infix("/", Precedence::product),
    infix("%", Precedence::product),     infix("^", Precedence::power),
};

constexpr bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }
constexpr bool is_blank(char c) noexcept { return c == ' ' || (c >= '\t' && c <= '\r'); }

/// Letters are the ASCII ones, the underscore and everything beyond ASCII: x₀ and θ are names.
constexpr bool is_letter(char c) noexcept {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || static_cast<unsigned char>(c) >= 0x80;
}

/// Names that always mean the constant, unless between backquotes. The printer writes them.
constexpr bool is_reserved(std::string_view name) noexcept { return name == "inf" || name == "nan"; }

constexpr bool is_identifier(std::string_view name) noexcept {
    if (name.empty() || !is_letter(name[0])) return false;
    for (const char c : name) {
        if (!is_letter(c) && !is_digit(c)) return false;
    }
    return true;
}

}  // namespace balmer::detail
