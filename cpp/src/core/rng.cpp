#include "balmer/core/rng.hpp"

#include <bit>
#include <cassert>
#include <cmath>
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

// Without this, compilers for machines that have fma may use it here, which rounds once less.
#if defined(__clang__)
#pragma clang fp contract(off)
#elif defined(__GNUC__)
#pragma GCC optimize("fp-contract=off")
#endif

namespace balmer {
namespace {

constexpr std::uint32_t low(std::uint64_t x) noexcept { return static_cast<std::uint32_t>(x); }
constexpr std::uint32_t high(std::uint64_t x) noexcept { return static_cast<std::uint32_t>(x >> 32); }

/// Natural logarithm of a normal number, within 2 ULP for 0 < x < 1. Only operations that IEEE 754 rounds exactly, so
/// the same bits everywhere.
/// x = 2^k m with m in [sqrt(1/2), sqrt(2)); log m = 2 atanh((m - 1) / (m + 1)), whose series ends below 1e-18 here.
double portable_log(double x) noexcept {
    constexpr double kSqrt2 = 1.4142135623730951;
    constexpr double kLn2High = 0x1.62e42fee00000p-1;  // the upper 32 bits: k times it is exact
    constexpr double kLn2Low = 0x1.a39ef35793c76p-33;
    const std::uint64_t bits = std::bit_cast<std::uint64_t>(x);
    int k = static_cast<int>(bits >> 52) - 1023;
    double m = std::bit_cast<double>((bits & 0x000fffffffffffffULL) | 0x3ff0000000000000ULL);
    if (m > kSqrt2) {
        m *= 0.5;
        ++k;
    }
    const double t = (m - 1) / (m + 1);
    const double t2 = t * t;
    double series = 0;
    for (int n = 21; n >= 3; n -= 2) series = (series + 1.0 / n) * t2;
    return k * kLn2High + (2 * t + (2 * t * series + k * kLn2Low));
}

/// exp(-x) for 0 < x < 30: Taylor's series at x / 64, squared six times. The same bits everywhere.
double portable_exp_minus(double x) noexcept {
    const double u = -x / 64;
    double sum = 1;
    for (int n = 18; n >= 1; --n) sum = 1 + sum * u / n;
    for (int i = 0; i < 6; ++i) sum *= sum;
    return sum;
}

constexpr std::uint32_t kMultipliers[2] = {0xD2511F53, 0xCD9E8D57}, kWeyl[2] = {0x9E3779B9, 0xBB67AE85};
constexpr int kRounds = 10;

}  // namespace

std::array<std::uint32_t, 4> Rng::philox(std::array<std::uint32_t, 4> counter,
                                         std::array<std::uint32_t, 2> key) noexcept {
    for (int round = 0; round < kRounds; ++round) {
        const std::uint64_t p0 = std::uint64_t{kMultipliers[0]} * counter[0];
        const std::uint64_t p1 = std::uint64_t{kMultipliers[1]} * counter[2];
        counter = {high(p1) ^ counter[1] ^ key[0], low(p1), high(p0) ^ counter[3] ^ key[1], low(p0)};
        key[0] += kWeyl[0];
        key[1] += kWeyl[1];
    }
    return counter;
}

#if defined(__SSE2__)
/// All blocks at once: a round waits for the one before it, so the second block costs next to nothing.
void Rng::refill() noexcept {
    cached_ = draw_ / kCached;
    const auto pair = [](std::uint32_t x, std::uint32_t y) {
        return _mm_set_epi32(0, static_cast<int>(y), 0, static_cast<int>(x));
    };
    const __m128i multipliers = pair(kMultipliers[0], kMultipliers[1]), weyl = pair(kWeyl[0], kWeyl[1]);
    __m128i key = pair(low(seed_), high(seed_));
    __m128i even[kBlocks], odd[kBlocks];  // words 0 and 2, words 1 and 3: the lower halves of two lanes
    for (unsigned k = 0; k < kBlocks; ++k) {
        const std::uint64_t block = kBlocks * cached_ + k;
        even[k] = pair(low(block), low(stream_));
        odd[k] = pair(high(block), high(stream_));
    }
    for (int round = 0; round < kRounds; ++round) {
        for (unsigned k = 0; k < kBlocks; ++k) {
            const __m128i product = _mm_mul_epu32(even[k], multipliers);
            const __m128i crossed_high = _mm_shuffle_epi32(product, _MM_SHUFFLE(0, 1, 0, 3));
            even[k] = _mm_xor_si128(crossed_high, _mm_xor_si128(odd[k], key));
            odd[k] = _mm_shuffle_epi32(product, _MM_SHUFFLE(0, 0, 0, 2));
        }
        key = _mm_add_epi32(key, weyl);
    }
    for (unsigned k = 0; k < kBlocks; ++k) {
        const __m128i lower = _mm_and_si128(even[k], _mm_set_epi32(0, -1, 0, -1));
        auto* const draws = reinterpret_cast<__m128i*>(cache_.data() + 2 * k);
        _mm_storeu_si128(draws, _mm_or_si128(lower, _mm_slli_epi64(odd[k], 32)));
    }
}
#else
void Rng::refill() noexcept {
    cached_ = draw_ / kCached;
    for (unsigned k = 0; k < kBlocks; ++k) {
        const std::uint64_t block = kBlocks * cached_ + k;
        const auto words = philox({low(block), high(block), low(stream_), high(stream_)}, {low(seed_), high(seed_)});
        cache_[2 * k] = words[0] | std::uint64_t{words[1]} << 32;
        cache_[2 * k + 1] = words[2] | std::uint64_t{words[3]} << 32;
    }
}
#endif

double Rng::normal() noexcept {
    for (;;) {
        const double u = 2 * uniform() - 1;
        const double v = 2 * uniform() - 1;
        const double s = u * u + v * v;
        if (s > 0 && s < 1) return u * std::sqrt(-2 * portable_log(s) / s);
    }
}

std::uint32_t Rng::poisson(double mean) noexcept {
    if (!(mean > 0)) return 0;
    const double limit = portable_exp_minus(mean);
    std::uint32_t count = 0;
    for (double product = uniform(); product > limit; product *= uniform()) ++count;
    return count;
}

std::size_t Rng::weighted(std::span<const double> weights) noexcept {
    assert(!weights.empty());
    double total = 0;
    for (const double w : weights) total += w;
    double left = uniform() * total;
    std::size_t last = weights.size() - 1;
    while (last > 0 && !(weights[last] > 0)) --last;
    if (!(weights[last] > 0)) return weights.size() - 1;
    for (std::size_t i = 0; i < last; ++i) {
        if (left < weights[i]) return i;
        left -= weights[i];
    }
    return last;
}

}  // namespace balmer
