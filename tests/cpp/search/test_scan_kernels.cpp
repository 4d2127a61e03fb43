// The inner loops of the families: the same bits on every instruction set of this machine.
#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <limits>
#include <string_view>
#include <vector>

#include "balmer/core/rng.hpp"
#include "balmer/eval/isa.hpp"
#include "search/scan_kernels.hpp"

using namespace balmer;
using namespace balmer::search;

namespace {

using Lanes = std::array<float, kPanelLanes>;

std::vector<const ScanKernels*> other_sets() {
    std::vector<const ScanKernels*> sets;
#if defined(__x86_64__)
    for (const std::string_view name : available_isas()) {
        if (name == "x86-64-v3") sets.push_back(&scan_x86_v3::kernels());
        if (name == "x86-64-v4") sets.push_back(&scan_x86_v4::kernels());
    }
#endif
    return sets;
}

Lanes correlations(Rng& rng) {
    Lanes lanes{};
    for (float& x : lanes) x = static_cast<float>(2 * rng.uniform() - 1);
    return lanes;
}

bool same(const Lanes& a, const Lanes& b) {
    return std::ranges::equal(a, b, [](float x, float y) {
        return std::bit_cast<std::uint32_t>(x) == std::bit_cast<std::uint32_t>(y) || (std::isnan(x) && std::isnan(y));
    });
}

/// 1 - R^2 of t ~ f, g, h from the Gram matrix of centred columns, in double, by Cholesky's method.
double share_left(double fg, double hf, double hg, double hh, double rf, double rg, double rh) {
    const double m[3][3] = {{1, fg, hf}, {fg, 1, hg}, {hf, hg, hh}};
    double l[3][3]{}, x[3]{}, left = 1;
    const double r[3] = {rf, rg, rh};
    for (int i = 0; i < 3; ++i) {
        for (int j = 0; j <= i; ++j) {
            double sum = m[i][j];
            for (int k = 0; k < j; ++k) sum -= l[i][k] * l[j][k];
            l[i][j] = i == j ? std::sqrt(sum) : sum / l[j][j];
        }
        double sum = r[i];
        for (int k = 0; k < i; ++k) sum -= l[i][k] * x[k];
        x[i] = sum / l[i][i];
        left -= x[i] * x[i];
    }
    return left;
}

}  // namespace

TEST_CASE("every instruction set has the same hits, and the same bits in what is left") {
    Rng rng(3, 0);
    const ScanKernels& baseline = scan_baseline::kernels();
    int hits = 0;
    for (int round = 0; round < 300; ++round) {
        Lanes fg = correlations(rng), hf = correlations(rng), hg = correlations(rng), hh = correlations(rng),
              ht = correlations(rng), rg = correlations(rng);
        for (float& x : hh) x = 1.5F + x;
        fg[5] = 1;  // the same column
        hh[7] = 0;
        if (round == 0) ht[9] = std::numeric_limits<float>::quiet_NaN();
        const float rf = correlations(rng)[0], bound = 0.5F * (1 + rf);
        const ProductLanes lanes{fg.data(), hf.data(), hg.data(), hh.data(), ht.data(), rg.data(), rf, 100.0F};
        Lanes left{};
        const std::uint32_t products = baseline.product_hits(lanes, bound, left.data());
        hits += std::popcount(products);
        CHECK(left[5] == 1);
        for (std::size_t j = 0; j < kPanelLanes; ++j) CHECK(((products >> j & 1U) != 0) == (left[j] < bound));
        for (const ScanKernels* set : other_sets()) {
            Lanes own{};
            CHECK(set->product_hits(lanes, bound, own.data()) == products);
            CHECK(same(own, left));
            CHECK(set->pair_hits(fg.data(), rg.data(), rf, bound) ==
                  baseline.pair_hits(fg.data(), rg.data(), rf, bound));
            CHECK(set->gain_hits(ht.data(), hh.data(), hf.data(), bound) ==
                  baseline.gain_hits(ht.data(), hh.data(), hf.data(), bound));
        }
    }
    CHECK(hits > 100);
}

TEST_CASE("what a product leaves is that of the least-squares fit") {
    // Small correlations, so that the Gram matrix is positive; one product that is worth its constants.
    const float fg = 0.2F, hf = 0.1F, hg = -0.15F, hh = 0.8F, rf = 0.3F, rg = 0.2F, rh = 0.7F;
    Lanes a{}, b{}, c{}, d{}, e{}, f{}, left{};
    a.fill(fg), b.fill(hf), c.fill(hg), d.fill(hh), e.fill(rh), f.fill(rg);
    const float weight = 1e9F;  // the product's mean does not count
    const ProductLanes lanes{a.data(), b.data(), c.data(), d.data(), e.data(), f.data(), rf, weight};
    CHECK(scan_baseline::kernels().product_hits(lanes, 0.9F, left.data()) == 0xffffffffU);
    CHECK(left[0] == doctest::Approx(share_left(fg, hf, hg, hh, rf, rg, rh)).epsilon(1e-5));
}
