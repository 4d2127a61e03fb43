#include "balmer/search/pareto.hpp"

#include <doctest/doctest.h>

#include <limits>
#include <vector>

#include "balmer/expr/parse.hpp"

namespace balmer {
namespace {

Candidate candidate(const char* text, double loss) {
    Candidate result;
    result.roles = {parse(text)};
    result.complexity = static_cast<int>(result.roles[0].size());
    result.loss = loss;
    return result;
}

TEST_CASE("the front falls strictly") {
    Archive archive(9);
    CHECK(archive.front().empty());
    CHECK(archive.offer(candidate("x0", 4)));
    CHECK(archive.offer(candidate("sin(x0)", 4)));  // no better than the simpler one: kept, but not on the front
    CHECK(archive.offer(candidate("x0 + x1", 3)));
    CHECK_FALSE(archive.offer(candidate("x0 * x1", 3.5)));
    CHECK(archive.offer(candidate("x0 - x1", 2)));
    CHECK(archive.offer(candidate("x0 + x1 + x2", 1)));
    const auto front = archive.front();
    REQUIRE(front.size() == 3);
    CHECK(front[0]->complexity == 1);
    CHECK(front[1]->roles[0] == parse("x0 - x1"));
    CHECK(front[2]->loss == 1);
    CHECK(archive.at(2) != nullptr);
    CHECK(archive.at(4) == nullptr);
    CHECK(archive.losses()[3] == 2);
    CHECK(archive.losses()[4] == std::numeric_limits<double>::infinity());
}

TEST_CASE("what is outside the limits, or has no finite loss, is not taken") {
    Archive archive(3);
    CHECK_FALSE(archive.offer(candidate("x0 + x1 + x2", 1)));
    CHECK_FALSE(archive.offer(candidate("x0", std::numeric_limits<double>::infinity())));
    CHECK_FALSE(archive.offer(candidate("x0", std::numeric_limits<double>::quiet_NaN())));
    CHECK(archive.at(0) == nullptr);
    CHECK(archive.at(99) == nullptr);
    CHECK(archive.front().empty());
}

TEST_CASE("the front ends with the first formula at the rounding floor") {
    Archive archive(9);
    archive.offer(candidate("x0", 1));
    archive.offer(candidate("x0 + x1", 1e-30));
    archive.offer(candidate("x0 + x1 + x2", 1e-31));
    CHECK(archive.front().size() == 3);
    CHECK(archive.front(1e-29).size() == 2);
}

TEST_CASE("at equal loss the archive does not depend on the order of the offers") {
    const std::vector<const char*> texts = {"x0 + x1", "x1 + x0", "x0 * x1", "x1 - x0"};
    Archive forwards(5), backwards(5);
    for (std::size_t i = 0; i < texts.size(); ++i) {
        forwards.offer(candidate(texts[i], 1));
        backwards.offer(candidate(texts[texts.size() - 1 - i], 1));
    }
    CHECK(forwards.at(3)->roles == backwards.at(3)->roles);
}

}  // namespace
}  // namespace balmer
