// to_latex: the table's templates, with parentheses only where the place of an operand in its template needs them.
#include <cmath>
#include <string_view>

#include "balmer/expr/print.hpp"
#include "grammar.hpp"

namespace balmer {
namespace {

using detail::Precedence;

constexpr bool starts_with(std::string_view text, std::string_view with) noexcept {
    return text.substr(0, with.size()) == with;
}

constexpr bool ends_with(std::string_view text, std::string_view with) noexcept {
    return text.size() >= with.size() && text.substr(text.size() - with.size()) == with;
}

constexpr std::string_view trimmed(std::string_view text) noexcept {
    while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
    while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
    return text;
}

/// How tight a template (or a number) holds together when seen from outside: by the symbols that are in no bracket.
constexpr Precedence precedence_of(std::string_view latex) noexcept {
    int depth = 0;
    Precedence precedence = Precedence::atom;
    const auto loosen = [&](Precedence to) { precedence = to < precedence ? to : precedence; };
    if (starts_with(latex, "-")) loosen(Precedence::sum);
    // A fraction is read as a bracket, except under an exponent.
    if (starts_with(latex, "\\frac")) loosen(Precedence::power);
    for (std::size_t k = 0; k < latex.size(); ++k) {
        const std::string_view rest = latex.substr(k);
        if (rest[0] == '{' || starts_with(rest, "\\left")) {
            ++depth;
        } else if (rest[0] == '}' || starts_with(rest, "\\right")) {
            --depth;
        } else if (depth == 0 && k > 0) {
            if (starts_with(rest, " + ") || starts_with(rest, " - ")) loosen(Precedence::sum);
            if (starts_with(rest, "\\cdot ")) loosen(Precedence::product);
            // Nobody agrees how tight "mod" binds: enclosed in every sum and product.
            if (starts_with(rest, "\\bmod ")) loosen(Precedence::comparison);
            if (rest[0] == '^') loosen(Precedence::power);
        }
    }
    return precedence;
}

/// What an operand must be in order to stand in a place without parentheses.
struct Place {
    Precedence at_least = Precedence::lowest;
    bool after_symbol = false;  ///< after + - or \cdot: must not begin with a minus
};

/// `before` and `after` are the template's text on the two sides of the operand.
constexpr Place place_of(std::string_view before, std::string_view after) noexcept {
    before = trimmed(before);
    after = trimmed(after);
    Place place;
    const auto require = [&](Precedence precedence, bool symbol) {
        if (precedence > place.at_least) place.at_least = precedence;
        place.after_symbol = place.after_symbol || symbol;
    };
    if (starts_with(after, "}^") || starts_with(after, "^")) require(Precedence::atom, false);
    if (starts_with(after, "+") || starts_with(after, "-")) require(Precedence::sum, false);
    if (starts_with(after, "\\cdot")) require(Precedence::product, false);
    if (starts_with(after, "\\bmod")) require(Precedence::power, false);
    if (ends_with(before, "+")) require(Precedence::sum, true);
    if (ends_with(before, "-")) require(Precedence::product, true);
    if (ends_with(before, "\\cdot")) require(Precedence::product, true);
    if (ends_with(before, "\\bmod")) require(Precedence::power, true);
    return place;
}

std::string latex_number(double value, int precision) {
    if (std::isnan(value)) return "\\mathrm{NaN}";
    if (std::isinf(value)) return value < 0 ? "-\\infty" : "\\infty";
    std::string text = number_text(value, precision);
    const std::size_t e = text.find('e');
    if (e == std::string::npos) return text;
    std::string power = "10^{" + text.substr(e + 1) + "}";
    const std::string mantissa = text.substr(0, e);
    if (mantissa == "1") return power;
    if (mantissa == "-1") return "-" + power;
    return mantissa + " \\cdot " + power;
}

/// The name in roman letters, whatever LaTeX reads as a command made harmless.
std::string roman(std::string_view command, std::string_view name) {
    std::string result = std::string(command) + "{";
    for (const char c : name) {
        switch (c) {
            case '_':
            case '%':
            case '#':
            case '&':
            case '$':
            case '{':
            case '}':
            case ' ':
                result += '\\';
                result += c;
                break;
            case '\\':
                result += "\\backslash{}";
                break;
            case '^':
                result += "\\hat{}";
                break;
            case '~':
                result += "\\sim{}";
                break;
            default:
                result += c;
        }
    }
    return result + "}";
}

/// x as x, x12 and x_12 as x_{12}, velocity2 as \mathrm{velocity}_{2}.
std::string latex_name(std::string_view name) {
    std::size_t stem = name.size();
    while (stem > 0 && detail::is_digit(name[stem - 1])) --stem;
    const std::string_view index = name.substr(stem);
    std::string_view letters = name.substr(0, stem);
    if (!index.empty() && letters.size() > 1 && letters.back() == '_') letters.remove_suffix(1);
    if (letters.empty()) return roman("\\mathrm", name);

    const bool is_letter = letters.size() == 1 && detail::is_letter(letters[0]) && letters[0] != '_';
    std::string result = is_letter ? std::string(letters) : roman("\\mathrm", letters);
    if (!index.empty()) result += "_{" + std::string(index) + "}";
    return result;
}

class LatexPrinter {
   public:
    LatexPrinter(const Expression& expression, std::span<const std::string> names, const OperatorSet& operators,
                 PrintOptions options)
        : expression_(expression), names_(names), operators_(operators), options_(options) {}

