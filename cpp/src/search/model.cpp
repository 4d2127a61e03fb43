#include "search/model.hpp"

#include <algorithm>
#include <cmath>

#include "balmer/expr/simplify.hpp"

namespace balmer::search {
namespace {

/// T = exp(y - shift): the shift becomes a factor of the linear constants where that is in range.
double factor_of_shift(const TransformedTarget& target) {
    if (std::abs(target.shift) > 600) return 1;
    if (target.transform == Transform::exp) return balmer::apply(Op::Exp, target.shift);
    if (target.transform == Transform::exp_neg) return balmer::apply(Op::Exp, -target.shift);
    return 1;
}

Expression with_unit(const Expression& e, const View& view, const Vocabulary& vocabulary) {
    if (view.unit.empty() || e.nodes.empty()) return e;
    std::vector<Power> powers = view.unit;
    Expression core = e;
    const double factor = take_factor(core);
    powers.push_back({core, 1});
    return power_product(factor, powers, vocabulary);
}

/// Fits c0 + c1 f + c2 g + c3 f g, where f or g alone is left out if its coefficient is not significant. False as LinearFit::fit.
bool fit_bilinear(const double* f, const double* g, const double* target, const double* root_weight, std::size_t rows,
                  LinearFit& fit, std::array<double, 4>& c) {
    constexpr double kSignificant = 3;  // standard errors
    static thread_local std::vector<double> product;
    product.resize(rows);
    for (std::size_t k = 0; k < rows; ++k) product[k] = f[k] * g[k];
    const double* all[] = {product.data(), f, g};
    if (rows < 6 || !fit.fit(all, target, root_weight, rows)) return false;
    const double deviation = std::sqrt(fit.residual_sum() / (static_cast<double>(rows) - 4));
    std::vector<const double*> used{product.data()};
    std::vector<std::size_t> places{3};
    for (const std::size_t k : {std::size_t{1}, std::size_t{2}}) {
        if (std::abs(fit.coefficients()[k + 1]) <= kSignificant * deviation * fit.unit_error(k + 1)) continue;
        used.push_back(all[k]);
        places.push_back(k);
    }
    if (used.size() < 3 && !fit.fit(used, target, root_weight, rows)) return false;
    c = {fit.coefficients()[0], 0, 0, 0};
    for (std::size_t k = 0; k < places.size(); ++k) c[places[k]] = fit.coefficients()[k + 1];
    return true;
}

/// exp(c0) * prod f^p * exp(sum q g), the inverse of a sum of logarithms and plain terms.
Expression exponential_product(double sign, double c0, std::span<const Power> powers, std::span<const double> slopes,
                               std::span<const Expression> slope_terms, const View& view,
                               const Vocabulary& vocabulary) {
    std::vector<Power> all(view.unit.begin(), view.unit.end());
    all.insert(all.end(), powers.begin(), powers.end());
    if (!slope_terms.empty()) {
        const Expression exponent = linear_combination(0, slopes, slope_terms, vocabulary);
        all.push_back({vocabulary.exp(exponent), 1});
    }
    return power_product(sign * balmer::apply(Op::Exp, c0), all, vocabulary);
}

/// factor * (c0 + c1 f + c2 g + c3 f g), as c3 (f + p) (g + q) + r.
Expression bilinear_formula(const std::array<double, 4>& c, double factor, const Expression& f, const Expression& g,
                            const Vocabulary& vocabulary) {
    constexpr double kRounding = 1e-12;
    const double p = c[2] / c[3], q = c[1] / c[3], both = c[1] * c[2] / c[3];
    const double rest = std::abs(c[0] - both) > kRounding * std::abs(both) ? c[0] - both : 0;
    const Power factors[] = {{vocabulary.offset(p, f), 1}, {vocabulary.offset(q, g), 1}};
    const Expression product = power_product(1, factors, vocabulary);
    const double slope[] = {factor * c[3]};
    return linear_combination(factor * rest, slope, {&product, 1}, vocabulary);
}

}  // namespace

bool fit_model(const ModelContext& context, const Hit& hit, LinearFit& fit, Model& model) {
    const Library& library = *context.library;
    const TransformedTarget& target = context.targets[hit.target];
    const std::size_t m = library.n_screen(), padded_rows = library.n_screen_padded();
    static thread_local AlignedVector<double> f, g;
    static thread_local std::vector<double> root_weight, scaled, z;
    f.resize(padded_rows);
    g.resize(padded_rows);
    root_weight.clear();
    if (context.weighted) {
        root_weight.resize(m);
        for (std::size_t k = 0; k < m; ++k) root_weight[k] = std::sqrt(target.weight[k]);
    }
    const double* w = context.weighted ? root_weight.data() : nullptr;
    model = {};
    model.hit = hit;
    bool ok = false;
    switch (hit.family) {
        case Family::single: {
            atom_values(library, context.atoms[hit.i], f.data());
            const double* columns[] = {f.data()};
            ok = fit.fit(columns, target.value.data(), w, m);
            break;
        }
        case Family::pair: {
            atom_values(library, context.atoms[hit.i], f.data());
            atom_values(library, context.atoms[hit.j], g.data());
            const double* columns[] = {f.data(), g.data()};
            ok = fit.fit(columns, target.value.data(), w, m);
            break;
        }
        case Family::product: {
            std::copy_n(library.screen(hit.i), padded_rows, g.data());
            atom_values(library, context.atoms[hit.j], f.data());
            for (std::size_t k = 0; k < m; ++k) f[k] *= g[k];
            const double* columns[] = {g.data(), f.data()};
            ok = fit.fit(columns, target.value.data(), w, m, false);
            break;
        }
        case Family::rational: {
            std::copy_n(library.screen(hit.i), padded_rows, g.data());
            atom_values(library, context.atoms[hit.j], f.data());
            scaled.resize(m);
            for (std::size_t k = 0; k < m; ++k) scaled[k] = target.value[k] * g[k];
            const double* columns[] = {f.data(), target.value.data()};
            ok = fit.fit(columns, scaled.data(), w, m);
            break;
        }
        case Family::bilinear: {
            atom_values(library, context.atoms[hit.i], f.data());
            atom_values(library, context.atoms[hit.j], g.data());
            ok = fit_bilinear(f.data(), g.data(), target.value.data(), w, m, fit, model.c);
            break;
        }
    }
    if (!ok) return false;
    const std::span<const double> c = fit.coefficients();
    const bool product = hit.family == Family::product;
    if (hit.family == Family::bilinear) {
        model.n_constants = static_cast<int>(c.size());
    } else {
        model.c[0] = c[product ? 1 : 0];
        model.c[1] = c[product ? 2 : 1];
        model.c[2] = !product && c.size() > 2 ? c[2] : 0;
        model.n_constants = hit.family == Family::single || product ? 2 : 3;
    }
    if (hit.family == Family::product) {
        std::copy_n(library.screen(hit.i), padded_rows, g.data());
        atom_values(library, context.atoms[hit.j], f.data());
    }
    const std::span<const std::uint32_t> rows = library.screen_rows();
    double sum_t = 0, sum_w = 0, spread = 0, error_t = 0, error_y = 0;
    for (std::size_t k = 0; k < m; ++k) {
        const double wk = w ? w[k] * w[k] : 1;
        sum_t += wk * target.value[k];
        sum_w += wk;
    }
    z.resize(m);
    const auto& [c0, c1, c2, c3] = model.c;
    switch (hit.family) {
        case Family::single:
            for (std::size_t k = 0; k < m; ++k) z[k] = c0 + c1 * f[k];
            break;
        case Family::pair:
            for (std::size_t k = 0; k < m; ++k) z[k] = c0 + c1 * f[k] + c2 * g[k];
            break;
        case Family::product:
            for (std::size_t k = 0; k < m; ++k) z[k] = g[k] * (c0 + c1 * f[k]);
            break;
        case Family::rational:
            for (std::size_t k = 0; k < m; ++k) z[k] = (c0 + c1 * f[k]) / (g[k] - c2);
            break;
        case Family::bilinear:
            for (std::size_t k = 0; k < m; ++k) z[k] = c0 + c1 * f[k] + c2 * g[k] + c3 * (f[k] * g[k]);
            break;
    }
    for (std::size_t k = 0; k < m; ++k) {
        const double wk = w ? w[k] * w[k] : 1;
        const double d = target.value[k] - sum_t / sum_w, e = target.value[k] - z[k];
        spread += wk * d * d;
        if (wk > 0) error_t += wk * e * e;
    }
    invert(target, z);
    for (std::size_t k = 0; k < m; ++k) {
        const double unit = context.view->weight.empty() ? 1 : context.view->weight[rows[k]];
        const double ey = z[k] - context.view->target[rows[k]];
        error_y += unit * ey * ey;
    }
    model.left = error_t / spread;
    const double all =
        context.view->weight.empty() ? 1 : context.view->weight_sum / static_cast<double>(context.view->target.size());
    model.mse = error_y / (static_cast<double>(m) * all);
    if (!std::isfinite(model.left)) return false;
    if (!std::isfinite(model.mse)) model.mse = INFINITY;
    return true;
}

Expression formula_of_y(const Expression& z, const TransformedTarget& target, const View& view,
                        const Vocabulary& vocabulary) {
    if (z.nodes.empty()) return {};
    double exponent = 0;
    switch (target.transform) {
        case Transform::inverse:
            exponent = -1;
            break;
        case Transform::square:
            exponent = 0.5;
            break;
        case Transform::inverse_square:
            exponent = -0.5;
            break;
        case Transform::root:
            exponent = 2;
            break;
        default:
            return with_unit(inverse_expression(target, z, vocabulary), view, vocabulary);
    }
    // A power like those of the unit: x / sqrt(z) instead of x * z ^ -0.5, which has a constant more to fit.
    std::vector<Power> powers = view.unit;
    powers.push_back({z, exponent});
    const bool signs = target.transform == Transform::square || target.transform == Transform::inverse_square;
    return power_product(signs ? target.sign : 1, powers, vocabulary);
}

std::vector<Expression> sum_formulas(const ModelContext& context, const TransformedTarget& target,
                                     std::span<const Atom> atoms, std::span<const double> c, double tolerance) {
    const Vocabulary& v = *context.vocabulary;
    std::vector<Expression> found;
    const auto keep = [&](const Expression& e) {
        if (!e.nodes.empty()) found.push_back(simplify(e, v.operators()));
    };
    std::vector<Power> powers, simple;
    std::vector<double> slopes;
    std::vector<Expression> terms;
    for (std::size_t k = 0; k < atoms.size(); ++k) {
        const Expression e = context.library->expression(atoms[k].node);
        if (atoms[k].logarithm) {
            powers.push_back({e, c[k + 1]});
            simple.push_back({e, nearest_simple_exponent(c[k + 1], tolerance)});
        } else {
            slopes.push_back(c[k + 1]);
            terms.push_back(e);
        }
    }
    if (target.transform == Transform::log) {
        const bool snapped = std::equal(powers.begin(), powers.end(), simple.begin(), simple.end(),
                                        [](const Power& a, const Power& b) { return a.exponent == b.exponent; });
        if (!snapped) keep(exponential_product(target.sign, c[0], simple, slopes, terms, *context.view, v));
        keep(exponential_product(target.sign, c[0], powers, slopes, terms, *context.view, v));
        return found;
    }
    TransformedTarget unshifted{target.transform, target.sign, target.shift, {}, {}};
    const double factor = factor_of_shift(target);
    if (factor != 1) unshifted.shift = 0;
    for (double& s : slopes) s *= factor;
    keep(formula_of_y(linear_combination(factor * c[0], slopes, terms, v), unshifted, *context.view, v));
    return found;
}

std::vector<Expression> formulas(const ModelContext& context, const Model& model, double tolerance) {
    const Library& library = *context.library;
    const Vocabulary& v = *context.vocabulary;
    const TransformedTarget& target = context.targets[model.hit.target];
    const Hit& hit = model.hit;
    TransformedTarget unshifted{target.transform, target.sign, target.shift, {}, {}};
    const double factor = factor_of_shift(target);
    if (factor != 1) unshifted.shift = 0;
    std::vector<Expression> found;
    const auto keep = [&](const Expression& e) {
        if (!e.nodes.empty()) found.push_back(simplify(e, v.operators()));
    };
    if (hit.family == Family::single || hit.family == Family::pair) {
        const Atom atoms[] = {context.atoms[hit.i], context.atoms[hit.j]};
        return sum_formulas(context, target, {atoms, hit.family == Family::pair ? std::size_t{2} : std::size_t{1}},
                            model.c, tolerance);
    }
    if (hit.family == Family::bilinear) {
        const Expression f = library.expression(context.atoms[hit.i].node);
        const Expression g = library.expression(context.atoms[hit.j].node);
        keep(formula_of_y(bilinear_formula(model.c, factor, f, g, v), unshifted, *context.view, v));
        return found;
    }
    const Expression g = library.expression(hit.i), f = library.expression(context.atoms[hit.j].node);
    const double slope[] = {factor * model.c[1]}, one[] = {1};
    const Expression linear = linear_combination(factor * model.c[0], slope, {&f, 1}, v);
    if (hit.family == Family::product) {
        Expression core = linear;
        const double outer = take_factor(core);
        const Power powers[] = {{g, 1}, {core, 1}};
        keep(formula_of_y(power_product(outer, powers, v), unshifted, *context.view, v));
    } else {
        const Expression denominator = linear_combination(-model.c[2], one, {&g, 1}, v);
        if (target.transform == Transform::inverse) {
            keep(with_unit(v.divide(denominator, linear), *context.view, v));
        } else {
            keep(formula_of_y(v.divide(linear, denominator), unshifted, *context.view, v));
        }
    }
    return found;
}

}  // namespace balmer::search
