#include "expr/template_reader.hpp"

#include <algorithm>
#include <charconv>
#include <iterator>
#include <set>
#include <stdexcept>

#include "balmer/expr/derivative.hpp"
#include "balmer/expr/parse.hpp"
#include "expr/grammar.hpp"
#include "expr/parse_message.hpp"

namespace balmer {

namespace {

std::string in_quotes(std::string_view name) { return "'" + detail::shown(name) + "'"; }

std::string in_backquotes(std::string_view name) {
    std::string result = "`";
    result += name;
    result += '`';
    return result;
}

template <class Names, class Projection>
std::optional<std::size_t> place_of(const Names& names, std::string_view name, Projection projection) {
    const auto found = std::ranges::find(names, name, projection);
    return found == names.end() ? std::nullopt : std::optional<std::size_t>(found - names.begin());
}

std::optional<std::size_t> place_of(const std::vector<std::string>& names, std::string_view name) {
    return place_of(names, name, std::identity{});
}

}  // namespace

TemplateReader::TemplateReader(Template& result) : t_(result), text_(t_.combine_), scanner_(text_, 0) {}

void TemplateReader::fail(std::size_t position, const std::string& what, const std::string& hint) const {
    detail::fail(text_, position, what, hint);
}

void TemplateReader::run() {
    check_names();
    for (const std::string& variable : t_.variables_) {
        const auto index = static_cast<std::uint32_t>(names_.size());
        define(variable, Expression::feature(index));
    }
    for (const Template::Parameters& vector : t_.parameters_) {
        for (std::size_t k = 1; k <= vector.size; ++k) {
            const auto index = static_cast<std::uint32_t>(names_.size());
            define(vector.name + "[" + std::to_string(k) + "]", Expression::feature(index));
        }
    }
    const auto of_text = statements();
    for (std::size_t s = 0; s < of_text.size(); ++s) {
        const auto [begin, end] = of_text[s];
        scanner_.go_to(begin);
        const bool last = s + 1 == of_text.size();
        if (!last && !read_assignment(end)) {
            fail(begin, "a statement before the last one must be name = formula",
                 "a formula over several lines goes between brackets");
        }
        if (last) t_.body_ = read_formula(end);
    }
    check_use();
}

void TemplateReader::check_names() const {
    std::set<std::string> seen;
    const auto check = [&](const std::string& kind, const std::string& name) {
        if (!detail::is_identifier(name)) {
            throw std::invalid_argument("the name of a " + kind + " is " + in_quotes(name) +
                                        ": give letters, digits and underscores, a letter first");
        }
        if (!seen.insert(name).second) {
            throw std::invalid_argument("the name " + in_quotes(name) + " comes twice in the template: give another");
        }
    };
    for (const std::string& part : t_.parts_) {
        check("part", part);
        if (t_.operators_.find(part)) {
            throw std::invalid_argument("the part " + in_quotes(part) + " has the name of an operator: give another");
        }
    }
    for (const Template::Parameters& vector : t_.parameters_) check("vector of parameters", vector.name);
    for (const std::string& variable : t_.variables_) {
        if (!seen.insert(variable).second) {
            throw std::invalid_argument("the name " + in_quotes(variable) +
                                        " of a variable comes twice in the template: give another");
        }
    }
    if (t_.parts_.empty()) throw std::invalid_argument("the template has no parts to look for: name one at least");
}

/// The text between ";" and line ends, where these are outside brackets and no operator asks for more.
std::vector<std::pair<std::size_t, std::size_t>> TemplateReader::statements() const {
    constexpr std::string_view kOpen = "([", kClose = ")]", kUnfinished = "+-*/^%<>=&|?:,";
    std::vector<std::pair<std::size_t, std::size_t>> found;
    std::size_t begin = 0;
    int depth = 0;
    char before = ';';
    for (std::size_t i = 0; i <= text_.size(); ++i) {
        const char c = i < text_.size() ? text_[i] : ';';
        if (kOpen.find(c) != std::string_view::npos) ++depth;
        if (kClose.find(c) != std::string_view::npos) --depth;
        const bool line_end = c == '\n' && depth <= 0 && kUnfinished.find(before) == std::string_view::npos;
        if (i == text_.size() || line_end || (c == ';' && depth <= 0)) {
            if (before != ';') found.emplace_back(begin, i);
            begin = i + 1;
            before = ';';
        } else if (!detail::is_blank(c)) {
            before = c;
        }
    }
    if (found.empty()) fail(0, "the template has no formula");
    return found;
}

/// "name = formula" or "name = D(f, 1)". False if it is something else.
bool TemplateReader::read_assignment(std::size_t end) {
    const std::optional<detail::Name> name = scanner_.name();
    if (!name || scanner_.sees("==") || !scanner_.take("=")) return false;
    const bool is_part = place_of(t_.parts_, name->text).has_value();
    const bool is_vector = place_of(t_.parameters_, name->text, &Template::Parameters::name).has_value();
    if (is_part || is_vector || place_of(names_, name->text) || derivatives_.contains(name->text)) {
        fail(name->position, "the name " + in_quotes(name->text) + " is taken", "give another");
    }
    const std::size_t begin = scanner_.position();
    if (std::optional<Call> call = read_callable(end)) {
        scanner_.skip_blanks();
        if (scanner_.position() >= end) {
            derivatives_.emplace(name->text, std::move(*call));
            return true;
        }
    }
    scanner_.go_to(begin);
    Expression formula = read_formula(end);
    define(name->text, std::move(formula));
    return true;
}

Expression TemplateReader::read_formula(std::size_t end) {
    const std::string text = quoted_names(end);  // which adds to the names
    const Expression formula = parse(text, names_, t_.operators_);
    std::vector<const Expression*> arguments;
    for (const Expression& meaning : meanings_) arguments.push_back(&meaning);
    return substitute(formula, arguments);
}

/// The text up to `end`, what only templates have as names between backquotes.
std::string TemplateReader::quoted_names(std::size_t end) {
    std::string result;
    while (scanner_.position() < end) {
        const std::size_t begin = scanner_.position();
        const char c = text_[begin];
        if (detail::is_digit(c)) {
            static_cast<void>(scanner_.number());
        } else if (detail::is_letter(c) || c == '`') {
            const detail::Name name = *scanner_.name();
            const auto vector = place_of(t_.parameters_, name.text, &Template::Parameters::name);
            const std::size_t after = scanner_.position();
            if (vector && !name.quoted) {
                result += in_backquotes(read_parameter(*vector, begin));
                continue;
            }
            scanner_.go_to(begin);
            if (const std::optional<Call> call = name.quoted ? std::nullopt : read_callable(end)) {
                see_call(*call, begin);
                result += call->by.empty() ? name.text : in_backquotes(callable_name(*call));
                continue;
            }
            scanner_.go_to(after);
        } else {
            scanner_.go_to(begin + 1);
        }
        result += text_.substr(begin, scanner_.position() - begin);
    }
    return result;
}

/// A part, a derivative or the name of one; where there is none, the place does not change.
std::optional<Template::Call> TemplateReader::read_callable(std::size_t end) {
    scanner_.skip_blanks();
    const std::size_t begin = scanner_.position();
    if (begin < end && detail::is_letter(text_[begin])) {
        const std::string name = scanner_.name()->text;
        if (const auto part = place_of(t_.parts_, name)) return Call{*part, {}};
        if (const auto known = derivatives_.find(name); known != derivatives_.end()) return known->second;
        if (name == "D" && !place_of(names_, name) && scanner_.take("(")) return read_derivative(begin, end);
    }
    scanner_.go_to(begin);
    return std::nullopt;
}

/// What stands behind "D(".
Template::Call TemplateReader::read_derivative(std::size_t position, std::size_t end) {
    const std::string hint = "write D(" + t_.parts_[0] + ", 1)(...) for the derivative by the first argument";
    std::optional<Call> of = read_callable(end);
    if (!of) fail(scanner_.position(), "expected the name of a part", hint);
    if (!scanner_.take(",")) fail(scanner_.position(), "expected ','", hint);
    scanner_.skip_blanks();
    std::uint32_t argument = 0;
    const auto [rest, error] = std::from_chars(text_.data() + scanner_.position(), text_.data() + end, argument);
    if (error != std::errc{} || argument < 1 || argument > kMaxArity) {
        fail(scanner_.position(), "expected the number of an argument, counted from 1", hint);
    }
    scanner_.go_to(static_cast<std::size_t>(rest - text_.data()));
    if (!scanner_.take(")")) fail(position, "the derivative is not closed", hint);
    of->by.push_back(argument - 1);
    return std::move(*of);
}

std::string TemplateReader::callable_name(const Call& call) const {
    std::string name = t_.parts_[call.part];
    for (const std::uint32_t argument : call.by) name = "D(" + name + ", " + std::to_string(argument + 1) + ")";
    return name;
}

/// At the bracket of a call: the first call of a part tells how many arguments it takes.
void TemplateReader::see_call(const Call& call, std::size_t position) {
    const std::string& part = t_.parts_[call.part];
    scanner_.skip_blanks();
    if (!scanner_.sees("(")) {
        fail(position, in_quotes(callable_name(call)) + " is not called", "arguments in brackets follow it");
    }
    const std::size_t count = count_arguments(part, scanner_.position());
    std::size_t& arity = t_.arities_[call.part];
    if (arity == 0) arity = count;
    if (arity != count) {
        fail(position,
             "the part " + in_quotes(part) + " takes " + std::to_string(count) + " arguments here, but " +
                 std::to_string(arity) + " before",
             "give it the same number everywhere");
    }
    for (const std::uint32_t argument : call.by) {
        if (argument >= arity) {
            fail(position, "the part " + in_quotes(part) + " has no argument " + std::to_string(argument + 1),
                 "it takes " + std::to_string(arity));
        }
    }
    const auto same = [&](const Call& other) { return other.part == call.part && other.by == call.by; };
    if (std::ranges::any_of(t_.calls_, same)) return;
    std::string definition = in_backquotes(callable_name(call)) + "(a1";
    for (std::size_t k = 2; k <= arity; ++k) definition += ", a" + std::to_string(k);
    t_.operators_.define(definition + ") = a1");
    t_.calls_.push_back(call);
}

std::size_t TemplateReader::count_arguments(const std::string& name, std::size_t position) const {
    std::size_t commas = 0;
    int depth = 0;
    bool empty = true;
    for (std::size_t i = position; i < text_.size(); ++i) {
        const char c = text_[i];
        if (c == ')' || c == ']') --depth;
        if (depth == 0 && i > position) {
            if (empty) fail(position, "the part " + in_quotes(name) + " has no argument", "give it one at least");
            if (commas >= kMaxArity) {
                fail(position, "the part " + in_quotes(name) + " has " + std::to_string(commas + 1) + " arguments",
                     "at most " + std::to_string(kMaxArity) + " are possible");
            }
            return commas + 1;
        }
        if (c == ',' && depth == 1) ++commas;
        if (i > position && !detail::is_blank(c)) empty = false;
        if (c == '(' || c == '[') ++depth;
    }
    fail(position, "'(' is not closed");
}

/// "[2]" or "[class]" behind the name of a vector. Returns the name by which it is known.
std::string TemplateReader::read_parameter(std::size_t which, std::size_t position) {
    const Template::Parameters& vector = t_.parameters_[which];
    const std::string hint = "write " + vector.name + "[1] to " + vector.name + "[" + std::to_string(vector.size) +
                             "], or " + vector.name + "[variable] for that of a category";
    if (!scanner_.take("[")) fail(position, in_quotes(vector.name) + " stands for several numbers", hint);
    scanner_.skip_blanks();
    const std::size_t begin = scanner_.position(), end = text_.find(']', begin);
    if (end == std::string_view::npos) fail(begin, "'[' is not closed", hint);
    std::string_view inside = text_.substr(begin, end - begin);
    while (!inside.empty() && detail::is_blank(inside.back())) inside.remove_suffix(1);
    scanner_.go_to(end + 1);
    std::string name = vector.name + "[" + std::string(inside) + "]";
    if (place_of(names_, name)) return name;
    if (inside.size() > 1 && inside.front() == '`') inside = inside.substr(1, inside.size() - 2);
    const auto variable = place_of(t_.variables_, inside);
    if (!variable) fail(begin, in_quotes(inside) + " is no parameter of " + in_quotes(vector.name), hint);
    name = vector.name + "[" + std::string(inside) + "]";
    if (!place_of(names_, name)) define(name, looked_up(which, *variable));
    return name;
}

/// v == 1 ? p[1] : v == 2 ? p[2] : ... p[size]
Expression TemplateReader::looked_up(std::size_t which, std::size_t feature) {
    const std::size_t size = t_.parameters_[which].size;
    constexpr std::size_t kNodesOfBranch = 5;
    if (size * kNodesOfBranch > kMaxNodes) {
        throw std::invalid_argument("the parameters " + in_quotes(t_.parameters_[which].name) + " have " +
                                    std::to_string(size) + " values to choose from by a category: at most " +
                                    std::to_string(kMaxNodes / kNodesOfBranch) + " are possible");
    }
    const auto known = std::ranges::find(t_.categories_, feature, &Template::Category::feature);
    if (known == t_.categories_.end()) {
        t_.categories_.push_back({feature, size});
    } else {
        known->size = std::min(known->size, size);
    }
    Expression result;
    for (std::size_t k = 1; k < size; ++k) {
        result.push_feature(static_cast<std::uint32_t>(feature)).push_constant(static_cast<double>(k));
        result.push(Op::Equal, 2).push_feature(slot(which, k));
    }
    result.push_feature(slot(which, size));
    for (std::size_t k = 1; k < size; ++k) result.push(Op::IfElse, 3);
    return result;
}

/// The feature of the body that is parameter k, counted from 1.
std::uint32_t TemplateReader::slot(std::size_t which, std::size_t k) const noexcept {
    std::size_t place = t_.variables_.size() + k - 1;
    for (std::size_t v = 0; v < which; ++v) place += t_.parameters_[v].size;
    return static_cast<std::uint32_t>(place);
}

void TemplateReader::define(std::string name, Expression meaning) {
    names_.push_back(std::move(name));
    meanings_.push_back(std::move(meaning));
}

void TemplateReader::check_use() const {
    std::vector<bool> called(t_.parts_.size()), used(t_.variables_.size() + t_.n_parameters_);
    for (const Node& node : t_.body_.nodes) {
        if (node.op == Op::Feature) used[node.index] = true;
        const auto code = static_cast<std::size_t>(node.op);
        if (code >= kFirstUserOp + t_.first_call_) called[t_.calls_[code - kFirstUserOp - t_.first_call_].part] = true;
    }
    for (std::size_t part = 0; part < called.size(); ++part) {
        if (!called[part])
            fail(0, "the part " + in_quotes(t_.parts_[part]) + " is not called", "use it or leave it out");
    }
    for (std::size_t which = 0; which < t_.parameters_.size(); ++which) {
        for (std::size_t k = 1; k <= t_.parameters_[which].size; ++k) {
            if (used[slot(which, k)]) continue;
            fail(0, in_quotes(names_[slot(which, k)]) + " is not used", "make the vector as long as the formula needs");
        }
    }
}

}  // namespace balmer
