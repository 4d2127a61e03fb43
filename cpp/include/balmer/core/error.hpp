// What a wrong argument throws. A numerical failure is a result, not an exception.
#pragma once

#include <stdexcept>
#include <string>

namespace balmer {

/// A text that is not a formula: the message holds the text, a caret under the place, and what was expected.
class ParseError : public std::invalid_argument {
   public:
    ParseError(const std::string& message, std::size_t position)
        : std::invalid_argument(message), position_(position) {}

    /// Offset in bytes of the place in the text.
    [[nodiscard]] std::size_t position() const noexcept { return position_; }

   private:
    std::size_t position_;
};

}  // namespace balmer
