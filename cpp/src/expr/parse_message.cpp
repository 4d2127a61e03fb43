#include "parse_message.hpp"

#include <algorithm>
#include <utility>

#include "balmer/core/error.hpp"

namespace balmer::detail {
namespace {

constexpr std::size_t kLongestShown = 60;
constexpr std::size_t kContext = 40;  // bytes shown before and after the place of an error

constexpr bool continues(char c) noexcept { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }

/// Bytes of the UTF-8 sequence at the start of `text`, 0 if there is none: an exception's text must be valid for Python.
std::size_t sequence_length(std::string_view text) noexcept {
    const auto byte = [&](std::size_t k) { return static_cast<unsigned char>(text[k]); };
    const unsigned char first = byte(0);
    const std::size_t length = first < 0x80                    ? 1
                               : first >= 0xC2 && first < 0xE0 ? 2
                               : (first & 0xF0) == 0xE0        ? 3
                               : first >= 0xF0 && first < 0xF5 ? 4
                                                               : 0;
    if (length == 0 || length > text.size()) return 0;
    for (std::size_t k = 1; k < length; ++k) {
        if (!continues(text[k])) return 0;
    }
    // Overlong forms, surrogates, and what lies beyond the last code point.
    const bool wrong = length >= 3 && ((first == 0xE0 && byte(1) < 0xA0) || (first == 0xED && byte(1) >= 0xA0) ||
                                       (first == 0xF0 && byte(1) < 0x90) || (first == 0xF4 && byte(1) >= 0x90));
    return wrong ? 0 : length;
}

/// The text with every byte or sequence that cannot be shown replaced, and the number of columns that it takes.
std::pair<std::string, std::size_t> clean(std::string_view text) {
    std::string result;
    std::size_t columns = 0;
    while (!text.empty()) {
        const std::size_t length = sequence_length(text);
        if (length == 0) {
            result += '?';
        } else if (length == 1) {
            const bool control = static_cast<unsigned char>(text[0]) < 0x20 || text[0] == 0x7F;
            result += control ? ' ' : text[0];
        } else {
            result += text.substr(0, length);
        }
        text.remove_prefix(std::max<std::size_t>(length, 1));
        ++columns;
    }
    return {result, columns};
}

}  // namespace

std::string shown(std::string_view text) {
    if (text.size() <= kLongestShown) return clean(text).first;
    return clean(text.substr(0, kLongestShown / 2)).first + "..." +
           clean(text.substr(text.size() - kLongestShown / 4)).first;
}

void fail(std::string_view text, std::size_t position, const std::string& what, const std::string& hint) {
    std::size_t begin = position > kContext ? position - kContext : 0;
    std::size_t end = std::min(text.size(), position + kContext);
    for (int k = 0; k < 3 && begin > 0 && continues(text[begin]); ++k) --begin;
    for (int k = 0; k < 3 && end < text.size() && continues(text[end]); ++k) ++end;

    const auto [before, columns] = clean(text.substr(begin, position - begin));
    const std::string after = clean(text.substr(position, end - position)).first;
    const std::string dots_before = begin > 0 ? "..." : "";
    const std::string dots_after = end < text.size() ? "..." : "";

    std::string message = what + " at position " + std::to_string(position);
    if (!hint.empty()) message += ": " + hint;
    message += "\n  " + dots_before + before + after + dots_after;
    message += "\n  " + std::string(dots_before.size() + columns, ' ') + "^";
    throw ParseError(message, position);
}

}  // namespace balmer::detail
