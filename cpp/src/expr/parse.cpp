#include "balmer/expr/parse.hpp"

#include <algorithm>
#include <limits>
#include <numbers>
#include <utility>
#include <vector>

#include "algebra.hpp"
#include "nearest.hpp"
#include "parse_message.hpp"
#include "scanner.hpp"

namespace balmer {
namespace {

using detail::fail;
using detail::Name;
using detail::Precedence;
using detail::shown;

std::string quoted(std::string_view name) { return "'" + shown(name) + "'"; }

/// "x₁₂" as "x12".
std::string without_subscripts(std::string_view name) {
    std::string result;
    for (std::size_t i = 0; i < name.size(); ++i) {
        const bool subscript = name.substr(i, 2) == "\xE2\x82" && i + 2 < name.size() &&
                               static_cast<unsigned char>(name[i + 2]) >= 0x80 &&
                               static_cast<unsigned char>(name[i + 2]) <= 0x89;
        if (subscript) {
            result += static_cast<char>('0' + (static_cast<unsigned char>(name[i + 2]) - 0x80));
            i += 2;
        } else {
            result += name[i];
        }
    }
    return result;
}

/// The k of "xk", written without leading zeros.
std::optional<std::uint32_t> default_index(std::string_view name) noexcept {
    if (name.size() < 2 || name.size() > 10 || name[0] != 'x') return std::nullopt;
    if (name[1] == '0' && name.size() > 2) return std::nullopt;
    std::uint32_t index = 0;
    for (const char c : name.substr(1)) {
        if (!detail::is_digit(c)) return std::nullopt;
        index = 10 * index + static_cast<std::uint32_t>(c - '0');
    }
    return index;
}

/// Operator precedence parsing with a stack of its own (Dijkstra's shunting yard): operands go to the postfix array at
/// once, operators when a looser one comes. No recursion, so that deep nesting is no danger.
class Parser {
   public:
    Parser(std::string_view text, std::size_t position, std::span<const std::string> names,
           const OperatorSet& operators)
        : scanner_(text, position), names_(names), operators_(operators) {}

    Expression run() {
        do {
            read_operand();
        } while (read_operator());
        return std::move(expression_);
    }

   private:
    enum class Kind : std::uint8_t { infix, negation, colon, open, call, question };

    /// An operator whose last operand is not complete, or a bracket that is not closed.
    struct Pending {
        Kind kind;
        Precedence precedence;
        Op op;
        std::size_t position;
        std::size_t operands = 0;  // of a call: complete ones
        std::string name = {};     // of a call
    };

    // ---- operands ----

    /// Reads up to the end of a number or variable: prefix signs, opening brackets and calls wait on the stack.
    void read_operand() {
        for (;;) {
            scanner_.skip_blanks();
            const std::size_t position = scanner_.position();
            if (scanner_.take("-")) {
                const std::size_t after = scanner_.position();
                const std::optional<double> value = read_number();
                if (value && !power_follows()) return emit_constant(-*value, position);
                scanner_.go_to(after);
                pending_.push_back({Kind::negation, Precedence::negation, Op::Neg, position});
            } else if (scanner_.take("+")) {
                // A sign that changes nothing.
            } else if (scanner_.take("(")) {
                pending_.push_back({Kind::open, Precedence::lowest, Op::Count_, position});
            } else if (const std::optional<double> value = read_number()) {
                return emit_constant(*value, position);
            } else if (std::optional<Name> name = scanner_.name()) {
                if (!scanner_.take("(")) return emit_variable(*name);
                check_operator(*name);
                pending_.push_back({Kind::call, Precedence::lowest, Op::Count_, position, 0, std::move(name->text)});
            } else {
                fail_operand();
            }
        }
    }

