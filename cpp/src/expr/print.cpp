#include "balmer/expr/print.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "grammar.hpp"

namespace balmer {
namespace {

using detail::Precedence;

/// How the text column writes an operator.
struct Form {
    enum class Kind : std::uint8_t { call, infix, prefix } kind = Kind::call;
    std::string_view symbol = {};
    Precedence precedence = Precedence::atom;
};

constexpr Form form_of(std::string_view text) {
    if (text == "-a") return {Form::Kind::prefix, "-", Precedence::negation};
    if (text.size() > 4 && text.substr(0, 2) == "a " && text.substr(text.size() - 2) == " b") {
        const std::string_view symbol = text.substr(2, text.size() - 4);
        for (const detail::InfixSymbol& infix : detail::kInfixSymbols) {
            if (infix.symbol == symbol) return {Form::Kind::infix, symbol, infix.precedence};
        }
    }
    return {};
}

constexpr std::array kForms = {
#define BALMER_OP(id, names, arity, value, da, db, dc, text, ...) form_of(text),
#include "balmer/expr/operators.def"
#undef BALMER_OP
};

class TextPrinter {
   public:
    TextPrinter(const Expression& expression, std::span<const std::string> names, const OperatorSet& operators,
                PrintOptions options)
        : expression_(expression), names_(names), operators_(operators), options_(options) {}

    std::string run() {
        print(expression_.root(), Precedence::lowest);
        return std::move(out_);
    }

   private:
    [[nodiscard]] Form form(const Node& node) const {
        return OperatorSet::is_user(node.op) ? Form{} : kForms[static_cast<std::size_t>(node.op) - kFirstOp];
    }

    /// Writes the subtree that ends at `i`, between parentheses if it binds looser than `around`.
    void print(std::size_t i, Precedence around) {
        const Node& node = expression_.nodes[i];
        if (node.op == Op::Constant) return print_constant(expression_.constants[node.index], around);
        if (node.op == Op::Feature) return print_feature(node.index);
        const Form form = this->form(node);
        if (form.kind == Form::Kind::call) return print_call(i, node);
        const bool enclosed = form.precedence < around;
        if (enclosed) out_ += '(';
        if (form.kind == Form::Kind::prefix) {
            print_negation(i);
        } else {
            print_infix(i, form);
        }
        if (enclosed) out_ += ')';
    }

    void print_constant(double value, Precedence around) {
        // As the base of a power the sign would be read as that of the whole power.
        const bool enclosed = std::signbit(value) && !std::isnan(value) && around > Precedence::negation;
        if (enclosed) out_ += '(';
        out_ += number_text(value, options_.precision);
        if (enclosed) out_ += ')';
    }

    void print_feature(std::uint32_t index) {
        if (index >= names_.size()) {
            out_ += 'x';
            out_ += std::to_string(index);
        } else {
            print_name(names_[index]);
        }
    }

    void print_name(std::string_view name) {
        if (detail::is_identifier(name) && !detail::is_reserved(name)) {
            out_ += name;
            return;
        }
        out_ += '`';
        for (const char c : name) {
            if (c == '`') out_ += '`';
            out_ += c;
        }
        out_ += '`';
    }

    /// The operator's name; an alias if one of the user's operators hides it.
    [[nodiscard]] std::string_view call_name(const Node& node) const {
        const std::string_view name = operators_.name(node.op);
        const auto means_this = [&](std::string_view word) { return operators_.find(word, node.arity) == node.op; };
        if (OperatorSet::is_user(node.op) || operators_.user().empty() || means_this(name)) return name;
        for (std::string_view rest = info(node.op).aliases; !rest.empty();) {
            const std::string_view alias = rest.substr(0, rest.find(' '));
            if (means_this(alias)) return alias;
            rest.remove_prefix(std::min(alias.size() + 1, rest.size()));
        }
        return name;
    }

