// The text of a ParseError.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace balmer::detail {

/// `text` fit to be shown: control characters are blanks, what is not UTF-8 is '?', the middle of a long one is left out.
[[nodiscard]] std::string shown(std::string_view text);

/// Throws ParseError: "what at position p: hint", then the line of the text that holds the place, a caret below it.
/// `hint` may be empty.
[[noreturn]] void fail(std::string_view text, std::size_t position, const std::string& what,
                       const std::string& hint = {});

}  // namespace balmer::detail