    /// A literal, or a name that stands for a number and not for a variable.
    std::optional<double> read_number() {
        if (const std::optional<double> value = scanner_.number()) return value;
        const std::size_t begin = scanner_.position();
        if (detail::is_letter(scanner_.peek())) {
            const std::string name = scanner_.name()->text;
            if (!scanner_.sees("(")) {
                if (name == "inf") return std::numeric_limits<double>::infinity();
                if (name == "nan") return std::numeric_limits<double>::quiet_NaN();
                if (!find_variable(name)) {
                    if (name == "pi" || name == "π") return std::numbers::pi;
                    if (name == "Inf") return std::numeric_limits<double>::infinity();
                    if (name == "NaN") return std::numeric_limits<double>::quiet_NaN();
                }
            }
        }
        scanner_.go_to(begin);
        return std::nullopt;
    }

    bool power_follows() { return scanner_.sees("^") || scanner_.sees("**"); }

    std::optional<std::uint32_t> find_variable(const std::string& name) const {
        for (const std::string& spelling : {name, without_subscripts(name)}) {
            if (names_.empty()) {
                if (const auto index = default_index(spelling)) return index;
            } else if (const auto it = std::ranges::find(names_, spelling); it != names_.end()) {
                return static_cast<std::uint32_t>(it - names_.begin());
            }
        }
        return std::nullopt;
    }

    void emit_constant(double value, std::size_t position) {
        check_size(position);
        expression_.push_constant(value);
    }

    void emit_variable(const Name& name) {
        check_size(name.position);
        const std::optional<std::uint32_t> index = find_variable(name.text);
        if (!index) fail_name(name);
        expression_.push_feature(*index);
    }

    void emit(Op op, std::uint8_t arity, std::size_t position) {
        check_size(position);
        expression_.push(op, arity);
    }

    void check_size(std::size_t position) const {
        if (expression_.size() == kMaxNodes) {
            fail(text(), position, "the formula has more than " + std::to_string(kMaxNodes) + " nodes");
        }
    }

    // ---- operators ----

    /// Reads what follows a complete operand, up to the next operand. False at the end of the text.
    bool read_operator() {
        for (;;) {
            scanner_.skip_blanks();
            const std::size_t position = scanner_.position();
            if (scanner_.at_end()) {
                reduce(Precedence::lowest);
                if (!pending_.empty()) fail_open();
                return false;
            }
            if (scanner_.take(")")) {
                close(position);
                continue;
            }
            if (scanner_.take(",")) {
                next_operand(position);
            } else if (scanner_.take("?")) {
                reduce_tighter(Precedence::ternary);
                pending_.push_back({Kind::question, Precedence::lowest, Op::IfElse, position});
            } else if (scanner_.take(":")) {
                reduce(Precedence::lowest);
                if (pending_.empty() || pending_.back().kind != Kind::question) {
                    fail(text(), position, "':' without '?'");
                }
                pending_.back().kind = Kind::colon;
                pending_.back().precedence = Precedence::ternary;
            } else {
                push_infix(position);
            }
            return true;
        }
    }

    void push_infix(std::size_t position) {
        for (const detail::InfixSymbol& infix : detail::kInfixSymbols) {
            if (!scanner_.take(infix.symbol)) continue;
            if (infix.precedence == Precedence::power) {
                reduce_tighter(infix.precedence);  // right associative
            } else if (infix.precedence == Precedence::comparison) {
                reduce_tighter(infix.precedence);
                if (!pending_.empty() && pending_.back().precedence == Precedence::comparison) {
                    fail(text(), position, "comparisons do not chain", "write a < b && b < c");
                }
            } else {
                reduce(infix.precedence);
            }
            pending_.push_back({Kind::infix, infix.precedence, infix.op, position});
            return;
        }
        fail_operator();
    }

    [[nodiscard]] bool can_reduce() const noexcept {
        return !pending_.empty() && (pending_.back().kind == Kind::infix || pending_.back().kind == Kind::negation ||
                                     pending_.back().kind == Kind::colon);
    }

    void reduce_last() {
        const Pending& last = pending_.back();
        emit(last.op, info(last.op).arity, last.position);
        pending_.pop_back();
    }

    /// Completes the waiting operators that bind at least as tight, up to the innermost open bracket.
    void reduce(Precedence precedence) {
        while (can_reduce() && pending_.back().precedence >= precedence) reduce_last();
    }