    void print_call(std::size_t i, const Node& node) {
        print_name(call_name(node));
        out_ += '(';
        for (std::size_t k = 0; k < node.arity; ++k) {
            if (k > 0) out_ += ", ";
            print(expression_.operand(i, k), Precedence::lowest);
        }
        out_ += ')';
    }

    void print_negation(std::size_t i) {
        const std::size_t operand = i - 1;
        const Op op = expression_.nodes[operand].op;
        // "-2" would be read as a constant, and "--x" is hard to read.
        const bool enclosed = op == Op::Constant || op == Op::Neg;
        out_ += '-';
        if (enclosed) out_ += '(';
        print(operand, enclosed ? Precedence::lowest : Precedence::negation);
        if (enclosed) out_ += ')';
    }

    void print_infix(std::size_t i, const Form& form) {
        // The tree must come back as it is: the operand on the side to which the operator does not associate is enclosed
        // if it binds equally tight.
        const auto tighter = static_cast<Precedence>(static_cast<int>(form.precedence) + 1);
        const bool right = form.precedence == Precedence::power;
        const bool left = !right && form.precedence != Precedence::comparison;  // comparisons do not chain
        print(expression_.operand(i, 0), left ? form.precedence : tighter);
        out_ += ' ';
        out_ += form.symbol;
        out_ += ' ';
        const std::size_t last = i - 1;
        const Node& operand = expression_.nodes[last];
        const bool signed_power = right && (operand.op == Op::Neg || is_negative(operand));
        // 2 ^ -x needs no parentheses: a sign after an operator is the operand's.
        print(last, signed_power ? Precedence::negation : right ? form.precedence : tighter);
    }

    [[nodiscard]] bool is_negative(const Node& node) const {
        return node.op == Op::Constant && std::signbit(expression_.constants[node.index]);
    }

    const Expression& expression_;
    std::span<const std::string> names_;
    const OperatorSet& operators_;
    PrintOptions options_;
    std::string out_;
};

}  // namespace

std::string number_text(double value, int precision) {
    if (std::isnan(value)) return "nan";
    if (std::isinf(value)) return value < 0 ? "-inf" : "inf";

    // d.ddde±xx, from which the digits are laid out as one reads them best: to_chars would write 100000 as 1e+05.
    char buffer[64];
    constexpr auto kScientific = std::chars_format::scientific;
    const double magnitude = std::fabs(value);
    const std::to_chars_result end =
        precision >= 17
            ? std::to_chars(buffer, buffer + sizeof buffer, magnitude, kScientific)
            : std::to_chars(buffer, buffer + sizeof buffer, magnitude, kScientific, std::max(precision, 1) - 1);
    const std::string_view text(buffer, static_cast<std::size_t>(end.ptr - buffer));
    const std::size_t e = text.find('e');
    int exponent = 0;
    const char* const first = text.data() + e + (text[e + 1] == '+' ? 2 : 1);
    std::from_chars(first, end.ptr, exponent);
    std::string digits(text.substr(0, 1));
    if (e > 1) digits += text.substr(2, e - 2);
    while (digits.size() > 1 && digits.back() == '0') digits.pop_back();

    std::string result = std::signbit(value) ? "-" : "";
    const int count = static_cast<int>(digits.size());
    if (exponent < -4 || exponent >= 16) {
        result += digits.substr(0, 1);
        if (count > 1) result += "." + digits.substr(1);
        result += "e" + std::to_string(exponent);
    } else if (exponent < 0) {
        result += "0." + std::string(static_cast<std::size_t>(-exponent - 1), '0') + digits;
    } else if (count <= exponent + 1) {
        result += digits + std::string(static_cast<std::size_t>(exponent + 1 - count), '0');
    } else {
        const auto point = static_cast<std::size_t>(exponent + 1);
        result += digits.substr(0, point) + "." + digits.substr(point);
    }
    return result;
}

std::string to_text(const Expression& expression, std::span<const std::string> names, const OperatorSet& operators,
                    PrintOptions options) {
    return TextPrinter(expression, names, operators, options).run();
}

}  // namespace balmer
