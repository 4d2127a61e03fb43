// Columns as vectors: the same bits as one value after the other.
#include "eval/columns.hpp"

#include <doctest/doctest.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "balmer/core/rng.hpp"

using namespace balmer;

namespace {

constexpr std::size_t kLengths[] = {1, 3, 15, 16, 17, 31, 32, 50};

/// Ordinary numbers, and those at the ends of the range among them.
std::vector<double> numbers(Rng& rng, std::size_t n) {
    using Limits = std::numeric_limits<double>;
    const double ends[] = {0.0, -0.0, Limits::infinity(), Limits::quiet_NaN(), 1e-310, Limits::max()};
    std::vector<double> values;
    for (std::size_t i = 0; i < n; ++i) values.push_back(i % 7 == 3 ? ends[i / 7 % 6] : rng.normal() * 3);
    return values;
}

bool same(double a, double b) {
    return std::bit_cast<std::uint64_t>(a) == std::bit_cast<std::uint64_t>(b) || (std::isnan(a) && std::isnan(b));
}

}  // namespace

TEST_CASE("an operator of a column has the bits of balmer::apply, in place too, and writes nothing behind it") {
    Rng rng(1, 0);
    for (const std::size_t n : kLengths) {
        const std::vector<double> a = numbers(rng, n);
        for (const Op op : {Op::Exp, Op::Log, Op::Sin, Op::Cos, Op::Sqrt}) {
            std::vector<double> out(n + 1, -7.0), in_place = a;
            eval::apply(op, out.data(), a.data(), n);
            eval::apply(op, in_place.data(), in_place.data(), n);
            CHECK(out[n] == -7);
            for (std::size_t i = 0; i < n; ++i) {
                CHECK(same(out[i], apply(op, a[i])));
                CHECK(same(in_place[i], out[i]));
            }
        }
        for (const double power : {-2.0, 0.37, 3.0}) {
            std::vector<double> out(n + 1, -7.0);
            eval::apply(Op::Pow, out.data(), a.data(), power, n);
            CHECK(out[n] == -7);
            for (std::size_t i = 0; i < n; ++i) CHECK(same(out[i], apply(Op::Pow, a[i], power)));
        }
    }
}

TEST_CASE("dot and subtract_multiple take any number of rows") {
    Rng rng(2, 0);
    for (const std::size_t n : kLengths) {
        std::vector<double> a, b, y;
        for (std::size_t i = 0; i < n; ++i) {
            a.push_back(rng.normal());
            b.push_back(rng.normal());
        }
        double sum = 0;
        for (std::size_t i = 0; i < n; ++i) sum += a[i] * b[i];
        CHECK(eval::dot(a.data(), b.data(), n) == doctest::Approx(sum));
        y = a;
        y.push_back(-7);
        eval::subtract_multiple(y.data(), 0.5, b.data(), n);
        for (std::size_t i = 0; i < n; ++i) CHECK(y[i] == a[i] - 0.5 * b[i]);
        CHECK(y[n] == -7);
    }
}
