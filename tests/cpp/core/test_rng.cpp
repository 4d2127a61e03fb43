#include "balmer/core/rng.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <vector>

namespace balmer {
namespace {

using Words = std::array<std::uint32_t, 4>;

TEST_CASE("Philox4x32-10 gives the published vectors of Random123") {
    CHECK(Rng::philox({0, 0, 0, 0}, {0, 0}) == Words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
    constexpr std::uint32_t kOnes = 0xffffffff;
    CHECK(Rng::philox({kOnes, kOnes, kOnes, kOnes}, {kOnes, kOnes}) ==
          Words{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});
    CHECK(Rng::philox({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}) ==
          Words{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1});
}

TEST_CASE("draws are the words of the blocks in order, lower half first") {
    Rng rng(0, 0);
    CHECK(rng.next() == 0xe169c58d6627e8d5);
    CHECK(rng.next() == 0x9b00dbd8bc57ac4c);
    const auto draws_block = [&](std::uint32_t low, std::uint32_t high) {
        const Words words = Rng::philox({low, high, 0, 0}, {0, 0});
        const bool first = rng.next() == (words[0] | std::uint64_t{words[1]} << 32);
        return rng.next() == (words[2] | std::uint64_t{words[3]} << 32) && first;
    };
    for (std::uint32_t block = 1; block < 20; ++block) CHECK(draws_block(block, 0));
    rng.restore({0, 0, 0x1fffffffe});
    CHECK(draws_block(0xffffffff, 0));
    CHECK(draws_block(0, 1));

    // The key is the seed, the upper half of the counter is the stream.
    Rng other(0x299f31d0a4093822, 0x0370734413198a2e);
    const Words first = Rng::philox({0, 0, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0});
    CHECK(other.next() == (first[0] | std::uint64_t{first[1]} << 32));
}

TEST_CASE("a restored state continues the same sequence, in the middle of a block too") {
    for (int skipped = 0; skipped < 5; ++skipped) {
        Rng rng(123, 45);
        for (int i = 0; i < skipped; ++i) (void)rng.next();
        const Rng::State state = rng.state();
        CHECK(state.draw == static_cast<std::uint64_t>(skipped));
        Rng copy = rng;
        Rng restored(9, 9);
        (void)restored.next();
        restored.restore(state);
        for (int i = 0; i < 10; ++i) {
            const std::uint64_t expected = rng.next();
            CHECK(restored.next() == expected);
            CHECK(copy.next() == expected);
        }
        CHECK(restored.state() == rng.state());
    }
}

TEST_CASE("streams and seeds differ") {
    CHECK(Rng(1, 0).next() != Rng(1, 1).next());
    CHECK(Rng(1, 0).next() != Rng(2, 0).next());
    CHECK(Rng(1, std::uint64_t{1} << 32).next() != Rng(1, 1).next());
}

TEST_CASE("uniform lies in [0, 1) and has the moments of its distribution") {
    Rng rng(3, 1);
    constexpr int kDraws = 200'000;
    double sum = 0, squares = 0;
    for (int i = 0; i < kDraws; ++i) {
        const double u = rng.uniform();
        REQUIRE(u >= 0);
        REQUIRE(u < 1);
        sum += u;
        squares += u * u;
    }
    // Five standard errors: sqrt(1/12/n) and sqrt(4/45/n).
    CHECK(std::fabs(sum / kDraws - 1. / 2) < 5 * std::sqrt(1. / 12 / kDraws));
    CHECK(std::fabs(squares / kDraws - 1. / 3) < 5 * std::sqrt(4. / 45 / kDraws));
}

TEST_CASE("below is even over its range") {
    Rng rng(4, 1);
    for (const std::uint32_t n : {1U, 2U, 7U, 10U}) {
        std::vector<int> counts(n);
        constexpr int kDraws = 70'000;
        for (int i = 0; i < kDraws; ++i) {
            const std::uint32_t k = rng.below(n);
            REQUIRE(k < n);
            ++counts[k];
        }
        const double expected = static_cast<double>(kDraws) / n;
        for (const int count : counts) CHECK(std::fabs(count - expected) <= 5 * std::sqrt(expected));
    }
    CHECK(rng.below(0xffffffff) < 0xffffffff);
}

TEST_CASE("normal has the moments and the tails of its distribution") {
    Rng rng(5, 1);
    constexpr int kDraws = 400'000;
    double sum[5] = {};
    int beyond_1 = 0, beyond_2 = 0, beyond_3 = 0;
    for (int i = 0; i < kDraws; ++i) {
        const double z = rng.normal();
        REQUIRE(std::isfinite(z));
        double power = 1;
        for (double& s : sum) s += power, power *= z;
        beyond_1 += std::fabs(z) > 1;
        beyond_2 += std::fabs(z) > 2;
        beyond_3 += std::fabs(z) > 3;
    }
    // Five standard errors: variances of z, z^2, z^3, z^4 are 1, 2, 15, 96.
    const double n = kDraws;
    CHECK(std::fabs(sum[1] / n) < 5 * std::sqrt(1 / n));
    CHECK(std::fabs(sum[2] / n - 1) < 5 * std::sqrt(2 / n));
    CHECK(std::fabs(sum[3] / n) < 5 * std::sqrt(15 / n));
    CHECK(std::fabs(sum[4] / n - 3) < 5 * std::sqrt(96 / n));
    CHECK(std::fabs(beyond_1 / n - 0.31731050786291415) < 5 * std::sqrt(0.3173 * 0.6827 / n));
    CHECK(std::fabs(beyond_2 / n - 0.04550026389635842) < 5 * std::sqrt(0.0455 * 0.9545 / n));
    CHECK(std::fabs(beyond_3 / n - 0.0026997960632601866) < 5 * std::sqrt(0.0027 * 0.9973 / n));
}

TEST_CASE("normal is the polar method's value to a few ULP") {
    // The C library's logarithm as the oracle; the draws are made again from the same uniforms.
    Rng rng(6, 1), again(6, 1);
    for (int i = 0; i < 20'000; ++i) {
        double u = 0, s = 0;
        do {
            u = 2 * again.uniform() - 1;
            const double v = 2 * again.uniform() - 1;
            s = u * u + v * v;
        } while (!(s > 0 && s < 1));
        const double expected = u * std::sqrt(-2 * std::log(s) / s);
        // Near s = 1 both logarithms are of a number that is exact: relative error counts.
        REQUIRE(std::fabs(rng.normal() - expected) <= 4 * 2.2e-16 * std::fabs(expected));
    }
    CHECK(rng.state() == again.state());
}

TEST_CASE("normal gives the same bits everywhere") {
    Rng rng(2026, 11);
    const double expected[] = {-0.72257578127965738, 0.87070787873827515, -0.80754801282441091, -0.28393936198368647};
    for (const double value : expected) CHECK(rng.normal() == value);
}

TEST_CASE("poisson has the mean and the variance of its distribution") {
    Rng rng(8, 1);
    for (const double mean : {0.1, 1.0, 4.5, 20.0, 29.0}) {
        constexpr int kDraws = 50'000;
        double sum = 0, squares = 0;
        int zeros = 0;
        for (int i = 0; i < kDraws; ++i) {
            const double k = rng.poisson(mean);
            sum += k;
            squares += (k - mean) * (k - mean);
            zeros += k == 0;
        }
        CHECK(std::fabs(sum / kDraws - mean) < 5 * std::sqrt(mean / kDraws));
        CHECK(std::fabs(squares / kDraws - mean) < 5 * std::sqrt((mean + 2 * mean * mean) / kDraws));
        const double p0 = std::exp(-mean);
        CHECK(std::fabs(zeros - p0 * kDraws) < 5 * std::sqrt(p0 * kDraws) + 1);
    }
    CHECK(rng.poisson(0) == 0);
    CHECK(rng.poisson(-1) == 0);
    CHECK(rng.poisson(std::nan("")) == 0);
}

TEST_CASE("weighted draws in proportion and never what has no weight") {
    Rng rng(9, 1);
    const double weights[] = {0, 1, 0, 3, 6, 0};
    constexpr int kDraws = 50'000;
    int counts[6] = {};
    for (int i = 0; i < kDraws; ++i) ++counts[rng.weighted(weights)];
    for (int k = 0; k < 6; ++k) {
        const double p = weights[k] / 10;
        CHECK(std::fabs(counts[k] - p * kDraws) <= 5 * std::sqrt(p * kDraws));
    }
    const double one[] = {2.5};
    CHECK(rng.weighted(one) == 0);
    const double none[] = {0, 0, 0};
    CHECK(rng.weighted(none) == 2);
}

}  // namespace
}  // namespace balmer