    std::string run() {
        print(expression_.root());
        return std::move(out_);
    }

   private:
    void print(std::size_t i) {
        const Node& node = expression_.nodes[i];
        if (node.op == Op::Constant) {
            out_ += latex_number(expression_.constants[node.index], options_.precision);
        } else if (node.op == Op::Feature) {
            out_ += latex_name(node.index < names_.size() ? names_[node.index] : "x" + std::to_string(node.index));
        } else if (OperatorSet::is_user(node.op)) {
            print_call(i, node);
        } else {
            print_template(i, info(node.op).latex);
        }
    }

    void print_call(std::size_t i, const Node& node) {
        out_ += roman("\\operatorname", operators_.name(node.op)) + "\\left(";
        for (std::size_t k = 0; k < node.arity; ++k) {
            if (k > 0) out_ += ", ";
            print(expression_.operand(i, k));
        }
        out_ += "\\right)";
    }

    void print_template(std::size_t i, std::string_view latex) {
        for (std::size_t k = 0; k < latex.size(); ++k) {
            if (latex[k] != '$') {
                out_ += latex[k];
                continue;
            }
            const auto operand = expression_.operand(i, static_cast<std::size_t>(latex[k + 1] - 'a'));
            // An operand that is first in its template may be after a symbol of the template around it: the minus that
            // it begins with is found there by begins_with_minus.
            print_operand(operand, place_of(latex.substr(0, k), latex.substr(k + 2)));
            ++k;
        }
    }

    void print_operand(std::size_t i, const Place& place) {
        const bool enclosed = outer_precedence(i) < place.at_least || (place.after_symbol && begins_with_minus(i));
        if (enclosed) out_ += "\\left(";
        print(i);
        if (enclosed) out_ += "\\right)";
    }

    [[nodiscard]] Precedence outer_precedence(std::size_t i) const {
        const Node& node = expression_.nodes[i];
        if (node.op == Op::Feature || OperatorSet::is_user(node.op)) return Precedence::atom;
        if (node.op != Op::Constant) return precedence_of(info(node.op).latex);
        const double value = expression_.constants[node.index];
        if (std::isnan(value)) return Precedence::atom;
        if (value < 0 || std::signbit(value)) return Precedence::product;  // -2 x is fine, (-2)^x is not
        return precedence_of(latex_number(value, options_.precision));
    }

    [[nodiscard]] bool begins_with_minus(std::size_t i) const {
        for (;;) {
            const Node& node = expression_.nodes[i];
            if (node.op == Op::Constant) {
                const double value = expression_.constants[node.index];
                return std::signbit(value) && !std::isnan(value);
            }
            if (node.arity == 0 || OperatorSet::is_user(node.op)) return false;
            const std::string_view latex = info(node.op).latex;
            if (starts_with(latex, "-")) return true;
            if (!starts_with(latex, "$")) return false;
            const auto operand = expression_.operand(i, static_cast<std::size_t>(latex[1] - 'a'));
            if (outer_precedence(operand) < place_of({}, latex.substr(2)).at_least) return false;  // in parentheses
            i = operand;
        }
    }

    const Expression& expression_;
    std::span<const std::string> names_;
    const OperatorSet& operators_;
    PrintOptions options_;
    std::string out_;
};

}  // namespace

std::string to_latex(const Expression& expression, std::span<const std::string> names, const OperatorSet& operators,
                     PrintOptions options) {
    return LatexPrinter(expression, names, operators, options).run();
}

}  // namespace balmer
