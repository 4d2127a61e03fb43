#include "balmer/evolve/selection.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <numeric>
#include <vector>

#include "balmer/evolve/loss_table.hpp"
#include "balmer/evolve/population.hpp"
#include "balmer/expr/parse.hpp"

namespace balmer {
namespace {

/// The definition: draw the contestants without replacement, let the k-th best win with probability p (1 - p)^k.
std::size_t played_out(std::size_t population, std::size_t contestants, double p, Rng& rng) {
    std::vector<std::size_t> ranks(population);
    std::iota(ranks.begin(), ranks.end(), std::size_t{0});
    for (std::size_t k = 0; k < contestants; ++k) {
        std::swap(ranks[k], ranks[k + rng.below(static_cast<std::uint32_t>(population - k))]);
    }
    std::sort(ranks.begin(), ranks.begin() + static_cast<std::ptrdiff_t>(contestants));
    std::vector<double> weights(contestants);
    for (std::size_t k = 0; k < contestants; ++k) weights[k] = p * std::pow(1 - p, static_cast<double>(k));
    return ranks[rng.weighted(weights)];
}

TEST_CASE("one draw has the distribution of a tournament that is played out") {
    constexpr int kGames = 200'000;
    struct Setting {
        std::size_t population, contestants;
        double p;
    };
    for (const Setting s : {Setting{27, 15, 0.982}, Setting{27, 15, 0.5}, Setting{10, 10, 0.9}, Setting{8, 1, 0.9},
                            Setting{50, 3, 1.0}}) {
        CAPTURE(s.population);
        CAPTURE(s.contestants);
        const Tournament tournament(s.population, s.contestants, s.p);
        CHECK(tournament.cumulative().back() == doctest::Approx(1.0).epsilon(1e-12));
        Rng rng(4, 2), other(5, 2);
        std::vector<double> drawn(s.population), played(s.population);
        for (int k = 0; k < kGames; ++k) {
            drawn[tournament.draw(rng)] += 1;
            played[played_out(s.population, s.contestants, s.p, other)] += 1;
        }
        for (std::size_t rank = 0; rank < s.population; ++rank) {
            CAPTURE(rank);
            // Five standard deviations of the difference of two counts.
            CHECK(std::abs(drawn[rank] - played[rank]) <= 5 * std::sqrt(drawn[rank] + played[rank] + 1));
        }
    }
}

TEST_CASE("frequencies count complexities within a window") {
    FrequencyStatistics statistics(30);
    CHECK(statistics.frequency(1) == doctest::Approx(1.0 / 30));
    CHECK(statistics.frequency(0) == 0);
    CHECK(statistics.frequency(31) == 0);
    for (int k = 0; k < 60; ++k) statistics.add(5);
    statistics.add(31);
    CHECK(statistics.frequency(5) == doctest::Approx(1.0 / 30));  // the iteration is not closed
    statistics.close_iteration();
    CHECK(statistics.frequency(5) == doctest::Approx(61.0 / 90));

    for (int k = 0; k < 150'000; ++k) statistics.add(5);
    for (int k = 0; k < 100; ++k) statistics.add(7);
    statistics.close_iteration();
    double sum = 0;
    for (const double count : statistics.counts()) {
        CHECK(count >= 1);
        sum += count;
    }
    CHECK(sum == doctest::Approx(FrequencyStatistics::kWindow));

    FrequencyStatistics copy(30);
    copy.restore(statistics.counts());
    for (int c = 1; c <= 30; ++c) CHECK(copy.frequency(c) == statistics.frequency(c));
}

Candidate candidate(const char* text, double cost) {
    Candidate result;
    result.roles = {parse(text)};
    result.complexity = static_cast<int>(result.roles[0].size());
    result.loss = result.cost = cost;
    return result;
}

TEST_CASE("the oldest make room, and ranks follow cost and rarity") {
    std::vector<Candidate> members;
    for (const double cost : {3.0, 1.0, 2.0}) members.push_back(candidate("x0", cost));
    for (std::size_t i = 0; i < members.size(); ++i) members[i].birth = i + 1;
    Population population(std::move(members));
    const Ranking by_cost;
    population.rank(by_cost);
    CHECK(population.ranked(0) == 1);
    CHECK(population.ranked(2) == 0);
    CHECK(population.oldest() == 0);

    Candidate newborn = candidate("x0 + x1", 0.5);
    population.replace(population.oldest(), newborn, by_cost);
    CHECK(population[0].cost == 0.5);
    CHECK(newborn.cost == 3.0);  // the old member's storage
    CHECK(population.ranked(0) == 0);
    CHECK(population.oldest() == 1);
    CHECK(population.births() == 4);

    // Complexity 3 is common now: its member falls behind.
    FrequencyStatistics statistics(10);
    for (int k = 0; k < 100; ++k) statistics.add(3);
    statistics.close_iteration();
    const Ranking ranking{&statistics, 20};
    population.rank(ranking);
    CHECK(population.ranked(0) == 1);
    CHECK(population.ranked(2) == 0);
    // In single steps, the order is the one that sorting gives.
    Rng rng(8, 0);
    for (int k = 0; k < 500; ++k) {
        Candidate next = candidate(k % 3 == 0 ? "x0" : "x0 + x1", rng.uniform());
        population.replace(population.oldest(), next, ranking);
        for (std::size_t r = 0; r + 1 < population.size(); ++r) {
            REQUIRE(ranking.key(population[population.ranked(r)]) <= ranking.key(population[population.ranked(r + 1)]));
        }
    }
}

TEST_CASE("the oldest is the member with the smallest number, whatever was renewed in between") {
    std::vector<Candidate> members(9, candidate("x0", 1.0));
    const std::array<std::uint64_t, 9> births = {40, 3, 17, 5, 90, 2, 8, 33, 4};
    for (std::size_t i = 0; i < members.size(); ++i) members[i].birth = births[i];
    Population population(std::move(members));
    CHECK(population.births() == 90);
    const auto smallest = [&] {
        std::size_t slot = 0;
        for (std::size_t i = 1; i < population.size(); ++i) {
            if (population[i].birth < population[slot].birth) slot = i;
        }
        return slot;
    };
    CHECK(population.oldest() == 5);
    Rng rng(3, 0);
    for (int k = 0; k < 200; ++k) {
        const std::size_t slot = rng.uniform() < 0.5 ? population.oldest() : rng.below(9);
        population.make_youngest(slot);
        CHECK(population[slot].birth == 91 + static_cast<std::uint64_t>(k));
        REQUIRE(population.oldest() == smallest());
    }
}

TEST_CASE("a huge scaling of the parsimony does not overflow the ranks") {
    FrequencyStatistics statistics(2);
    for (int k = 0; k < 1000; ++k) statistics.add(1);
    statistics.close_iteration();
    const Ranking ranking{&statistics, 1e4};  // exp(1e4) is infinite
    CHECK(ranking.key(candidate("x0", 1.0)) > ranking.key(candidate("x0", 0.5)));
    CHECK(std::isfinite(ranking.key(candidate("x0", 1.0))));
}

TEST_CASE("the table answers as an evaluation would") {
    LossTable table;
    const std::vector<Expression> roles = {parse("x0 + 1.5")};
    const std::uint64_t key = LossTable::key(roles);
    const double infinity = std::numeric_limits<double>::infinity();
    CHECK_FALSE(table.find(key, infinity).has_value());
    table.insert(key, 0.25, 0.5);
    CHECK(table.find(key, 0.1) == 0.25);
    CHECK(table.find(key, infinity) == 0.25);
    // Abandoned above a bound: known only for bounds that are not larger.
    table.insert(key, infinity, 0.5);
    CHECK(table.find(key, 0.5) == infinity);
    CHECK(table.find(key, 0.4) == infinity);
    CHECK_FALSE(table.find(key, 0.6).has_value());
    table.clear();
    CHECK_FALSE(table.find(key, 0.4).has_value());
    CHECK_FALSE(table.find(0, infinity).has_value());  // of what is empty
    table.insert(key, 0.125, 0.5);
    CHECK(table.find(key, 0.4) == 0.125);
    CHECK(LossTable::key(roles) != LossTable::key(std::vector<Expression>{parse("x0 + 1.25")}));
}

}  // namespace
}  // namespace balmer
