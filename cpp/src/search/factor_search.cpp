#include "search/factor_search.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

#include "eval/dispatch.hpp"
#include "search/model.hpp"
#include "search/scan_dispatch.hpp"

namespace balmer::search {
namespace {

constexpr float kExactInFloat = 3e-6F;  // 1 - R^2 that rounding of the columns leaves
constexpr double kExactInT = 1e-11;
constexpr std::size_t kFactorsAtATime = 8;
constexpr std::size_t kMostTried = 24;
constexpr Transform kPairTransforms[] = {Transform::identity, Transform::inverse, Transform::square,
                                         Transform::inverse_square, Transform::root};
constexpr Transform kSingleTransforms[] = {Transform::inverse, Transform::square, Transform::inverse_square,
                                           Transform::log,     Transform::exp,    Transform::root};

class FactorSearch {
   public:
    FactorSearch(const View& view, Library& library, Polisher& polisher, const FactorOptions& options)
        : view_(view), library_(library), polisher_(polisher), options_(options), rows_(library.n_screen()) {
        for (const std::uint32_t row : library.screen_rows()) y_.push_back(view.target[row]);
    }

    bool run() {
        const std::vector<std::uint32_t> factors = choose(std::max(options_.pair_factors, options_.single_factors));
        const std::vector<Atom> atoms =
            select_atoms(library_, library_.prepared(), std::max(options_.pair_atoms, options_.single_atoms), false);
        if (factors.empty() || atoms.size() < 2) return false;
        const std::span<const std::uint32_t> few(factors.data(), std::min(factors.size(), options_.pair_factors));
        const std::span<const Atom> pair_atoms(atoms.data(), std::min(atoms.size(), options_.pair_atoms));
        const std::span<const Atom> single_atoms(atoms.data(), std::min(atoms.size(), options_.single_atoms));
        if (search(few, pair_atoms, kPairTransforms, true)) return true;
        return search(factors, single_atoms, kSingleTransforms, false);
    }

   private:
    const View& view_;
    Library& library_;
    Polisher& polisher_;
    FactorOptions options_;
    std::size_t rows_;
    std::vector<double> y_;
    LinearFit fit_;

    /// Formulas without zeros on the screen rows.
    [[nodiscard]] std::vector<std::uint32_t> choose(std::size_t limit) const {
        std::vector<std::uint32_t> factors;
        for (std::size_t i = 0; i < library_.prepared() && factors.size() < limit; ++i) {
            const double* g = library_.screen(i);
            const bool usable = !library_.is_constant(i) &&
                                std::all_of(g, g + rows_, [](double v) { return std::isfinite(v) && v != 0; });
            if (usable) factors.push_back(static_cast<std::uint32_t>(i));
        }
        return factors;
    }

    bool search(std::span<const std::uint32_t> factors, std::span<const Atom> atoms,
                std::span<const Transform> transforms, bool pairs) {
        const Panel panel = standard_panel(library_, atoms, {});
        for (std::size_t first = 0; first < factors.size() && !polisher_.stopped(); first += kFactorsAtATime) {
            const std::size_t count = std::min(kFactorsAtATime, factors.size() - first);
            std::vector<TransformedTarget> targets;
            std::vector<std::uint32_t> owner;
            std::vector<double> quotient(rows_);
            for (std::size_t q = 0; q < count; ++q) {
                const double* g = library_.screen(factors[first + q]);
                for (std::size_t k = 0; k < rows_; ++k) quotient[k] = y_[k] / g[k];
                for (const Transform transform : transforms) {
                    if (!expressible(transform, polisher_.vocabulary())) continue;
                    TransformedTarget target = transform_target(transform, quotient, {}, 0);
                    if (target.value.empty()) continue;
                    targets.push_back(std::move(target));
                    owner.push_back(factors[first + q]);
                }
            }
            const std::vector<Hit> hits = pairs ? pair_hits(panel, atoms, targets) : single_hits(panel, targets);
            if (!hits.empty() && follow(hits, atoms, targets, owner)) return true;
        }
        return false;
    }

