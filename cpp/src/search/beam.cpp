#include "search/beam.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <tuple>

#include "search/scan_dispatch.hpp"

namespace balmer::search {
namespace {

constexpr double kExactInT = 1e-11;
constexpr float kNew = 1e-3F;            // an atom must have this much of its square outside the sum
constexpr std::size_t kInTriples = 256;  // atoms of which every sum of three is tried
constexpr std::size_t kOfEachSize = 6;

struct Sum {
    std::vector<std::uint32_t> atoms;  // in rising order: each set of atoms once
    float left = 1;
    double price = 0;
    bool operator<(const Sum& o) const { return left < o.left || (left == o.left && atoms < o.atoms); }
};

float dot(const float* a, const float* b, std::size_t n) noexcept {
    float sum = 0;
    for (std::size_t k = 0; k < n; ++k) sum += a[k] * b[k];
    return sum;
}

/// Description length, in units of the target's variance; floats say no more than kFloat.
double price_of(const Sum& sum, std::span<const Atom> atoms, DescriptionScale scale) {
    constexpr double kFloat = 1e-7, kNodesOfTerm = 3;
    scale.quantum = kFloat;
    double nodes = 1;
    for (const std::uint32_t j : sum.atoms) nodes += atoms[j].complexity + kNodesOfTerm;
    return description_length(nodes, static_cast<double>(sum.atoms.size() + 1), static_cast<double>(sum.left), scale);
}

/// Correlations of some atoms with each other and with the target.
struct Correlations {
    std::size_t n;
    std::vector<float> between, with_target;

    Correlations(const Panel& panel, std::span<const std::uint32_t> atoms, const std::vector<float>& t)
        : n(atoms.size()), between(n * n), with_target(n) {
        for (std::size_t i = 0; i < n; ++i) {
            with_target[i] = dot(panel.column(atoms[i]), t.data(), panel.rows());
            for (std::size_t j = 0; j <= i; ++j) {
                between[i * n + j] = between[j * n + i] =
                    dot(panel.column(atoms[i]), panel.column(atoms[j]), panel.rows());
            }
        }
    }

    /// The same for what is left of the atoms and the target outside of atom i.
    [[nodiscard]] Correlations without(std::size_t i) const {
        Correlations rest = *this;
        for (std::size_t j = 0; j < n; ++j) {
            const float along = between[i * n + j];
            rest.with_target[j] -= along * with_target[i];
            for (std::size_t k = 0; k < n; ++k) rest.between[j * n + k] -= along * between[i * n + k];
        }
        return rest;
    }
};

/// Variables, functions of one, and products of these: what the sums of laws are made of.
std::vector<std::uint32_t> simple_atoms(const Library& library, std::span<const Atom> atoms) {
    const std::size_t small = library.end_of_level(2);
    std::vector<std::uint32_t> chosen;
    for (std::size_t j = 0; j < atoms.size() && chosen.size() < kInTriples; ++j) {
        const std::size_t node = atoms[j].node;
        if (node < small || library.is_monomial(node) || library.is_product(node))
            chosen.push_back(static_cast<std::uint32_t>(j));
    }
    return chosen;
}

/// The best sums of three simple atoms, of each complexity. All are tried: the best pair may not be in the best triple.
std::vector<Sum> triples(const ModelContext& context, const Panel& panel, const std::vector<float>& t) {
    const std::vector<std::uint32_t> atoms = simple_atoms(*context.library, context.atoms);
    const Correlations all(panel, atoms, t);
    const std::size_t n = atoms.size();
    std::array<std::vector<Sum>, HitBuckets::kBuckets> best;
    std::array<float, HitBuckets::kBuckets> bound;  // what a sum must leave less than, to be among the best of its size
    bound.fill(std::numeric_limits<float>::infinity());
    std::vector<std::size_t> size;
    for (const std::uint32_t j : atoms) size.push_back(context.atoms[j].complexity);
    std::vector<float> left(n), square(n);
    for (std::size_t i = 0; i < n; ++i) {
        const Correlations rest = all.without(i);
        const float ri = all.with_target[i];
        for (std::size_t k = 0; k < n; ++k) square[k] = rest.between[k * n + k];
        for (std::size_t j = i + 1; j < n; ++j) {
            const float jj = square[j], rj = rest.with_target[j];
            if (jj < kNew) continue;
            const float after_two = 1 - ri * ri - rj * rj / jj;
            const float* with_j = &rest.between[j * n];
            for (std::size_t k = j + 1; k < n; ++k) {
                const float free = square[k] - with_j[k] * with_j[k] / jj;
                const float along = rest.with_target[k] - with_j[k] * rj / jj;
                left[k] = free < kNew ? 1 : after_two - along * along / free;
            }
            for (std::size_t k = j + 1; k < n; ++k) {
                const std::size_t place = std::min(size[i] + size[j] + size[k], best.size() - 1);
                if (!(left[k] < bound[place])) continue;
                std::vector<Sum>& bucket = best[place];
                Sum sum{{atoms[i], atoms[j], atoms[k]}, std::max(left[k], 0.0F), 0};
                bucket.insert(std::upper_bound(bucket.begin(), bucket.end(), sum), std::move(sum));
                if (bucket.size() > kOfEachSize) bucket.pop_back();
                if (bucket.size() == kOfEachSize) bound[place] = bucket.back().left;
            }
        }
    }
    std::vector<Sum> found;
    for (const std::vector<Sum>& bucket : best) found.insert(found.end(), bucket.begin(), bucket.end());
    return found;
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
            Sum next{sum.atoms, left, 0};
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
    const auto keep_cheapest = [&](std::vector<Sum>& sums) {
        for (Sum& sum : sums) sum.price = price_of(sum, context.atoms, options.scale);
        std::sort(sums.begin(), sums.end(),
                  [](const Sum& a, const Sum& b) { return std::tie(a.price, a.atoms) < std::tie(b.price, b.atoms); });
        sums.erase(std::unique(sums.begin(), sums.end(), [](const Sum& a, const Sum& b) { return a.atoms == b.atoms; }),
                   sums.end());
        sums.resize(std::min(sums.size(), options.width));
    };
    std::vector<Sum> beam;
    for (const Hit& hit : pairs) {
        if (hit.family != Family::pair || hit.target != target) continue;
        beam.push_back({{std::min(hit.i, hit.j), std::max(hit.i, hit.j)}, hit.left, 0});
    }
    keep_cheapest(beam);
    std::vector<Expression> exact, close;
    LinearFit fit;
    AlignedVector<double> values;
    for (std::size_t terms = 3; terms <= options.most_terms && (terms == 3 || !beam.empty()); ++terms) {
        std::vector<Sum> next;
        if (terms == 3 && options.every_triple) next = triples(context, panel, unit);
        for (const Sum& sum : beam) {
            const std::vector<Sum> some = extensions(sum, panel, unit, options.width / 4);
            next.insert(next.end(), some.begin(), some.end());
        }
        keep_cheapest(next);
        beam = std::move(next);
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
