// The text in which a search is saved.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "balmer/evolve/candidate.hpp"
#include "balmer/expr/operator_set.hpp"

namespace balmer {

/// Words separated by blanks, in lines that begin with a label. Numbers are exact: doubles are the 16 hexadecimal digits of
/// their bits. The last line holds a checksum of all before.
class StateWriter {
   public:
    StateWriter& line(std::string_view label);
    StateWriter& word(std::string_view word);
    /// Any text, as one word.
    StateWriter& text(std::string_view text);
    StateWriter& number(std::uint64_t value);
    StateWriter& real(double value);
    StateWriter& candidate(const Candidate& candidate, const OperatorSet& operators);

    /// The whole text.
    [[nodiscard]] std::string finish() &&;

   private:
    void expression(const Expression& expression, const OperatorSet& operators);
    std::string text_;
};

/// Reads what StateWriter wrote, in the same order. Throws std::invalid_argument, with the number of the line, for
/// anything else.
class StateReader {
   public:
    /// Checks the checksum. `text` must outlive the reader.
    explicit StateReader(std::string_view text);

    /// The next line must have this label.
    void line(std::string_view label);
    [[nodiscard]] std::string_view word();
    [[nodiscard]] std::string text();
    [[nodiscard]] std::uint64_t number();
    /// A number that is at most `limit`.
    [[nodiscard]] std::size_t count(std::size_t limit);
    [[nodiscard]] double real();
    /// A candidate with a number of roles in that range.
    [[nodiscard]] Candidate candidate(const OperatorSet& operators, std::size_t n_features, std::size_t least_roles,
                                      std::size_t most_roles);

   private:
    [[noreturn]] void fail(const std::string& what) const;
    [[nodiscard]] Expression expression(const OperatorSet& operators, std::size_t n_features);

    std::string_view rest_, line_;
    int line_number_ = 0;
};

}  // namespace balmer
