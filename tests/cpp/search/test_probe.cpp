// The views that the probe finds.
#include "search/probe.hpp"

#include <doctest/doctest.h>

#include "search/seed_rows.hpp"

namespace balmer::search::test {
namespace {

View raw_view_of(const Rows& rows) {
    View raw;
    raw.target = rows.y;
    raw.weight_sum = static_cast<double>(rows.y.size());
    for (std::uint32_t j = 0; j < rows.features; ++j) {
        Variable v{Expression::feature(j), {}};
        for (std::size_t i = 0; i < rows.y.size(); ++i) v.values.push_back(rows.x[i * rows.features + j]);
        raw.variables.push_back(std::move(v));
    }
    return raw;
}

TEST_CASE("the probe peels powers with noise and without, and merges what acts together") {
    const SearchOptions options = options_with(kUsual);
    const OperatorSet operators;
    const Vocabulary vocabulary(options, operators);
    for (const double noise : {0.0, 0.01}) {
        const Rows rows =
            rows_of(600, 4, [](const auto& x) { return x[0] * x[0] * std::exp(-x[1] * x[2] / 8) / x[3]; }, noise);
        const View raw = raw_view_of(rows);
        const ProbeResult result = probe(raw, vocabulary);
        REQUIRE_FALSE(result.views.empty());
        const View& view = result.views.front();
        // Gradients are noisier than values: with noise the two variables of the product may stay apart.
        CHECK(view.variables.size() <= (noise == 0 ? 1 : 2));
        double power_of_first = 0, power_of_last = 0;
        for (const Power& p : view.unit) {
            if (p.base == Expression::feature(0)) power_of_first = p.exponent;
            if (p.base == Expression::feature(3)) power_of_last = p.exponent;
        }
        CHECK(power_of_first == 2);
        CHECK(power_of_last == -1);
    }
}

TEST_CASE("the probe does not take a bent slope for a power of a third while whole powers are left") {
    const SearchOptions options = options_with(kUsual);
    const OperatorSet operators;
    const Vocabulary vocabulary(options, operators);
    // Klein-Nishina: the ratio acts like its power 7/3 as long as the surface has the other variables to follow.
    const Rows rows = rows_of(600, 5, [](const auto& x) {
        const double ratio = x[0] / x[1], sine = std::sin(x[2]);
        return x[3] * x[3] / (x[4] * x[4]) * ratio * ratio * (ratio + 1 / ratio - sine * sine);
    });
    const ProbeResult result = probe(raw_view_of(rows), vocabulary);
    REQUIRE_FALSE(result.views.empty());
    CHECK(result.views.front().variables.size() == 2);
    for (const Power& p : result.views.front().unit) CHECK(p.exponent == std::nearbyint(p.exponent));
}

}  // namespace
}  // namespace balmer::search::test
