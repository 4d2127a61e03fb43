// What `simplify` promises of its result, for any formula.
#include "balmer/core/error.hpp"
#include "balmer/expr/simplify.hpp"

#include <bitset>

#include "balmer/expr/derivative.hpp"
#include "balmer/expr/parse.hpp"
#include "check.hpp"

namespace {

std::bitset<256> operators_of(const balmer::Expression& e) {
    std::bitset<256> used;
    for (const balmer::Node& node : e.nodes) {
        if (!node.is_leaf()) used.set(static_cast<std::size_t>(node.op));
    }
    return used;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace balmer;
    const OperatorSet& operators = OperatorSet::builtin();
    Expression e;
    try {
        e = parse(test::text_of(data, size));
    } catch (const ParseError&) {
        return -1;  // not for the corpus
    }
    const Expression simple = simplify(e, operators);
    test::require(simple.valid(operators, e.n_features()), "the result is valid");
    test::require(simple.size() <= e.size(), "the result is not larger");
    test::require((operators_of(simple) & ~operators_of(e)).none(), "no new operator");
    test::require(simplify(simple, operators) == simple, "a second time changes nothing");
    return 0;
}
