// What a search hands out: pruned, snapped, with description lengths.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "balmer/core/rng.hpp"
#include "balmer/expr/parse.hpp"
#include "balmer/expr/print.hpp"
#include "balmer/search/search.hpp"
#include "sanitized.hpp"
#include "search/description_length.hpp"
#include "search/domain.hpp"
#include "search/vocabulary.hpp"

using namespace balmer;

namespace {

SearchOptions options(std::initializer_list<const char*> unary) {
    SearchOptions o;
    for (const char* name : {"+", "-", "*", "/"})
        o.operators.push_back(operator_named(name, OperatorSet::builtin(), 2));
    for (const char* name : unary) o.operators.push_back(operator_named(name, OperatorSet::builtin(), 1));
    o.seed_work = test::repeats(o.seed_work, 5e7);
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

TEST_CASE("the front has the smallest of equal formulas") {
    const Rows r = rows(60, 2, 0, [](const double* x) { return std::sin(x[0] - x[1]) / x[0] + 3; });
    const Dataset<double> data = r.dataset();
    SearchOptions o = options({"sin", "cos"});
    o.evolution.niterations = 0;
    o.guesses = {parse("(sin(x0) * cos(x1) - cos(x0) * sin(x1) + 3 * x0) / x0")};
    const SearchResult result = Search(data, OperatorSet::builtin(), o).run();
    CHECK(to_text(result.front.back().expression) == "sin(x0 - x1) / x0 + 3");
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

namespace {

struct Planets {
    std::vector<double> distance, period;
};

SearchResult search_for(const Planets& planets, int niterations) {
    const MatrixView<double> X{planets.distance.data(), planets.distance.size(), 1, 1, planets.distance.size()};
    const Dataset<double> data(X, planets.period, {}, RowOrder::ladder);
    SearchOptions o = options({"sqrt", "square", "exp", "log"});
    o.evolution.niterations = niterations;
    return Search(data, OperatorSet::builtin(), o).run();
}

}  // namespace

TEST_CASE("a few measurements that a formula explains to half of their digits are searched no further") {
    const std::vector<Planets> tables = {
        {{0.389, 0.724, 1.0, 1.524, 5.2, 9.51}, {87.77, 224.7, 365.25, 686.95, 4332.62, 10759.2}},
        {{0.3871, 0.7233, 1.0, 1.5237, 5.2028, 9.5388}, {87.9691, 224.701, 365.256, 686.98, 4332.59, 10759.22}},
        {{0.387, 0.723, 1.0, 1.524, 5.203, 9.537, 19.19, 30.07},
         {87.97, 224.7, 365.26, 686.98, 4332.59, 10759.22, 30688.5, 60182}},
    };
    for (const Planets& planets : tables) {
        const SearchResult result = search_for(planets, 100);
        CHECK(result.reason == StopReason::settled);
        CHECK(result.iterations == 0);
        const FrontEntry& law = *best(result.front);
        INFO(to_text(law.expression));
        CHECK(law.complexity <= 6);
        CHECK(law.expression.constants.size() == 1);
        CHECK(law.loss < 1e-6 * planets.period.back() * planets.period.back());
    }
}

TEST_CASE("an exponent that is a half within its error is one on the front") {
    const Planets planets{{0.3871, 0.7233, 1.0, 1.5237, 5.2028, 9.5388},
                          {87.9691, 224.701, 365.256, 686.98, 4332.59, 10759.22}};
    const Dataset<double> data(MatrixView<double>{planets.distance.data(), 6, 1, 1, 6}, planets.period);
    SearchOptions o;
    o.operators = {Op::Add, Op::Mul, Op::Div, Op::Pow};
    const SearchResult result = Search(data, OperatorSet::builtin(), o).run();
    const Expression& law = best(result.front)->expression;
    INFO(to_text(law));
    REQUIRE(law.constants.size() == 2);
    CHECK(law.constants[0] == doctest::Approx(365.19).epsilon(1e-4));
    CHECK(law.constants[1] == 1.5);
}

TEST_CASE("eight rows can tell a law from a constant") {
    // The logarithms of the distances of Mercury, Venus, ..., Uranus (Titius and Bode: a = 0.4 + 0.3 * 2^n).
    const Planets planets{{-1000, 0, 1, 2, 3, 4, 5, 6},
                          {-0.94160854, -0.32850407, 0, 0.41871034, 1.01884732, 1.64865863, 2.25967759, 2.9559514}};
    const FrontEntry law = *best(search_for(planets, 100).front);
    INFO(to_text(law.expression));
    CHECK(law.complexity > 5);
    CHECK(law.loss < 1e-3);
}

TEST_CASE("a few rows that were computed are searched to the last digit") {
    Planets planets{{0.387, 0.723, 1.0, 1.524, 5.203, 9.537}, {}};
    for (const double a : planets.distance) planets.period.push_back(365.25 * a * std::sqrt(a) + std::exp(-a));
    CHECK(search_for(planets, 2).reason != StopReason::settled);
}

TEST_CASE("no formula of the front has nearly as many constants as there are rows") {
    Rng rng(5, 0);
    Planets noise;
    for (int i = 0; i < 6; ++i) {
        noise.distance.push_back(1 + i + 0.3 * rng.normal());
        noise.period.push_back(rng.normal());
    }
    const SearchResult result = search_for(noise, 10);
    CHECK(result.reason == StopReason::iterations);
    CHECK(result.front.size() > 2);
    for (const FrontEntry& entry : result.front) CHECK(std::isfinite(entry.description_length));
}

TEST_CASE("ranges of features are widened, but not across zero") {
    const Rows r{{-1, 0.1, 3, -6, 1, 8.1, -5, 7}, {1, 2}, 2, 4};
    const std::vector<Interval> box = search::widened_ranges(r.dataset());
    REQUIRE(box.size() == 4);
    CHECK(box[0].low == doctest::Approx(-1.2));
    CHECK(box[0].high == doctest::Approx(1.2));
    CHECK(box[1].low == doctest::Approx(0.09));
    CHECK(box[1].high == doctest::Approx(8.9));
    CHECK(box[2].low == doctest::Approx(-5.8));
    CHECK(box[2].high == doctest::Approx(3.8));
    CHECK(box[3].low == doctest::Approx(-7.3));
    CHECK(box[3].high == doctest::Approx(8.3));
}

TEST_CASE("a formula with a pole between the rows is longer by a nat's share") {
    const Rows r = rows(100, 1, 0.05, [](const double* x) { return 1 / (x[0] - 2.5) + x[0]; });
    const Dataset<double> data = r.dataset();
    SearchOptions o = options({"log"});
    o.finish = Finish::fit;
    o.seeding = false;
    const SearchResult result = Search(data, OperatorSet::builtin(), o).run();
    const search::Vocabulary vocabulary(o, OperatorSet::builtin());
    const auto scale = search::description_scale(r.y, vocabulary.n_symbols(1));
    const std::vector<Interval> box = search::widened_ranges(data);
    int risky = 0;
    for (const FrontEntry& entry : result.front) {
        INFO(to_text(entry.expression));
        const std::size_t at_risk = enclose(entry.expression, box, OperatorSet::builtin()).at_risk;
        risky += at_risk > 0 ? 1 : 0;
        const double without = search::description_length(entry.expression, entry.loss, scale);
        CHECK(entry.description_length == doctest::Approx(without + std::log(2.0) * static_cast<double>(at_risk)));
    }
    CHECK(risky > 0);
}
