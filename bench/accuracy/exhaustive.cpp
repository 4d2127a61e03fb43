#include "exhaustive.hpp"

#include <array>
#include <bit>
#include <cmath>
#include <limits>

#include "eval/dispatch.hpp"
#include "eval/kernel_table.hpp"

namespace balmer::bench {
namespace {

constexpr std::size_t kBlock = 4096;
constexpr double kSmallest = 0x1p-126, kBeyond = 0x1p128;  // normal floats have sizes from the one to below the other

/// Units of the last place that a float has at the size of x, a normal number of its range: 1 / ulp.
double per_ulp(double x) {
    const std::uint64_t exponent = std::bit_cast<std::uint64_t>(x) >> 52 & 0x7ff;
    return std::bit_cast<double>((2046 + 23 - exponent) << 52);
}

/// The error where the truth or the value lies at an end of the range, or is NaN.
double error_at_the_ends(double value, double truth) {
    constexpr double kInf = std::numeric_limits<double>::infinity();
    const double size = std::abs(truth);
    if (std::isnan(value) || std::isnan(truth)) return std::isnan(value) && std::isnan(truth) ? 0 : kInf;
    if (std::isinf(value)) return size >= kBeyond * (1 - 0x1p-24) && (value > 0) == (truth > 0) ? 0 : kInf;
    if (size < kSmallest) return std::abs(value) <= kSmallest ? 0 : kInf;
    if (value == 0) return size <= kSmallest * (1 + 0x1p-22) ? 1 : kInf;
    return kInf;  // a number where the truth is beyond all of them
}

double error(double value, double truth) {
    const double size = std::abs(truth);
    if (size >= kSmallest && size < kBeyond && value != 0 && std::abs(value) < kBeyond) {
        return std::abs(value - truth) * per_ulp(truth);
    }
    return error_at_the_ends(value, truth);
}

}  // namespace

WorstError exhaustive_error(std::size_t row) {
    const eval::KernelTable& table = eval::kernels();
    std::array<float, kBlock> x, y;
    std::array<double, kBlock> wide_x, wide_y;
    WorstError worst;
    for (std::uint64_t first = 0; first < std::uint64_t{1} << 32; first += kBlock) {
        const std::uint32_t magnitude = first & 0x7fffffff;  // of the block's first: blocks do not straddle the bounds
        if (magnitude < 0x00800000 || magnitude > 0x7f800000) continue;
        for (std::size_t i = 0; i < kBlock; ++i) {
            const bool infinite = magnitude == 0x7f800000;  // the others of its block are NaN
            x[i] = std::bit_cast<float>(static_cast<std::uint32_t>(first + (infinite ? 0 : i)));
            wide_x[i] = static_cast<double>(x[i]);
        }
        {
            const eval::FlushSubnormals flush(table);
            table.f32.forward[row][eval::vv](y.data(), x.data(), x.data(), x.data(), kBlock);
            table.f64.forward[row][eval::vv](wide_y.data(), wide_x.data(), wide_x.data(), wide_x.data(), kBlock);
        }
        for (std::size_t i = 0; i < kBlock; ++i) {
            const double ulps = error(static_cast<double>(y[i]), wide_y[i]);
            if (ulps > worst.ulps) worst = {ulps, x[i], worst.count};
        }
        worst.count += magnitude == 0x7f800000 ? 1 : kBlock;
    }
    return worst;
}

}  // namespace balmer::bench
