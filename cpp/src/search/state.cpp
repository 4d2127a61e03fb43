#include "search/state.hpp"

#include <bit>
#include <charconv>
#include <optional>
#include <stdexcept>
#include <utility>

#include "search/fingerprint.hpp"

namespace balmer {

namespace {

constexpr std::string_view kMagic = "balmer-search";
constexpr std::uint64_t kVersion = 4;
constexpr std::string_view kChecksum = "checksum";

std::string hexadecimal(std::uint64_t value) {
    std::string text(16, '0');
    for (std::size_t i = 16; i-- > 0; value >>= 4) text[i] = "0123456789abcdef"[value & 15];
    return text;
}

std::uint64_t checksum(std::string_view text) noexcept {
    Fingerprint sum;
    sum.add(text);
    return sum.value();
}

}  // namespace

StateWriter& StateWriter::line(std::string_view label) {
    if (text_.empty()) {
        text_ = kMagic;
        number(kVersion);
    }
    text_ += '\n';
    text_ += label;
    return *this;
}

StateWriter& StateWriter::word(std::string_view word) {
    text_ += ' ';
    text_ += word;
    return *this;
}

// In quotes, with bytes that would end a word as % and two hexadecimal digits.
StateWriter& StateWriter::text(std::string_view text) {
    text_ += " \"";
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte <= ' ' || c == '%') {
            text_ += '%';
            text_ += hexadecimal(byte).substr(14);
        } else {
            text_ += c;
        }
    }
    text_ += '"';
    return *this;
}

StateWriter& StateWriter::number(std::uint64_t value) { return word(std::to_string(value)); }

StateWriter& StateWriter::real(double value) { return word(hexadecimal(std::bit_cast<std::uint64_t>(value))); }

StateWriter& StateWriter::candidate(const Candidate& candidate, const OperatorSet& operators) {
    number(static_cast<std::uint64_t>(candidate.complexity)).real(candidate.loss).real(candidate.cost);
    number(candidate.birth).number(candidate.roles.size());
    for (const Expression& role : candidate.roles) expression(role, operators);
    return *this;
}

// Postfix: "#" and a constant, "$" and a feature, "@" and a user operator's place, or the name of a built-in operator.
void StateWriter::expression(const Expression& expression, const OperatorSet& operators) {
    number(expression.size());
    for (const Node& node : expression.nodes) {
        if (node.op == Op::Constant) {
            word("#" + hexadecimal(std::bit_cast<std::uint64_t>(expression.constants[node.index])));
        } else if (node.op == Op::Feature) {
            word("$" + std::to_string(node.index));
        } else if (OperatorSet::is_user(node.op)) {
            word("@" + std::to_string(static_cast<int>(node.op) - kFirstUserOp));
        } else {
            word(operators.name(node.op));
        }
    }
}

std::string StateWriter::finish() && {
    text_ += '\n';
    const std::uint64_t sum = checksum(text_);
    text_ += kChecksum;
    word(hexadecimal(sum));
    text_ += '\n';
    return std::move(text_);
}

StateReader::StateReader(std::string_view text) : rest_(text) {
    const std::size_t last = text.rfind(kChecksum);
    if (!text.starts_with(kMagic) || last == std::string_view::npos) {
        throw std::invalid_argument("not a saved search: it does not begin with \"" + std::string(kMagic) +
                                    "\" or is cut off; pass what save() returned");
    }
    std::string_view sum = text.substr(last + kChecksum.size());
    if (sum.ends_with('\n')) sum.remove_suffix(1);
    if (sum != " " + hexadecimal(checksum(text.substr(0, last)))) {
        throw std::invalid_argument("the saved search is damaged: its checksum does not fit; save it again");
    }
    line(kMagic);
    if (const std::uint64_t version = number(); version != kVersion) {
        throw std::invalid_argument("the saved search has format " + std::to_string(version) +
                                    ", this version of balmer reads format " + std::to_string(kVersion));
    }
}

void StateReader::fail(const std::string& what) const {
    throw std::invalid_argument("saved search, line " + std::to_string(line_number_) + ": " + what);
}

void StateReader::line(std::string_view label) {
    if (!line_.empty()) fail("unexpected \"" + std::string(line_.substr(0, 20)) + "\"");
    const std::size_t end = rest_.find('\n');
    line_ = rest_.substr(0, end);
    rest_ = end == std::string_view::npos ? std::string_view{} : rest_.substr(end + 1);
    ++line_number_;
    if (const std::string_view found = word(); found != label) {
        fail("expected \"" + std::string(label) + "\", found \"" + std::string(found) + "\"");
    }
}

