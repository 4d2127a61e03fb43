// Reads the text of a template.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "balmer/expr/template.hpp"
#include "expr/scanner.hpp"

namespace balmer {

/// Fills in what a Template makes of its text. Calls of parts, derivatives and parameters become names between backquotes,
/// "`D(f, 1)`(x1, x2) + `p[2]`", which the parser of formulas reads as operators and variables.
class TemplateReader {
   public:
    /// The template has its text and its names, and the user's operators.
    explicit TemplateReader(Template& result);

    void run();

   private:
    using Call = Template::Call;

    void check_names() const;
    [[nodiscard]] std::vector<std::pair<std::size_t, std::size_t>> statements() const;
    bool read_assignment(std::size_t end);
    [[nodiscard]] Expression read_formula(std::size_t end);
    [[nodiscard]] std::string quoted_names(std::size_t end);
    void check_use() const;

    std::optional<Call> read_callable(std::size_t end);
    [[nodiscard]] Call read_derivative(std::size_t position, std::size_t end);
    [[nodiscard]] std::string callable_name(const Call& call) const;
    void see_call(const Call& call, std::size_t position);
    [[nodiscard]] std::size_t count_arguments(const std::string& name, std::size_t position) const;
    [[nodiscard]] std::string read_parameter(std::size_t which, std::size_t position);
    [[nodiscard]] Expression looked_up(std::size_t which, std::size_t feature);
    [[nodiscard]] std::uint32_t slot(std::size_t which, std::size_t k) const noexcept;
    void define(std::string name, Expression meaning);
    [[noreturn]] void fail(std::size_t position, const std::string& what, const std::string& hint = {}) const;

    Template& t_;
    std::string_view text_;
    detail::Scanner scanner_;
    std::map<std::string, Call> derivatives_;  // names that statements gave to derivatives
    std::vector<std::string> names_;           // of variables and parameters, then of what was defined
    std::vector<Expression> meanings_;         // of names_, over variables and parameters
};

}  // namespace balmer
