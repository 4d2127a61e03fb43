// What a search hands out: pruned, snapped, with description lengths.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "balmer/core/rng.hpp"
#include "balmer/expr/print.hpp"
#include "balmer/search/search.hpp"

using namespace balmer;

namespace {

SearchOptions options(std::initializer_list<const char*> unary) {
    SearchOptions o;
    for (const char* name : {"+", "-", "*", "/"})
        o.operators.push_back(operator_named(name, OperatorSet::builtin(), 2));
    for (const char* name : unary) o.operators.push_back(operator_named(name, OperatorSet::builtin(), 1));
    o.evolution.niterations = 3;
    o.evolution.populations = 8;
    return o;
}

struct Rows {
    std::vector<double> x, y;
    std::size_t n, d;
    [[nodiscard]] Dataset<double> dataset() const {
        return Dataset<double>(MatrixView<double>{x.data(), n, d, d, 1}, y, {}, RowOrder::ladder);
    }
};

template <class F>
Rows rows(std::size_t n, std::size_t d, double noise, F law) {
    Rng rng(11, 0);
    Rows out{{}, {}, n, d};
    for (std::size_t i = 0; i < n; ++i) {
        for (std::size_t j = 0; j < d; ++j) out.x.push_back(1 + 3 * rng.uniform());
        out.y.push_back(law(out.x.data() + i * d) + noise * rng.normal());
    }
    return out;
}

const FrontEntry& chosen(const SearchResult& result) {
    return *std::ranges::min_element(result.front, {}, &FrontEntry::description_length);
}

}  // namespace

TEST_CASE("constants that noise blurs become the whole numbers that they are") {
    const Rows r = rows(200, 2, 0.01, [](const double* x) { return x[0] * x[0] / x[1] - 3 * x[0]; });
    const Dataset<double> data = r.dataset();
    Search search(data, OperatorSet::builtin(), options({}));
    const SearchResult result = search.run();
    const FrontEntry& best = chosen(result);
    INFO(to_text(best.expression));
    CHECK(best.loss < 1.3e-4);  // the variance of the noise is 1e-4
    for (const double c : best.expression.constants) CHECK(c == std::round(c));
}

TEST_CASE("a law without noise has the least description length") {
    const Rows r = rows(100, 3, 0, [](const double* x) { return 2.5 * x[0] * std::exp(-0.5 * x[1]); });
    const Dataset<double> data = r.dataset();
    Search search(data, OperatorSet::builtin(), options({"exp"}));
    const FrontEntry best = chosen(search.run());
    CHECK(best.loss < 1e-20);
    CHECK(best.complexity <= 8);
}

TEST_CASE("noise alone is described by a constant") {
    Rows r = rows(300, 3, 1, [](const double*) { return 5.0; });
    const Dataset<double> data = r.dataset();
    Search search(data, OperatorSet::builtin(), options({"exp", "sin", "log"}));
    CHECK(chosen(search.run()).complexity == 1);
}

TEST_CASE("the front rises in complexity, falls in loss, and keeps to the operators") {
    const Rows r = rows(80, 2, 0.1, [](const double* x) { return std::sqrt(x[0]) + x[1] * x[1]; });
    const Dataset<double> data = r.dataset();
    const SearchOptions o = options({"sqrt"});
    Search search(data, OperatorSet::builtin(), o);
    const SearchResult result = search.run();
    for (std::size_t i = 0; i < result.front.size(); ++i) {
        const FrontEntry& entry = result.front[i];
        CHECK(std::isfinite(entry.description_length));
        for (const Node& node : entry.expression.nodes) {
            CHECK((node.is_leaf() || std::ranges::find(o.operators, node.op) != o.operators.end()));
        }
        if (i > 0) {
            CHECK(entry.complexity > result.front[i - 1].complexity);
            CHECK(entry.loss < result.front[i - 1].loss);
        }
    }
}

TEST_CASE("a column that is the same in every row is the name of a number") {
    const auto law = [](const double* x) { return x[0] + 9.81 * x[1]; };
    for (const double noise : {0.0, 0.01}) {
        Rows r = rows(120, 3, noise, law);
        for (std::size_t i = 0; i < r.n; ++i) r.x[3 * i + 2] = 9.81;
        const Dataset<double> data = r.dataset();
        for (const Finish finish : {Finish::simplify, Finish::fit}) {
            SearchOptions o = options({});
            o.finish = finish;
            Search search(data, OperatorSet::builtin(), o);
            const SearchResult result = search.run();
            const FrontEntry& best = chosen(result);
            INFO(noise << ": " << to_text(best.expression));
            CHECK(best.complexity == 5);
            CHECK(best.expression.constants.empty());
            CHECK(best.expression.n_features() == 3);
            for (std::size_t k = 1; k < result.front.size(); ++k) {
                CHECK(result.front[k].complexity > result.front[k - 1].complexity);
                CHECK(result.front[k].loss < result.front[k - 1].loss);
            }
        }
    }
}

TEST_CASE("a number that is not the one with a name stays") {
    Rows r = rows(100, 3, 0.01, [](const double* x) { return x[0] + 9.5 * x[1]; });
    for (std::size_t i = 0; i < r.n; ++i) r.x[3 * i + 2] = 9.81;
    const Dataset<double> data = r.dataset();
    Search search(data, OperatorSet::builtin(), options({}));
    CHECK(chosen(search.run()).expression.constants.size() == 1);
}
