#include "scanner.hpp"

#include <charconv>
#include <system_error>

#include "parse_message.hpp"

namespace balmer::detail {
namespace {

/// Whether a decimal that does not fit a double is too large for one (else it is too small). Its mantissa may have many
/// digits, so the exponent alone does not say.
bool is_large(std::string_view digits, long exponent) noexcept {
    long scale = 0;  // decimal exponent of the first digit that is not 0
    bool point = false;
    bool found = false;
    for (const char c : digits) {
        if (c == '.') {
            point = true;
        } else if (!found && c != '0') {
            found = true;
            if (point) --scale;
        } else if (!point && found) {
            ++scale;
        } else if (point && !found) {
            --scale;
        }
    }
    return found && scale + exponent > 0;
}

}  // namespace

std::optional<double> Scanner::number() {
    skip_blanks();
    if (!is_digit(peek()) && !(peek() == '.' && is_digit(peek(1)))) return std::nullopt;
    const std::size_t begin = position_;
    while (is_digit(peek())) ++position_;
    if (peek() == '.') ++position_;
    while (is_digit(peek())) ++position_;
    const std::string_view digits = text_.substr(begin, position_ - begin);

    // An "e" is the exponent's only if digits follow: otherwise it is a name, and the caller will complain.
    long exponent = 0;
    const char letter = peek();
    const std::size_t sign = peek(1) == '+' || peek(1) == '-' ? 1 : 0;
    if ((letter == 'e' || letter == 'E' || letter == 'f') && is_digit(peek(1 + sign))) {
        const bool negative = sign == 1 && peek(1) == '-';
        position_ += 1 + sign;
        for (; is_digit(peek()); ++position_) {
            if (exponent < 100'000'000) exponent = 10 * exponent + (peek() - '0');
        }
        if (negative) exponent = -exponent;
    }

    // Put together anew, because from_chars knows neither "f" nor "+" in an exponent of ours cut to fit.
    const std::string decimal = std::string(digits) + "e" + std::to_string(exponent);
    double value = 0;
    const auto [end, error] = std::from_chars(decimal.data(), decimal.data() + decimal.size(), value);
    if (error == std::errc::result_out_of_range) {
        if (is_large(digits, exponent))
            fail(text_, begin,
                 "the number " + shown(text_.substr(begin, position_ - begin)) + " is too large for a double,");
        return 0.0;
    }
    return value;
}

std::optional<Name> Scanner::name() {
    skip_blanks();
    const std::size_t begin = position_;
    if (peek() == '`') {
        std::string name;
        for (++position_; !at_end(); ++position_) {
            if (peek() == '`') {
                ++position_;
                if (peek() != '`') return Name{std::move(name), begin, true};
            }
            name += peek();
        }
        fail(text_, begin, "the backquote is not closed");
    }
    if (!is_letter(peek())) return std::nullopt;
    while (is_letter(peek()) || is_digit(peek())) ++position_;
    return Name{std::string(text_.substr(begin, position_ - begin)), begin, false};
}

}  // namespace balmer::detail
