// Sums of three and more atoms.
#include "search/beam.hpp"

#include <doctest/doctest.h>

#include <cmath>

#include "balmer/core/rng.hpp"

namespace {

using namespace balmer;
using namespace balmer::search;

TEST_CASE("a sum of three simple atoms is found where no two of them are a good start") {
    const std::size_t n = 64;
    const OperatorSet operators;
    SearchOptions options;
    options.operators = {Op::Add, Op::Sub, Op::Mul, Op::Div, Op::Square, Op::Cos};
    View view;
    Rng rng(3, 0);
    for (std::uint32_t j = 0; j < 2; ++j) {
        Variable v{Expression::feature(j), std::vector<double>(n)};
        for (double& x : v.values) x = 1 + 3 * rng.uniform();
        view.variables.push_back(std::move(v));
    }
    std::vector<std::uint32_t> rows;
    for (std::uint32_t i = 0; i < n; ++i) {
        const double a = view.variables[0].values[i], b = view.variables[1].values[i];
        view.target.push_back(0.7 * std::cos(a) / b - 1.1 / b + 0.2 * a * b + 0.5);
        rows.push_back(i);
    }
    view.weight_sum = static_cast<double>(n);
    const Vocabulary vocabulary(options, operators);
    Library library(vocabulary, view.variables, rows, 100000);
    while (library.level() < 4) library.grow();
    library.prepare(library.size());
    const std::vector<Atom> atoms = select_atoms(library, library.size(), 800, false);
    const Panel panel = standard_panel(library, atoms, {});
    const std::vector<TransformedTarget> targets = {
        transform_target(Transform::identity, view.target, std::vector<double>(n, 1.0), 0)};
    const ModelContext context{&library, &view, &vocabulary, atoms, targets, false};
    BeamOptions beam{.every_triple = true, .scale = description_scale(view.target, vocabulary.n_symbols(2))};

    const std::vector<Expression> found = extend_pairs(context, panel, {}, 0, beam);
    REQUIRE_FALSE(found.empty());
    std::vector<double> x(2);
    for (const std::uint32_t i : rows) {
        for (std::size_t j = 0; j < 2; ++j) x[j] = view.variables[j].values[i];
        const Dataset<double> row(MatrixView<double>{x.data(), 1, 2, 2, 1});
        Workspace<double> workspace;
        double value = 0;
        Evaluator<double>(row, operators).evaluate(found.front(), std::span(&value, 1), workspace);
        CHECK(value == doctest::Approx(view.target[i]).epsilon(1e-9));
    }
    beam.every_triple = false;
    CHECK(extend_pairs(context, panel, {}, 0, beam).empty());
}

}  // namespace