    void reduce_tighter(Precedence precedence) {
        while (can_reduce() && pending_.back().precedence > precedence) reduce_last();
    }

    void close(std::size_t position) {
        reduce(Precedence::lowest);
        if (pending_.empty()) fail(text(), position, "')' without '('");
        if (pending_.back().kind == Kind::question) fail_open();
        if (pending_.back().kind == Kind::call) {
            const Pending& call = pending_.back();
            const std::size_t count = call.operands + 1;
            const std::optional<Op> op = operators_.find(call.name, static_cast<int>(count));
            if (!op) fail_arity(call, count);
            emit(*op, static_cast<std::uint8_t>(count), call.position);
        }
        pending_.pop_back();
    }

    void next_operand(std::size_t position) {
        reduce(Precedence::lowest);
        if (pending_.empty()) fail(text(), position, "',' outside the operands of an operator");
        if (pending_.back().kind == Kind::question) fail_open();
        if (pending_.back().kind == Kind::open) {
            fail(text(), position, "',' outside the operands of an operator", "'(' is no call here");
        }
        Pending& call = pending_.back();
        ++call.operands;
        if (call.operands == 2 && operators_.arity(*operators_.find(call.name)) <= 2) {
            // max(a, b, c) is max(max(a, b), c), unless there is a max of three.
            const std::optional<Op> op = operators_.find(call.name, 2);
            if (op && detail::is_associative(*op)) {
                emit(*op, 2, call.position);
                call.operands = 1;
            }
        }
        if (call.operands >= kMaxArity) fail_arity(call, call.operands + 1);
    }

    // ---- errors ----

    [[nodiscard]] std::string_view text() const noexcept { return scanner_.text(); }

    void check_operator(const Name& name) {
        if (operators_.find(name.text)) return;
        if (find_variable(name.text)) {
            fail(text(), name.position, quoted(name.text) + " is a variable, not an operator,",
                 "write " + shown(name.text) + " * (...) for a product");
        }
        std::string hint = operators_.nearest(name.text);
        if (!hint.empty()) hint = "did you mean " + quoted(hint) + "?";
        fail(text(), name.position, "unknown name " + quoted(name.text), hint);
    }

    [[noreturn]] void fail_name(const Name& name) const {
        if (!name.quoted && operators_.find(name.text)) {
            fail(text(), name.position, quoted(name.text) + " is an operator, but no '(' follows it,");
        }
        detail::NearestName nearest(name.text);
        for (const std::string& variable : names_) nearest.consider(variable);
        nearest.consider("pi");
        const std::string of_operator = operators_.nearest(name.text);
        nearest.consider(of_operator);
        std::string hint;
        if (!nearest.result().empty()) {
            hint = "did you mean " + quoted(nearest.result()) + "?";
        } else if (names_.empty()) {
            hint = "variables are x0, x1, ...";
        } else {
            constexpr std::size_t kMostShown = 8;
            hint = names_.size() == 1 ? "the variable is" : "variables are";
            for (std::size_t k = 0; k < std::min(names_.size(), kMostShown); ++k) {
                hint += (k == 0 ? " " : ", ") + shown(names_[k]);
            }
            if (names_.size() > kMostShown) hint += ", ...";
        }
        fail(text(), name.position, "unknown name " + quoted(name.text), hint);
    }

    [[noreturn]] void fail_arity(const Pending& call, std::size_t count) const {
        const std::uint8_t arity = operators_.arity(*operators_.find(call.name));
        fail(text(), call.position,
             quoted(call.name) + " takes " + std::to_string(arity) + (arity == 1 ? " operand" : " operands") +
                 ", not " + std::to_string(count) + (count >= kMaxArity + 1 ? " or more," : ","));
    }

    [[noreturn]] void fail_open() const {
        const Pending& open = pending_.back();
        if (open.kind == Kind::question) fail(text(), open.position, "'?' without ':'");
        fail(text(), open.position, "'(' is not closed");
    }

