// Ten thousand random expressions over the whole table: values and Jacobians are the same bits on every instruction set and
// every processor.
#include <doctest/doctest.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "balmer/eval/evaluator.hpp"
#include "balmer/eval/isa.hpp"
#include "random_expression.hpp"

namespace balmer::test {
namespace {

/// FNV-1a over the bits; all NaN are one, for their sign and payload are not promised.
template <class T>
void add_bits(std::uint64_t& hash, const std::vector<T>& values) {
    using Word = std::conditional_t<sizeof(T) == 8, std::uint64_t, std::uint32_t>;
    for (const T value : values) {
        const Word word = std::bit_cast<Word>(std::isnan(value) ? std::numeric_limits<T>::quiet_NaN() : value);
        hash = (hash ^ word) * 0x100000001b3U;
    }
}

template <class T>
Dataset<T> rows_of_all_magnitudes(std::size_t rows) {
    Rng rng(61, 1);
    std::vector<double> X;
    for (std::size_t i = 0; i < 3 * rows; ++i) {
        const double scale = i % 5 == 0 ? std::ldexp(1.0, static_cast<int>(rng.below(40)) - 20) : 1.0;
        X.push_back(3 * rng.normal() * scale);
    }
    return Dataset<T>(MatrixView<double>{X.data(), rows, 3, 1, rows});
}

}  // namespace

TEST_CASE_TEMPLATE("random expressions have the same bits on every instruction set", T, double, float) {
    constexpr std::size_t kExpressions = 10000, kRows = 37;  // two whole turns of 16 and a rest
    const std::string before(isa());
    const Dataset<T> data = rows_of_all_magnitudes<T>(kRows);
    const Evaluator<T> evaluator(data);
    std::vector<std::vector<std::uint64_t>> hashes;
    std::size_t finite = 0;
    for (const std::string_view name : available_isas()) {
        force_isa(name);
        Rng rng(61, 0);
        Workspace<T> workspace;
        std::vector<T> out(kRows), jacobian;
        std::vector<std::uint64_t>& own = hashes.emplace_back();
        finite = 0;
        for (std::size_t k = 0; k < kExpressions; ++k) {
            RandomExpressionOptions options;
            options.max_nodes = 1 + rng.below(40);
            const Expression e = random_expression(rng, options);
            std::uint64_t hash = 0xcbf29ce484222325U;
            evaluator.evaluate(e, out, workspace);
            add_bits(hash, out);
            for (const T value : out) finite += std::isfinite(value);
            jacobian.assign(kRows * e.constants.size(), T(0));
            evaluator.evaluate_with_jacobian(e, out, jacobian, workspace);
            add_bits(hash, out);
            add_bits(hash, jacobian);
            own.push_back(hash);
        }
    }
    force_isa(before);
    // And on every processor. Who changes a function, or the table of operators, writes the new number down.
    std::uint64_t all = 0xcbf29ce484222325U;
    for (const std::uint64_t hash : hashes[0]) all = (all ^ hash) * 0x100000001b3U;
    CHECK(all == (sizeof(T) == 8 ? 11192773412937806890U : 16940706388664022650U));
    CHECK(finite > kExpressions * kRows / 3);  // most of what is compared are numbers
    for (std::size_t set = 1; set < hashes.size(); ++set) {
        INFO("seed 61, ", std::string(available_isas()[set]), " against ", std::string(available_isas()[0]));
        std::size_t first = 0;
        while (first < kExpressions && hashes[set][first] == hashes[0][first]) ++first;
        CHECK(first == kExpressions);  // else: the number of the first expression that differs
    }
}

}  // namespace balmer::test
