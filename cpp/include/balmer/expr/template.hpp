// Formulas of a given structure: a search finds their parts.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "balmer/expr/operator_set.hpp"

namespace balmer {

/// What a template makes of its parts, for evaluators and fits. Unlike in other expressions, a constant of index below
/// `n_free` may stand in several places, or in none: the numbers of a part that is called twice are the same ones. Those
/// after them are numbers of the template, which no fit changes.
struct Composed {
    Expression expression;
    std::size_t n_free = 0;
};

/// A formula with holes: "sin(f(x1, x2)) + g(x3)^2" over parts f and g that are to be found.
///
/// A value; const use from several threads is safe. The parts of one formula come as `roles`: an expression for each part,
/// feature k being its argument k, and, if there are parameters, a last one made by `parameters_role`.
class Template {
   public:
    /// Numbers that are fitted with the constants: p[1] to p[size], or p[v] with the one that a variable v tells.
    struct Parameters {
        std::string name;
        std::size_t size = 1;
    };

    /// `combine` is a formula as `parse` reads it, over `variables`, which are the features in their order, with
    /// - calls of the parts, which take as many arguments as they are first given, at least one;
    /// - p[2] and p[v]: one of the `parameters`, counted from 1, or that of the row's category v (a variable with values 1,
    ///   2, ... size);
    /// - D(f, 1)(x1, x2): the derivative of a part by an argument, counted from 1; D(D(f, 1), 2) is one of second order;
    /// - statements before the formula, separated by ";" or line ends: "a = f(x1); a + a^2", "df = D(f, 1); df(x1)".
    ///
    /// Throws ParseError, with the place, for a text that is none of this; std::invalid_argument for names that are no
    /// identifiers or come twice, for a part or a parameter that `combine` does not use, and for more than kMaxNodes nodes.
    Template(std::string combine, std::vector<std::string> parts, std::vector<std::string> variables,
             std::vector<Parameters> parameters = {}, const OperatorSet& operators = OperatorSet::builtin());

    [[nodiscard]] const std::string& combine() const noexcept { return combine_; }
    [[nodiscard]] const std::vector<std::string>& parts() const noexcept { return parts_; }
    [[nodiscard]] const std::vector<std::string>& variables() const noexcept { return variables_; }
    [[nodiscard]] const std::vector<Parameters>& parameters() const noexcept { return parameters_; }
    /// Arguments of each part.
    [[nodiscard]] const std::vector<std::size_t>& arities() const noexcept { return arities_; }
    /// Of all vectors of parameters together.
    [[nodiscard]] std::size_t n_parameters() const noexcept { return n_parameters_; }
    [[nodiscard]] std::size_t n_roles() const noexcept { return parts_.size() + (n_parameters_ > 0 ? 1 : 0); }

    /// A variable by which parameters are looked up: its values are 1, 2, ... `size`.
    struct Category {
        std::size_t feature = 0, size = 0;
    };
    [[nodiscard]] const std::vector<Category>& categories() const noexcept { return categories_; }

    /// The values of all parameters as a role; there is at least one.
    [[nodiscard]] static Expression parameters_role(std::span<const double> values);

    /// The parts put into the template. Nothing if that has more than kMaxNodes nodes, or needs a derivative that is no
    /// formula. The free constants are those of the roles, one role after the other.
    [[nodiscard]] std::optional<Composed> compose(std::span<const Expression> roles) const;

    /// The constants that a fit has found go back to the roles.
    static void take_back(const Composed& composed, std::span<Expression> roles);

    /// The same as an expression like any other, every constant its own. `sources` gets the index in `composed` of each.
    [[nodiscard]] static Expression written_out(const Composed& composed, std::vector<std::size_t>& sources);

   private:
    friend class TemplateReader;

    /// How the body calls a part: itself, or a derivative of it.
    struct Call {
        std::size_t part = 0;
        std::vector<std::uint32_t> by;  // arguments, counted from 0, by which it is differentiated one after the other
    };
    [[nodiscard]] std::optional<Expression> derivative_of(const Expression& part, const Call& call) const;

    std::string combine_;
    std::vector<std::string> parts_, variables_;
    std::vector<Parameters> parameters_;
    std::vector<std::size_t> arities_;
    std::vector<Category> categories_;
    std::size_t n_parameters_ = 0;
    OperatorSet operators_;       // the caller's, and one for each of calls_
    std::size_t first_call_ = 0;  // its place among the user operators
    std::vector<Call> calls_;
    Expression body_;  // features: the variables, then the parameters; its constants are the numbers of the template
};

}  // namespace balmer
