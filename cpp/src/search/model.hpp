// A hit of a family with its constants in double precision, and the formula it stands for.
#pragma once

#include <array>
#include <span>
#include <vector>

#include "search/families.hpp"
#include "search/linear_fit.hpp"
#include "search/transform.hpp"
#include "search/view.hpp"

namespace balmer::search {

struct Model {
    Hit hit;
    /// T = c0 + c1 f + c2 g + c3 f g;  g (c0 + c1 f);  (c0 + c1 f) / (g - c2)
    std::array<double, 4> c{};
    double left = 1;  ///< 1 - R^2 of the fit in T
    double mse = 0;   ///< in units of y, on the screen rows; infinite where T^-1 is not defined
    int n_constants = 0;
};

/// What the models of one scan have in common.
struct ModelContext {
    const Library* library;
    const View* view;
    const Vocabulary* vocabulary;
    std::span<const Atom> atoms;
    std::span<const TransformedTarget> targets;  ///< on the screen rows, by Hit::target
    bool weighted = false;                       ///< whether fits in T use the targets' weights
};

/// Fits the constants on the screen rows. False if the columns depend on each other or something is not finite.
[[nodiscard]] bool fit_model(const ModelContext& context, const Hit& hit, LinearFit& fit, Model& model);

/// The formulas of y that the model stands for: usually one; with exponents also those at simple fractions. `tolerance`: how far
/// an exponent may be from a simple fraction to be tried there.
[[nodiscard]] std::vector<Expression> formulas(const ModelContext& context, const Model& model, double tolerance);

/// The formulas of y for T = c[0] + sum c[k + 1] atoms[k].
[[nodiscard]] std::vector<Expression> sum_formulas(const ModelContext& context, const TransformedTarget& target,
                                                   std::span<const Atom> atoms, std::span<const double> c,
                                                   double tolerance);

/// The formula of y for a formula of T(y) with this transform in this view.
[[nodiscard]] Expression formula_of_y(const Expression& z, const TransformedTarget& target, const View& view,
                                      const Vocabulary& vocabulary);

}  // namespace balmer::search
