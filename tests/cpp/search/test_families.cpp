// The closed-form families against least squares done one by one.
#include "search/families.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "balmer/core/rng.hpp"
#include "eval/dispatch.hpp"
#include "search/linear_fit.hpp"

namespace {

using namespace balmer;
using namespace balmer::search;

struct Problem {
    OperatorSet operators;
    SearchOptions options;
    std::vector<Variable> variables;
    std::vector<std::uint32_t> rows;

    explicit Problem(std::size_t n = 64) {
        options.operators = {Op::Add, Op::Sub, Op::Mul, Op::Div, Op::Square, Op::Sqrt, Op::Exp, Op::Log, Op::Cos};
        Rng rng(1, 0);
        for (std::uint32_t j = 0; j < 2; ++j) {
            Variable v{Expression::feature(j), std::vector<double>(n)};
            for (double& x : v.values) x = 1 + 3 * rng.uniform();
            variables.push_back(v);
        }
        for (std::uint32_t i = 0; i < n; ++i) rows.push_back(i);
    }
};

Library library_of(const Problem& problem, const Vocabulary& vocabulary, int level) {
    Library library(vocabulary, problem.variables, problem.rows, 100000);
    while (library.level() < level) library.grow();
    library.prepare(library.size());
    return library;
}

/// 1 - R^2 of a weighted fit of t by columns; the total is taken about the weighted mean.
double left_of(const std::vector<std::vector<double>>& columns, const std::vector<double>& t,
               const std::vector<double>& root_weight, bool intercept) {
    std::vector<const double*> pointers;
    for (const auto& c : columns) pointers.push_back(c.data());
    LinearFit fit;
    const double* w = root_weight.empty() ? nullptr : root_weight.data();
    if (!fit.fit(pointers, t.data(), w, t.size(), intercept)) return NAN;
    const double rest = fit.residual_sum();
    REQUIRE(fit.fit({}, t.data(), w, t.size()));
    return rest / fit.residual_sum();
}

std::vector<double> column(const Library& library, std::uint32_t node) {
    return {library.screen(node), library.screen(node) + library.n_screen()};
}

TEST_CASE("pairs are what least squares of each pair gives, and none that is better is missed") {
    Problem problem;
    const Vocabulary vocabulary(problem.options, problem.operators);
    const Library library = library_of(problem, vocabulary, 3);
    const std::vector<Atom> atoms = select_atoms(library, library.size(), 60, false);
    REQUIRE(atoms.size() == 60);
    for (const bool weighted : {false, true}) {
        ScanTargets targets;
        std::vector<double> y(64);
        for (std::size_t i = 0; i < 64; ++i) {
            const double a = problem.variables[0].values[i], b = problem.variables[1].values[i];
            y[i] = std::cos(a) + a / b + 0.3 * std::sin(7 * b);
            if (weighted) targets.root_weight.push_back(0.5 + 0.1 * static_cast<double>(i % 7));
        }
        targets.values = {y};
        targets.overhead = {2};
        ScanOptions options;
        options.keep = 5;
        options.bound = 1;
        const Panel panel = standard_panel(library, atoms, targets.root_weight);
        const std::vector<Hit> hits = scan_pairs(panel, atoms, targets, options);
        double best_of_scan = 1, best = 1;
        for (const Hit& hit : hits) {
            if (hit.family != Family::pair) continue;
            const double expected = left_of({column(library, atoms[hit.i].node), column(library, atoms[hit.j].node)}, y,
                                            targets.root_weight, true);
            CHECK(static_cast<double>(hit.left) == doctest::Approx(expected).epsilon(1e-3));
            best_of_scan = std::min(best_of_scan, static_cast<double>(hit.left));
        }
        for (std::size_t i = 0; i < atoms.size(); ++i) {
            for (std::size_t j = 0; j < i; ++j) {
                const double left = left_of({column(library, atoms[i].node), column(library, atoms[j].node)}, y,
                                            targets.root_weight, true);
                if (left < best) best = left;
            }
        }
        CHECK(best_of_scan == doctest::Approx(best).epsilon(1e-3));
    }
}

TEST_CASE(
    "products of two atoms with offsets are what least squares of f, g and f g gives, and the best is not missed") {
    Problem problem;
    const Vocabulary vocabulary(problem.options, problem.operators);
    const Library library = library_of(problem, vocabulary, 3);
    const std::vector<Atom> atoms = select_atoms(library, library.size(), 60, false);
    const auto columns = [&](std::size_t i, std::size_t j) {
        const std::vector<double> f = column(library, atoms[i].node), g = column(library, atoms[j].node);
        std::vector<double> fg(64);
        for (std::size_t k = 0; k < 64; ++k) fg[k] = f[k] * g[k];
        return std::vector<std::vector<double>>{f, g, fg};
    };
    for (const bool weighted : {false, true}) {
        ScanTargets targets;
        targets.overhead = {2};
        targets.values.assign(1, std::vector<double>(64));
        for (std::size_t k = 0; k < 64; ++k) {
            const double a = problem.variables[0].values[k], b = problem.variables[1].values[k];
            targets.values[0][k] = (std::cos(a) + 0.3) * (std::sqrt(b) - 2) - 1 + 0.001 * std::sin(50 * a);
            if (weighted) targets.root_weight.push_back(0.5 + 0.1 * static_cast<double>(k % 7));
        }
        ScanOptions options;
        options.keep = 5;
        const Panel panel = standard_panel(library, atoms, targets.root_weight);
        double best = 1;
        for (const Hit& hit : scan_bilinear(panel, atoms, atoms.size(), targets, options)) {
            const double expected = left_of(columns(hit.i, hit.j), targets.values[0], targets.root_weight, true);
            CHECK(static_cast<double>(hit.left) == doctest::Approx(expected).epsilon(0.01).scale(1e-4));
            best = std::min(best, static_cast<double>(hit.left));
        }
        CHECK(best < 1e-5);
    }
}

TEST_CASE("a product and a rational are found at the top of their complexity") {
    Problem problem;
    const Vocabulary vocabulary(problem.options, problem.operators);
    const Library library = library_of(problem, vocabulary, 4);
    const std::vector<Atom> atoms = select_atoms(library, library.size(), 600, false);
    std::vector<std::uint32_t> factors;
    for (std::uint32_t i = 0; i < std::min<std::size_t>(library.size(), 300); ++i) {
        if (!library.is_constant(i)) factors.push_back(i);
    }
    std::vector<double> product(64), rational(64);
    for (std::size_t i = 0; i < 64; ++i) {
        const double a = problem.variables[0].values[i], b = problem.variables[1].values[i];
        product[i] = (a - b) * (0.7 * std::cos(a) + 1.3);
        rational[i] = (2.5 * a * b - 1) / (std::cos(a) + b + 2);
    }
    ScanTargets targets;
    targets.overhead = {2, 2};
    targets.values = {product, rational};
    const ScanOptions options;
    double least_product = 1, least_rational = 1;
    for (const Hit& hit : scan_products(library, factors, atoms, targets, options)) {
        if (hit.target != 0) continue;
        const std::vector<double> g = column(library, hit.i), f = column(library, atoms[hit.j].node);
        std::vector<double> gf(64);
        for (std::size_t i = 0; i < 64; ++i) gf[i] = g[i] * f[i];
        CHECK(static_cast<double>(hit.left) == doctest::Approx(left_of({g, gf}, product, {}, false)).epsilon(2e-3));
        least_product = std::min(least_product, static_cast<double>(hit.left));
    }
    for (const Hit& hit : scan_rationals(library, factors, atoms, targets, options)) {
        if (hit.target == 1) least_rational = std::min(least_rational, static_cast<double>(hit.left));
    }
    CHECK(least_product < 1e-5);
    CHECK(least_rational < 1e-5);
}

TEST_CASE("what is kept does not depend on the number of threads") {
    Problem problem;
    const Vocabulary vocabulary(problem.options, problem.operators);
    const Library library = library_of(problem, vocabulary, 4);
    const std::vector<Atom> atoms = select_atoms(library, library.size(), 500, false);
    std::vector<double> y(64);
    Rng rng(3, 0);
    for (double& v : y) v = rng.normal();  // nothing fits: many hits near every bound
    ScanTargets targets;
    targets.values = {y};
    targets.overhead = {2};
    ScanOptions options;
    options.bound = 1;
    options.keep = 7;
    const Panel panel = standard_panel(library, atoms, {});
    const std::vector<Hit> one = scan_pairs(panel, atoms, targets, options);
    REQUIRE(!one.empty());
    for (const int threads : {2, 3}) {
        options.n_threads = threads;
        const std::vector<Hit> many = scan_pairs(panel, atoms, targets, options);
        REQUIRE(many.size() == one.size());
        for (std::size_t k = 0; k < one.size(); ++k) {
            CHECK(many[k].left == one[k].left);
            CHECK(many[k].i == one[k].i);
            CHECK(many[k].j == one[k].j);
        }
    }
}

}  // namespace
