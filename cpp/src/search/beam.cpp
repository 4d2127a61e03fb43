#include "search/beam.hpp"

#include <algorithm>
#include <cmath>

#include "search/scan_dispatch.hpp"

namespace balmer::search {
namespace {

constexpr double kExactInT = 1e-11;
constexpr float kNew = 1e-3F;  // an atom must have this much of its square outside the sum

struct Sum {
    std::vector<std::uint32_t> atoms;  // in rising order: each set of atoms once
    float left = 1;
    bool operator<(const Sum& o) const { return left < o.left || (left == o.left && atoms < o.atoms); }
};

float dot(const float* a, const float* b, std::size_t n) noexcept {
    float sum = 0;
    for (std::size_t k = 0; k < n; ++k) sum += a[k] * b[k];
    return sum;
}

/// Extends one sum by every atom; the best few.
std::vector<Sum> extensions(const Sum& sum, const Panel& panel, const std::vector<float>& t, std::size_t keep) {
    const std::size_t m = panel.rows();
    std::vector<float> basis((kScanRows)*m, 0.0F), rest = t;
    const std::size_t terms = sum.atoms.size();
    for (std::size_t k = 0; k < terms; ++k) {
        float* q = &basis[k * m];
        std::copy_n(panel.column(sum.atoms[k]), m, q);
        for (int pass = 0; pass < 2; ++pass) {
            for (std::size_t b = 0; b < k; ++b) {
                const float along = dot(&basis[b * m], q, m);
                for (std::size_t i = 0; i < m; ++i) q[i] -= along * basis[b * m + i];
            }
        }
        const float norm = std::sqrt(dot(q, q, m));
        if (!(norm > 0)) return {};
        for (std::size_t i = 0; i < m; ++i) q[i] /= norm;
        const float along = dot(q, rest.data(), m);
        for (std::size_t i = 0; i < m; ++i) rest[i] -= along * q[i];
    }
    const float total = dot(rest.data(), rest.data(), m);
    const float* rows[kScanRows];
    for (std::size_t q = 0; q < kScanRows; ++q) rows[q] = q < terms ? &basis[q * m] : rest.data();
    std::vector<Sum> found;
    float products[kScanRows * kPanelLanes];
    for (std::size_t b = 0; b < panel.blocks(); ++b) {
        scan_kernels().dots(rows, panel.block(b), m, products);
        for (std::size_t lane = 0; lane < kPanelLanes; ++lane) {
            const std::size_t j = b * kPanelLanes + lane;
            if (j >= panel.columns() || std::find(sum.atoms.begin(), sum.atoms.end(), j) != sum.atoms.end()) continue;
            float free = 1;
            for (std::size_t q = 0; q < terms; ++q) {
                free -= products[q * kPanelLanes + lane] * products[q * kPanelLanes + lane];
            }
            if (free < kNew) continue;
            const float along = products[terms * kPanelLanes + lane];
            const float left = std::max(total - along * along / free, 0.0F);
            if (found.size() >= keep && left >= found.back().left) continue;
            Sum next{sum.atoms, left};
            next.atoms.insert(std::upper_bound(next.atoms.begin(), next.atoms.end(), j), static_cast<std::uint32_t>(j));
            found.insert(std::upper_bound(found.begin(), found.end(), next), std::move(next));
            if (found.size() > keep) found.pop_back();
        }
    }
    return found;
}

}  // namespace

std::vector<Expression> extend_pairs(const ModelContext& context, const Panel& panel, std::span<const Hit> pairs,
                                     std::size_t target, const BeamOptions& options) {
    const std::size_t m = panel.rows(), stride = context.library->n_screen_padded();
    const TransformedTarget& t = context.targets[target];
    std::vector<double> root;
    for (std::size_t k = 0; context.weighted && k < m; ++k) root.push_back(std::sqrt(t.weight[k]));
    std::vector<float> unit(m);
    if (!standardise(t.value.data(), root, m, unit.data())) return {};
    std::vector<Sum> beam;
    for (const Hit& hit : pairs) {
        if (hit.family != Family::pair || hit.target != target) continue;
        beam.push_back({{std::min(hit.i, hit.j), std::max(hit.i, hit.j)}, hit.left});
    }
    std::sort(beam.begin(), beam.end());
    beam.resize(std::min(beam.size(), options.width));
    std::vector<Expression> exact, close;
    LinearFit fit;
    AlignedVector<double> values;
    for (std::size_t terms = 3; terms <= options.most_terms && !beam.empty(); ++terms) {
        std::vector<Sum> next;
        for (const Sum& sum : beam) {
            const std::vector<Sum> some = extensions(sum, panel, unit, options.width / 4);
            next.insert(next.end(), some.begin(), some.end());
        }
        std::sort(next.begin(), next.end());
        next.erase(std::unique(next.begin(), next.end(), [](const Sum& a, const Sum& b) { return a.atoms == b.atoms; }),
                   next.end());
        next.resize(std::min(next.size(), options.width));
        beam = next;
        for (std::size_t k = 0; k < beam.size(); ++k) {
            std::vector<Atom> atoms;
            std::vector<const double*> columns;
            values.resize(terms * stride);
            for (std::size_t q = 0; q < terms; ++q) {
                atoms.push_back(context.atoms[beam[k].atoms[q]]);
                atom_values(*context.library, atoms.back(), &values[q * stride]);
                columns.push_back(&values[q * stride]);
            }
            if (!fit.fit({}, t.value.data(), root.empty() ? nullptr : root.data(), m)) return {};
            const double spread = fit.residual_sum();
            if (!fit.fit(columns, t.value.data(), root.empty() ? nullptr : root.data(), m)) continue;
            const bool is_exact = fit.residual_sum() < kExactInT * spread;
            if (!is_exact && k >= options.kept) continue;
            for (Expression& e : sum_formulas(context, t, atoms, fit.coefficients(), is_exact ? 1e-6 : 0.05)) {
                (is_exact ? exact : close).push_back(std::move(e));
            }
        }
        if (!exact.empty()) return exact;
    }
    return close;
}

}  // namespace balmer::search
