#include "search/view_solver.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "eval/dispatch.hpp"
#include "search/beam.hpp"

namespace balmer::search {
namespace {

constexpr std::size_t kLibraryCapacity = 2'000'000;
constexpr int kMaxLevel = 14;
constexpr double kExactInT = 1e-11;  // 1 - R^2 in double precision on the screen rows
constexpr std::size_t kExactTries = 40;
constexpr double kWorkOfTriples = 1e7;  // in nodes times rows

/// Complexity that the constants and T^-1 add to that of f (and g).
int overhead_of(const TransformedTarget& target, const View& view, const Vocabulary& vocabulary) {
    TransformedTarget plain{target.transform, target.sign, 0, {}, {}};
    const Expression x = Expression::feature(0);
    const int base = vocabulary.complexity(x);
    const int inverse = vocabulary.complexity(inverse_expression(plain, x, vocabulary)) - base;
    int unit = 0;
    if (!view.unit.empty()) unit = vocabulary.complexity(power_product(1, view.unit, vocabulary)) + 1;
    if (!view.frame.nodes.empty()) {
        unit += vocabulary.complexity(view.frame) - vocabulary.complexity(view.frame.subtree(view.hole));
    }
    return inverse + unit + 2;
}

}  // namespace

ViewSolver::ViewSolver(const View& view, Polisher& polisher, std::vector<std::uint32_t> screen_rows)
    : view_(view),
      polisher_(polisher),
      library_(polisher.vocabulary(), view.variables, std::move(screen_rows), kLibraryCapacity) {
    promise_.fill(std::numeric_limits<double>::infinity());
}

ViewSolver::~ViewSolver() = default;

std::vector<TransformedTarget> ViewSolver::make_targets(const RoundOptions& options) const {
    const ViewSample sample = sample_of(view_, library_.screen_rows(), options.weighted ? options.noise : 0);
    std::vector<TransformedTarget> targets;
    for (std::size_t t = 0; t < kTransforms; ++t) {
        const auto transform = static_cast<Transform>(t);
        if (!expressible(transform, polisher_.vocabulary())) continue;
        TransformedTarget target = transform_target(transform, sample.target, sample.weight, sample.noise);
        if (target.value.empty()) continue;
        // A target that a few rows make up fits anything: its logarithm is the one to look at.
        std::vector<double> root(target.weight.size());
        for (std::size_t k = 0; k < root.size(); ++k) root[k] = std::sqrt(target.weight[k]);
        std::vector<float> unit(root.size());
        if (!standardise(target.value.data(),
                         options.weighted ? std::span<const double>(root) : std::span<const double>{}, root.size(),
                         unit.data())) {
            continue;
        }
        double second = 0, fourth = 0;
        for (const float u : unit) {
            const double s = static_cast<double>(u) * static_cast<double>(u);
            second += s;
            fourth += s * s;
        }
        if (second * second < (transform == Transform::identity ? 1.5 : 4) * fourth && unit.size() >= 20) continue;
        targets.push_back(std::move(target));
    }
    return targets;
}

std::vector<std::uint32_t> ViewSolver::choose_factors(std::size_t limit) const {
    std::vector<std::uint32_t> factors;
    for (std::size_t i = 0; i < library_.prepared() && factors.size() < limit; ++i) {
        if (library_.is_constant(i)) continue;
        const double* values = library_.screen(i);
        if (std::all_of(values, values + library_.n_screen(), [](double v) { return std::isfinite(v); })) {
            factors.push_back(static_cast<std::uint32_t>(i));
        }
    }
    return factors;
}

void ViewSolver::add_models(const ModelContext& context, std::span<const Hit> hits, std::vector<Model>& models) {
    for (const Hit& hit : hits) {
        Model model;
        if (fit_model(context, hit, fit_, model)) models.push_back(model);
    }
    polisher_.work().used += static_cast<double>(hits.size() * library_.n_screen()) * 10;
}

void ViewSolver::submit(std::vector<Expression> formulas, const char* stage, int iterations) {
    for (Expression& e : formulas) e = in_frame(std::move(e), view_);
    polisher_.submit(std::move(formulas), stage, iterations);
}

bool ViewSolver::polish(const ModelContext& context, std::vector<Model> models, const RoundOptions& options) {
    SeedArchive& archive = polisher_.archive();
    const auto by_size = [](const Model& a, const Model& b) {
        return a.hit.complexity != b.hit.complexity ? a.hit.complexity < b.hit.complexity : better(a.hit, b.hit);
    };
    std::sort(models.begin(), models.end(), by_size);
    // An exact fit in T is worth all rows at once, the smallest first.
    std::vector<Expression> exact;
    for (const Model& model : models) {
        if (model.left > kExactInT || exact.size() >= kExactTries) continue;
        for (Expression& e : formulas(context, model, 1e-6)) exact.push_back(std::move(e));
    }
    if (!exact.empty()) {
        submit(std::move(exact), options.stage, 6);
        if (archive.exact()) return true;
    }
    const auto describe = [&](const Model& m) {
        return description_length(m.hit.complexity, m.n_constants, std::max(m.mse, archive.exact_loss()),
                                  archive.scale());
    };
    std::vector<std::pair<double, std::size_t>> order;
    for (std::size_t k = 0; k < models.size(); ++k) {
        if (std::isfinite(models[k].mse)) order.emplace_back(describe(models[k]), k);
    }
    std::sort(order.begin(), order.end());
    for (const auto& [description, k] : order) {
        double& promise = promise_[static_cast<std::size_t>(context.targets[models[k].hit.target].transform)];
        promise = std::min(promise, description);
    }
    std::vector<Expression> chosen;
    std::vector<int> of_complexity(HitBuckets::kBuckets, 0);
    std::size_t rank = 0;
    for (const auto& [description, k] : order) {
        const std::size_t c = std::min<std::size_t>(models[k].hit.complexity, HitBuckets::kBuckets - 1);
        const bool first_of_size = of_complexity[c]++ < 2;
        if (rank++ >= options.polish && !first_of_size) continue;
        for (Expression& e : formulas(context, models[k], options.weighted ? 0.1 : 0.02))
            chosen.push_back(std::move(e));
    }
    submit(std::move(chosen), options.stage, options.weighted ? 10 : 5);
    return archive.exact() != nullptr;
}

bool ViewSolver::scan(std::span<const Transform> transforms, std::span<const TransformedTarget> all, bool logarithms,
                      const RoundOptions& options) {
    const std::vector<Atom> atoms = select_atoms(library_, library_.prepared(), options.atoms, logarithms);
    if (atoms.empty()) return false;
    std::vector<TransformedTarget> targets;
    ScanTargets scanned;
    for (const TransformedTarget& target : all) {
        if (std::find(transforms.begin(), transforms.end(), target.transform) == transforms.end()) continue;
        targets.push_back(target);
        scanned.values.push_back(target.value);
        scanned.overhead.push_back(overhead_of(target, view_, polisher_.vocabulary()));
        if (options.weighted) {
            scanned.root_weight.resize(target.weight.size());
            for (std::size_t k = 0; k < target.weight.size(); ++k) scanned.root_weight[k] = std::sqrt(target.weight[k]);
        }
    }
    if (targets.empty()) return false;
    ScanOptions scan_options;
    scan_options.keep = options.weighted ? 40 : 25;
    scan_options.bound = options.weighted ? 0.9F : 0.3F;
    scan_options.max_complexity = polisher_.vocabulary().options().evolution.maxsize + 4;
    scan_options.n_threads = polisher_.n_threads();
    const ModelContext context{&library_, &view_, &polisher_.vocabulary(), atoms, targets, options.weighted};
    std::vector<Model> models;
    const auto m = static_cast<double>(library_.n_screen()), n = static_cast<double>(atoms.size());
    {
        const Panel panel = standard_panel(library_, atoms, scanned.root_weight);
        const std::vector<Hit> hits = scan_pairs(panel, atoms, scanned, scan_options);
        add_models(context, hits, models);
        polisher_.work().used += n * n / 2 * m * 0.02;
        for (std::size_t t = 0; t < targets.size() && !polisher_.stopped(); ++t) {
            const BeamOptions beam{.width = 32,
                                   .most_terms = 5,
                                   .kept = options.weighted ? std::size_t{16} : std::size_t{2},
                                   .every_triple = options.every_triple,
                                   .scale = polisher_.archive().scale()};
            if (beam.every_triple) polisher_.work().used += kWorkOfTriples;
            std::vector<Expression> sums = extend_pairs(context, panel, hits, t, beam);
            polisher_.work().used += 3 * 32 * n * m * 6 * 0.02;
            submit(std::move(sums), view_.frame.nodes.empty() ? "sums" : options.stage, options.weighted ? 8 : 4);
        }
        if (!logarithms && options.bilinear > 0) {
            add_models(context, scan_bilinear(panel, atoms, options.bilinear, scanned, scan_options), models);
            const auto used = static_cast<double>(std::min(options.bilinear, atoms.size()));
            polisher_.work().used += used * used / 2 * static_cast<double>(4 + targets.size()) * m * 0.02;
        }
    }
    if (!logarithms && options.factors > 0) {
        const std::vector<std::uint32_t> factors = choose_factors(options.factors);
        add_models(context, scan_products(library_, factors, atoms, scanned, scan_options), models);
        add_models(context, scan_rationals(library_, factors, atoms, scanned, scan_options), models);
        polisher_.work().used += static_cast<double>(factors.size() * (2 * targets.size() + 2)) * n * m * 0.02;
    }
    return polish(context, std::move(models), options);
}

bool ViewSolver::round(const RoundOptions& options) {
    const eval::FlushSubnormals guard(eval::kernels());
    while (library_.size() < options.atoms + options.atoms / 2 && library_.level() < kMaxLevel && library_.grow()) {
    }
    library_.prepare(std::min(library_.size(), 2 * options.atoms));
    std::vector<TransformedTarget> targets = make_targets(options);
    std::stable_sort(targets.begin(), targets.end(), [&](const TransformedTarget& a, const TransformedTarget& b) {
        return promise_[static_cast<std::size_t>(a.transform)] < promise_[static_cast<std::size_t>(b.transform)];
    });
    targets.resize(std::min(targets.size(), options.transforms));
    std::vector<Transform> plain;
    bool exact = false;
    for (const TransformedTarget& target : targets) {
        if (polisher_.stopped()) return exact;
        const Transform only[] = {target.transform};
        if (target.transform == Transform::log) {
            exact = scan(only, targets, true, options) || exact;
        } else if (options.weighted) {
            exact = scan(only, targets, false, options) || exact;
        } else {
            plain.push_back(target.transform);
        }
        if (exact) return true;
    }
    return (!plain.empty() && scan(plain, targets, false, options)) || exact;
}

}  // namespace balmer::search
