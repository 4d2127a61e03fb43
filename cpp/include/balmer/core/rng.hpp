// Random numbers that depend on (seed, stream, draw) alone, never on the thread or the machine that asks.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace balmer {

/// Philox4x32-10 (Salmon et al., SC'11): a counter-based generator. Each (seed, stream) is an independent sequence;
/// its whole state is three integers, so it is copied and saved like a number.
class Rng {
   public:
    Rng() = default;
    Rng(std::uint64_t seed, std::uint64_t stream) noexcept : seed_(seed), stream_(stream) {}

    /// 64 random bits.
    [[nodiscard]] std::uint64_t next() noexcept {
        if (draw_ / kCached != cached_) refill();
        return cache_[draw_++ % kCached];
    }

    /// Uniform in [0, 1), with 53 random bits.
    [[nodiscard]] double uniform() noexcept { return static_cast<double>(next() >> 11) * 0x1p-53; }

    /// Uniform in [0, n), without bias worth naming (Lemire's multiplication). n > 0.
    [[nodiscard]] std::uint32_t below(std::uint32_t n) noexcept {
        return static_cast<std::uint32_t>(((next() >> 32) * n) >> 32);
    }

    /// Standard normal, by Marsaglia's polar method with a logarithm of its own, made of + - * / alone: the C library's
    /// differs between machines. The second value of a pair is thrown away, so that the state stays a counter.
    [[nodiscard]] double normal() noexcept;

    /// Poisson with small mean (< 30), by Knuth's product; 0 for a mean that is not positive.
    [[nodiscard]] std::uint32_t poisson(double mean) noexcept;

    /// Index drawn with probability proportional to weights[i] >= 0; the last positive one if rounding runs over. If
    /// no weight is positive, the last index. `weights` is not empty.
    [[nodiscard]] std::size_t weighted(std::span<const double> weights) noexcept;

    struct State {
        std::uint64_t seed, stream, draw;
        friend bool operator==(const State&, const State&) = default;
    };
    [[nodiscard]] State state() const noexcept { return {seed_, stream_, draw_}; }
    void restore(const State& state) noexcept {
        seed_ = state.seed, stream_ = state.stream, draw_ = state.draw;
        cached_ = ~std::uint64_t{0};
    }

    /// The generator itself: one block of four words. Public so that it can be checked against published vectors.
    [[nodiscard]] static std::array<std::uint32_t, 4> philox(std::array<std::uint32_t, 4> counter,
                                                             std::array<std::uint32_t, 2> key) noexcept;

   private:
    static constexpr std::size_t kBlocks = 2, kCached = 2 * kBlocks;  // draws that are made at once

    void refill() noexcept;

    std::uint64_t seed_ = 0;
    std::uint64_t stream_ = 0;
    std::uint64_t draw_ = 0;                    // 64-bit draws made so far
    std::uint64_t cached_ = ~std::uint64_t{0};  // which of the groups of draws is in cache_
    std::array<std::uint64_t, kCached> cache_{};
};

}  // namespace balmer
