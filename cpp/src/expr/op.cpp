#include "balmer/expr/op.hpp"

#include <algorithm>
#include <array>
#include <cassert>

namespace balmer {
namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();

constexpr std::string_view first_word(std::string_view words) noexcept { return words.substr(0, words.find(' ')); }

constexpr std::string_view other_words(std::string_view words) noexcept {
    const std::size_t blank = words.find(' ');
    return blank == std::string_view::npos ? std::string_view{} : words.substr(blank + 1);
}

constexpr bool is_zero(std::string_view derivative) noexcept { return derivative == "0"; }

constexpr std::array kTable = {
#define BALMER_OP(id, names, arity, value, da, db, dc, text, latex, sympy, complexity, low, high, units) \
    OpInfo{Op::id,                                                                                       \
           first_word(names),                                                                            \
           other_words(names),                                                                           \
           arity,                                                                                        \
           text,                                                                                         \
           latex,                                                                                        \
           sympy,                                                                                        \
           #value,                                                                                       \
           #da,                                                                                          \
           #db,                                                                                          \
           #dc,                                                                                          \
           complexity,                                                                                   \
           low,                                                                                          \
           high,                                                                                         \
           Units::units,                                                                                 \
           !(is_zero(#da) && is_zero(#db) && is_zero(#dc))},
#include "balmer/expr/operators.def"
#undef BALMER_OP
};

static_assert(kTable.size() + kFirstOp == kBuiltinOps);
static_assert(std::ranges::all_of(kTable, [](const OpInfo& row) { return row.arity >= 1 && row.arity <= kMaxArity; }));

}  // namespace

std::span<const OpInfo> operator_table() noexcept { return kTable; }

const OpInfo& info(Op op) noexcept {
    const std::size_t row = static_cast<std::size_t>(op) - kFirstOp;
    assert(row < kTable.size());
    return kTable[row];
}

}  // namespace balmer
