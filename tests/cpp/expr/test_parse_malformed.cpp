// Whatever the text: an expression that holds its invariants, or a ParseError whose place is in the text and whose
// message is UTF-8. Run under the sanitizers.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "balmer/core/error.hpp"
#include "balmer/core/rng.hpp"
#include "balmer/expr/parse.hpp"
#include "balmer/expr/print.hpp"
#include "sanitized.hpp"

namespace balmer {
namespace {

using test::repeats;

const char* const kCorpus[] = {
    "x0 + 2.5e-3 * sin(x1 ^ -2) - max(x2, -1.5f0, pi) / (x0 - x1)",
    "x0 > 0 && x1 <= 2 || x2 == 3 ? -x0 ^ 2 : 1 / (1 + exp(-x1))",
    "ifelse(greater(x0, nan), `x0`, -inf) % 2 ** x1 ** 3",
    "`weird ``name``` + θ₁ - x₁₂ * .5 + 2.",
    "special(x, y) = cos(x) * (x + y)",
    "loss(prediction, target) = abs(prediction - target) < 1f0 ? (prediction - target)^2 : 0.1f0",
    "(x, y) -> hypot(x, y, 1)",
    "f(x₁, `a b`) = x₁ + `a b`",
    "((((x0))))-----x1^^x2",
    "1e999 1e-999 0x10 1e 1f 1.2.3 ...",
    "sin(,) max(x0,,x1) () (,)",
    "x0 ? x1 ? x2 : x3 :: x4",
    "a = b == c === d != e",
    "\t\n\r x0\v+\f1",
};

bool is_utf8(std::string_view text) {
    for (std::size_t i = 0; i < text.size();) {
        const auto byte = [&](std::size_t k) { return static_cast<unsigned char>(text[k]); };
        const std::size_t length = byte(i) < 0x80   ? 1
                                   : byte(i) < 0xC2 ? 0
                                   : byte(i) < 0xE0 ? 2
                                   : byte(i) < 0xF0 ? 3
                                                    : 4;
        if (length == 0 || i + length > text.size() || byte(i) > 0xF4) return false;
        for (std::size_t k = 1; k < length; ++k) {
            if ((byte(i + k) & 0xC0) != 0x80) return false;
        }
        i += length;
    }
    return true;
}

/// Reads the text in all ways; whether one of them gave an expression.
bool check(const std::string& text) {
    static const std::vector<std::string> kNames = {"a", "weird `name`", "θ₁", "sin", ""};
    bool accepted = false;
    const auto guarded = [&](auto read) {
        try {
            read();
            accepted = true;
        } catch (const ParseError& error) {
            CAPTURE(text);
            REQUIRE(error.position() <= text.size());
            const std::string what = error.what();
            REQUIRE(what.size() < 600);
            REQUIRE((is_utf8(what) && what.find('\0') == std::string::npos));
        }
    };
    const auto check_expression = [&](const Expression& e, const std::vector<std::string>& names) {
        CAPTURE(text);
        REQUIRE(e.valid(OperatorSet::builtin(), e.n_features()));
        REQUIRE(parse(to_text(e, names), names) == e);
    };
    guarded([&] { check_expression(parse(text), {}); });
    guarded([&] { check_expression(parse(text, kNames), kNames); });
    guarded([&] {
        const Definition definition = parse_definition(text);
        check_expression(definition.body, definition.parameters);
    });
    return accepted;
}

TEST_CASE("malformed: every prefix and suffix of every text") {
    for (const std::string text : kCorpus) {
        for (std::size_t n = 0; n <= text.size(); ++n) {
            check(text.substr(0, n));
            check(text.substr(n));
        }
    }
}

TEST_CASE("malformed: a byte changed, left out or doubled") {
    Rng rng(41, 0);
    for (const std::string text : kCorpus) {
        for (std::size_t i = 0; i < text.size(); ++i) {
            std::string changed = text;
            changed[i] = static_cast<char>(rng.below(256));
            check(changed);
            changed = text;
            changed.erase(i, 1);
            check(changed);
            changed = text;
            changed.insert(i, 1, text[i]);
            check(changed);
        }
    }
}

TEST_CASE("malformed: random bytes") {
    Rng rng(42, 0);
    for (int i = 0; i < repeats(20'000, 2'000); ++i) {
        std::string text(rng.below(40), '\0');
        for (char& c : text) c = static_cast<char>(rng.below(256));
        check(text);
    }
}

TEST_CASE("malformed: random tokens") {
    const char* const kTokens[] = {"x0",  "x1",     "a", "1", "2.5", "-",   "+",  "*",   "/",  "^",  "**", "%",
                                   "(",   ")",      ",", "?", ":",   "<",   ">",  "=",   "==", "&&", "||", "sin",
                                   "max", "ifelse", " ", "`", "nan", "inf", "pi", "1f0", "->", "f(", "₁",  "."};
    Rng rng(43, 0);
    int accepted = 0;
    for (int i = 0; i < repeats(60'000, 6'000); ++i) {
        std::string text;
        for (std::uint32_t k = rng.below(12); k > 0; --k) text += kTokens[rng.below(std::size(kTokens))];
        accepted += check(text);
    }
    CHECK(accepted > repeats(500, 50));
}

TEST_CASE("malformed: long texts") {
    for (const char* piece :
         {"(", ")", "-", "x0+", "sin(", "`", "x", "\xE2\x82\x80", "\x80", "1", "0.", "x0?", "1:", ",", " "}) {
        std::string text;
        while (text.size() < 50'000) text += piece;
        check(text);
        check(text + "$");
        check("$" + text);
    }
}

}  // namespace
}  // namespace balmer