    std::vector<Hit> pair_hits(const Panel& panel, std::span<const Atom> atoms,
                               std::span<const TransformedTarget> targets) {
        ScanTargets scanned;
        for (const TransformedTarget& target : targets) {
            scanned.values.push_back(target.value);
            scanned.overhead.push_back(2);
        }
        ScanOptions options;
        options.keep = 2;
        options.bound = kExactInFloat;
        options.max_complexity = polisher_.vocabulary().options().evolution.maxsize;
        options.n_threads = polisher_.n_threads();
        polisher_.work().used += static_cast<double>(atoms.size() * atoms.size()) *
                                 (static_cast<double>(rows_) * 0.01 + static_cast<double>(targets.size()) * 0.01);
        return scan_pairs(panel, atoms, scanned, options);
    }

    std::vector<Hit> single_hits(const Panel& panel, std::span<const TransformedTarget> targets) {
        std::vector<Hit> hits;
        std::vector<std::vector<float>> unit(targets.size(), std::vector<float>(rows_, 0.0F));
        for (std::size_t t = 0; t < targets.size(); ++t)
            standardise(targets[t].value.data(), {}, rows_, unit[t].data());
        float r[kScanRows * kPanelLanes];
        for (std::size_t t = 0; t < targets.size(); t += kScanRows) {
            const std::size_t count = std::min(kScanRows, targets.size() - t);
            const float* a[kScanRows];
            for (std::size_t q = 0; q < kScanRows; ++q) a[q] = unit[t + std::min(q, count - 1)].data();
            for (std::size_t b = 0; b < panel.blocks(); ++b) {
                scan_kernels().dots(a, panel.block(b), rows_, r);
                for (std::size_t q = 0; q < count; ++q) {
                    for (std::size_t lane = 0; lane < kPanelLanes; ++lane) {
                        const float left = 1 - r[q * kPanelLanes + lane] * r[q * kPanelLanes + lane];
                        if (left >= kExactInFloat) continue;
                        const auto j = static_cast<std::uint32_t>(b * kPanelLanes + lane);
                        hits.push_back(
                            {std::max(left, 0.0F), j, j, static_cast<std::uint16_t>(t + q), 0, Family::single});
                    }
                }
            }
        }
        polisher_.work().used += static_cast<double>(targets.size() * panel.columns() * rows_) * 0.02;
        return hits;
    }

    bool follow(std::span<const Hit> hits, std::span<const Atom> atoms, std::span<const TransformedTarget> targets,
                std::span<const std::uint32_t> owner) {
        std::vector<Expression> found;
        for (const Hit& hit : hits) {
            if (found.size() >= kMostTried) break;
            View divided;
            const double* g = library_.screen(owner[hit.target]);
            divided.target.assign(view_.target.size(), 0.0);
            divided.weight.assign(view_.target.size(), 1.0);
            divided.weight_sum = static_cast<double>(view_.target.size());
            const std::span<const std::uint32_t> rows = library_.screen_rows();
            for (std::size_t k = 0; k < rows_; ++k) divided.target[rows[k]] = y_[k] / g[k];
            divided.unit = view_.unit;
            const ModelContext context{&library_, &divided, &polisher_.vocabulary(), atoms, targets, false};
            Model model;
            if (!fit_model(context, hit, fit_, model) || model.left > kExactInT) continue;
            divided.unit.push_back({library_.expression(owner[hit.target]), 1});
            for (Expression& e : formulas(context, model, 1e-6)) found.push_back(std::move(e));
        }
        if (found.empty()) return false;
        polisher_.submit(std::move(found), "factors", 6);
        return polisher_.archive().exact() != nullptr;
    }
};

}  // namespace

bool search_over_factors(const View& view, Library& library, Polisher& polisher, const FactorOptions& options) {
    const eval::FlushSubnormals guard(eval::kernels());
    return FactorSearch(view, library, polisher, options).run();
}

}  // namespace balmer::search
