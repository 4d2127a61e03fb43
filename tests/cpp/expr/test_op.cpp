#include "balmer/expr/op.hpp"

#include <doctest/doctest.h>

#include <set>
#include <string>

#include "balmer/expr/operator_set.hpp"

namespace balmer {
namespace {

TEST_CASE("the table has a row for each operator, in the order of the enumeration") {
    const std::span<const OpInfo> table = operator_table();
    REQUIRE(table.size() + kFirstOp == kBuiltinOps);
    for (std::size_t row = 0; row < table.size(); ++row) {
        CAPTURE(table[row].name);
        CHECK(static_cast<std::size_t>(table[row].op) == row + kFirstOp);
        CHECK(&info(table[row].op) == &table[row]);
    }
}

TEST_CASE("every row is complete") {
    std::set<std::string_view> names;
    for (const OpInfo& row : operator_table()) {
        CAPTURE(row.name);
        CHECK(names.insert(row.name).second);
        CHECK(row.name.find(' ') == std::string_view::npos);
        CHECK(row.arity >= 1);
        CHECK(row.arity <= kMaxArity);
        CHECK(row.complexity >= 1);
        CHECK(row.low < row.high);
        CHECK_FALSE(row.value.empty());
        // The templates mention each operand and none that the operator does not have.
        for (const char operand : {'a', 'b', 'c'}) {
            const bool has = operand - 'a' < row.arity;
            CHECK((row.latex.find(std::string("$") + operand) != std::string_view::npos) == has);
        }
    }
}

TEST_CASE("columns of the table are read as they are written") {
    CHECK(info(Op::Add).name == "add");
    CHECK(info(Op::Add).aliases == "+ plus");
    CHECK(info(Op::Neg).aliases.empty());
    CHECK(info(Op::Pow).text == "a ^ b");
    CHECK(info(Op::Pow).value == "pow(a, b)");
    CHECK(info(Op::Pow).units == Units::power);
    CHECK(info(Op::Asin).low == -1);
    CHECK(info(Op::Asin).high == 1);
    CHECK(info(Op::IfElse).arity == 3);
}

TEST_CASE("an operator is smooth unless all its derivatives are zero") {
    CHECK(info(Op::Sin).smooth);
    CHECK(info(Op::Cond).smooth);
    CHECK(info(Op::Mod).smooth);
    for (const Op op : {Op::Sign, Op::Round, Op::Floor, Op::Ceil, Op::Greater, Op::Equal, Op::And, Op::Or}) {
        CAPTURE(info(op).name);
        CHECK_FALSE(info(op).smooth);
    }
}

}  // namespace
}  // namespace balmer