    [[noreturn]] void fail_operand() const {
        if (scanner_.at_end()) fail(text(), text().size(), "the formula ends where an operand is expected");
        const char c = scanner_.peek();
        std::string hint;
        if (c == '!') hint = "there is no '!': write 1 - (condition)";
        fail(text(), scanner_.position(), "expected a number, a variable or '(', not " + token() + ",", hint);
    }

    [[noreturn]] void fail_operator() const {
        const char c = scanner_.peek();
        std::string hint;
        if (c == '=') hint = "equality is '=='";
        if (c == '!') hint = "there is no '!=': write 1 - (a == b)";
        if (c == '&' || c == '|') hint = std::string("write '") + c + c + "'";
        if (detail::is_letter(c) || detail::is_digit(c) || c == '(' || c == '`') hint = "a product needs its '*'";
        fail(text(), scanner_.position(), "expected an operator, not " + token() + ",", hint);
    }

    /// What stands here, for a message: a whole name, else a character.
    [[nodiscard]] std::string token() const {
        std::size_t length = 1;
        while (detail::is_letter(scanner_.peek()) && detail::is_letter(scanner_.peek(length))) ++length;
        return quoted(text().substr(scanner_.position(), length));
    }

    detail::Scanner scanner_;
    std::span<const std::string> names_;
    const OperatorSet& operators_;
    Expression expression_;
    std::vector<Pending> pending_;
};

/// Reads "(x, y)" after its "(", or a single "x".
class ParameterList {
   public:
    explicit ParameterList(detail::Scanner& scanner) : scanner_(scanner) {}

    void read_one() {
        std::optional<Name> name = scanner_.name();
        if (!name) fail(scanner_.text(), scanner_.position(), "expected the name of a parameter");
        if (!name->quoted && detail::is_reserved(name->text)) {
            fail(scanner_.text(), name->position, quoted(name->text) + " is a number, it cannot name a parameter,");
        }
        if (std::ranges::find(names_, name->text) != names_.end()) {
            fail(scanner_.text(), name->position, "the parameter " + quoted(name->text) + " stands twice, again");
        }
        if (scanner_.sees("::")) {
            fail(scanner_.text(), scanner_.position(), "expected ',' or ')'", "parameters have no types here");
        }
        names_.push_back(std::move(name->text));
    }

    void read_rest() {
        do {
            read_one();
        } while (scanner_.take(","));
        if (!scanner_.take(")")) fail(scanner_.text(), scanner_.position(), "expected ',' or ')'");
    }

    [[nodiscard]] std::vector<std::string> take() { return std::move(names_); }

   private:
    detail::Scanner& scanner_;
    std::vector<std::string> names_;
};

}  // namespace

Expression parse(std::string_view text, std::span<const std::string> names, const OperatorSet& operators) {
    return Parser(text, 0, names, operators).run();
}

Definition parse_definition(std::string_view text, const OperatorSet& operators) {
    detail::Scanner scanner(text, 0);
    ParameterList parameters(scanner);
    Definition definition;
    const char* const form = "write name(x, y) = ... or (x, y) -> ...";
    if (scanner.take("(")) {
        parameters.read_rest();
        if (!scanner.take("->")) fail(text, scanner.position(), "expected '->'", form);
    } else if (const std::optional<Name> name = scanner.name(); !name) {
        fail(text, scanner.position(), "expected a definition", form);
    } else if (scanner.take("(")) {
        definition.name = name->text;
        if (definition.name.empty()) fail(text, name->position, "expected a name between the backquotes");
        parameters.read_rest();
        if (scanner.sees("==") || !scanner.take("=")) fail(text, scanner.position(), "expected '='", form);
    } else if (scanner.sees("->")) {
        scanner.go_to(name->position);
        parameters.read_one();
        scanner.take("->");
    } else {
        fail(text, scanner.position(), "expected '(' or '->'", form);
    }
    definition.parameters = parameters.take();
    definition.body = Parser(text, scanner.position(), definition.parameters, operators).run();
    return definition;
}

}  // namespace balmer