std::string_view StateReader::word() {
    const std::size_t end = line_.find(' ');
    const std::string_view word = line_.substr(0, end);
    if (word.empty()) fail("a word is missing");
    line_ = end == std::string_view::npos ? std::string_view{} : line_.substr(end + 1);
    return word;
}

std::string StateReader::text() {
    const std::string_view quoted = word();
    if (quoted.size() < 2 || quoted.front() != '"' || quoted.back() != '"') {
        fail("expected a text in quotes, found \"" + std::string(quoted) + "\"");
    }
    std::string text;
    for (std::size_t i = 1; i + 1 < quoted.size(); ++i) {
        if (quoted[i] != '%') {
            text += quoted[i];
            continue;
        }
        unsigned byte = 0;
        const std::string_view digits = quoted.substr(i + 1, 2);
        const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), byte, 16);
        if (error != std::errc{} || end != digits.data() + 2) fail("bad text " + std::string(quoted));
        text += static_cast<char>(byte);
        i += 2;
    }
    return text;
}

std::uint64_t StateReader::number() {
    const std::string_view text = word();
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size()) fail("bad number \"" + std::string(text) + "\"");
    return value;
}

std::size_t StateReader::count(std::size_t limit) {
    const std::uint64_t value = number();
    if (value > limit) fail(std::to_string(value) + " is too large, at most " + std::to_string(limit));
    return value;
}

namespace {

bool read_bits(std::string_view text, std::uint64_t& bits) noexcept {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), bits, 16);
    return text.size() == 16 && error == std::errc{} && end == text.data() + text.size();
}

}  // namespace

double StateReader::real() {
    const std::string_view text = word();
    std::uint64_t bits = 0;
    if (!read_bits(text, bits)) fail("bad number \"" + std::string(text) + "\"");
    return std::bit_cast<double>(bits);
}

Candidate StateReader::candidate(const OperatorSet& operators, std::size_t n_features, std::size_t least_roles,
                                 std::size_t most_roles) {
    Candidate candidate;
    candidate.complexity = static_cast<int>(count(1'000'000));
    candidate.loss = real();
    candidate.cost = real();
    candidate.birth = number();
    const std::size_t roles = count(most_roles);
    if (roles < least_roles) fail("fewer than " + std::to_string(least_roles) + " expressions");
    for (std::size_t r = 0; r < roles; ++r) candidate.roles.push_back(expression(operators, n_features));
    return candidate;
}

Expression StateReader::expression(const OperatorSet& operators, std::size_t n_features) {
    Expression expression;
    const std::size_t size = count(kMaxNodes);
    std::size_t operands = 0;  // trees so far that no operator has taken
    for (std::size_t i = 0; i < size; ++i) {
        const std::string_view text = word();
        const std::string_view tail = text.substr(1);
        std::uint64_t number = 0;
        if (text[0] == '#') {
            if (!read_bits(tail, number)) fail("bad constant \"" + std::string(text) + "\"");
            expression.push_constant(std::bit_cast<double>(number));
            ++operands;
            continue;
        }
        if (text[0] == '$' || text[0] == '@') {
            const auto [end, error] = std::from_chars(tail.data(), tail.data() + tail.size(), number);
            const std::size_t limit = text[0] == '$' ? n_features : operators.user().size();
            if (error != std::errc{} || end != tail.data() + tail.size() || number >= limit) {
                fail("bad node \"" + std::string(text) + "\"");
            }
            if (text[0] == '$') {
                expression.push_feature(static_cast<std::uint32_t>(number));
                ++operands;
                continue;
            }
        }
        const auto op = text[0] == '@' ? std::optional<Op>(static_cast<Op>(kFirstUserOp + number))
                                       : OperatorSet::builtin().find(text);
        if (!op) fail("unknown operator \"" + std::string(text) + "\"");
        const std::uint8_t arity = operators.arity(*op);
        if (operands < arity) fail("operator \"" + std::string(text) + "\" lacks operands");
        expression.push(*op, arity);
        operands -= arity - 1U;
    }
    if (!expression.valid(operators, n_features)) fail("not an expression");
    return expression;
}

}  // namespace balmer
