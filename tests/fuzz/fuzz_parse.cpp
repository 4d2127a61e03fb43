// Any text is a formula or a ParseError, and a formula survives being printed.
#include <stdexcept>

#include "balmer/core/error.hpp"
#include "balmer/expr/parse.hpp"
#include "balmer/expr/print.hpp"

#include "check.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace balmer;
    const std::string_view text = test::text_of(data, size);
    try {
        const Expression e = parse(text);
        test::require(e.valid(OperatorSet::builtin(), e.n_features()), "what parse returns is valid");
        const std::string printed = to_text(e);
        test::require(parse(printed) == e, "parse(to_text(e)) == e");
        (void)to_latex(e);
        (void)structural_hash(e);
    } catch (const ParseError& error) {
        test::require(error.position() <= size, "the position of an error lies in the text");
    }
    try {
        OperatorSet operators;
        (void)operators.define(text);
    } catch (const std::invalid_argument&) {  // a ParseError is one
    }
    return 0;
}
