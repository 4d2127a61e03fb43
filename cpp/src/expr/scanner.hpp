// Reads the tokens of a formula.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "grammar.hpp"

namespace balmer::detail {

/// A name as it stands in the text.
struct Name {
    std::string text;      ///< without backquotes
    std::size_t position;  ///< of its first byte, the backquote if there is one
    bool quoted;
};

/// A position in a text, and what can be read there. All functions but `at_end` and `peek` step over leading blanks.
class Scanner {
   public:
    Scanner(std::string_view text, std::size_t position) : text_(text), position_(position) {}

    [[nodiscard]] std::string_view text() const noexcept { return text_; }
    [[nodiscard]] std::size_t position() const noexcept { return position_; }
    void go_to(std::size_t position) noexcept { position_ = position; }

    void skip_blanks() noexcept {
        while (!at_end() && is_blank(text_[position_])) ++position_;
    }
    [[nodiscard]] bool at_end() const noexcept { return position_ >= text_.size(); }
    /// The character `ahead` of the position, 0 beyond the end.
    [[nodiscard]] char peek(std::size_t ahead = 0) const noexcept {
        return ahead < text_.size() - position_ ? text_[position_ + ahead] : '\0';
    }

    /// Whether `symbol` stands here.
    [[nodiscard]] bool sees(std::string_view symbol) noexcept {
        skip_blanks();
        return text_.substr(position_, symbol.size()) == symbol;
    }
    /// Steps over `symbol` if it stands here.
    bool take(std::string_view symbol) noexcept {
        if (!sees(symbol)) return false;
        position_ += symbol.size();
        return true;
    }

    /// A number without sign: 1, 1.5, 2., .5, 1e-3, and Julia's 1f0. Throws ParseError for one that is too large.
    [[nodiscard]] std::optional<double> number();

    /// A name, bare or between backquotes (where two stand for one). Throws ParseError for quotes that are not closed.
    [[nodiscard]] std::optional<Name> name();

   private:
    std::string_view text_;
    std::size_t position_;
};

}  // namespace balmer::detail
