#include "search/seed.hpp"

#include <algorithm>
#include <cmath>

#include "search/dictionary.hpp"
#include "search/factor_search.hpp"
#include "search/finish.hpp"
#include "search/log.hpp"
#include "search/parametric.hpp"
#include "search/probe.hpp"
#include "search/view_solver.hpp"

namespace balmer::search {
namespace {

constexpr std::size_t kScreenRows = 64, kNoisyScreenRows = 256;
constexpr double kExact = 1e-20;  // of the variance: far below anything but rounding

/// The features as they are, in units of a power of ten where their size is extreme.
View raw_view(const Dataset<double>& data, const Vocabulary& vocabulary) {
    View view;
    view.name = "raw";
    const std::size_t n = data.n_rows();
    for (std::size_t j = 0; j < data.n_features(); ++j) {
        Variable v{Expression::feature(static_cast<std::uint32_t>(j)), {}};
        v.values.assign(data.column(j), data.column(j) + n);
        std::vector<double> magnitude(n);
        std::transform(v.values.begin(), v.values.end(), magnitude.begin(), [](double x) { return std::abs(x); });
        std::nth_element(magnitude.begin(), magnitude.begin() + static_cast<std::ptrdiff_t>(n / 2), magnitude.end());
        const double median = magnitude[n / 2];
        if (median > 0 && (median > 1e3 || median < 1e-3)) {
            int power = 0;
            double size = median;
            for (; size >= 3; size /= 10) ++power;
            for (; size < 0.3; size *= 10) --power;
            const double unit = balmer::apply(Op::Pow, 10, -power);
            const Expression scaled = vocabulary.scale(unit, v.expression);
            if (!scaled.nodes.empty()) {
                v.expression = scaled;
                for (double& x : v.values) x *= unit;
            }
        }
        view.variables.push_back(std::move(v));
    }
    view.target.assign(data.target(), data.target() + n);
    if (data.weights()) view.weight.assign(data.weights(), data.weights() + n);
    view.weight_sum = data.weight_sum(n);
    return view;
}

/// The first rows of positive weight: a fair sample, since the data are in ladder order.
std::vector<std::uint32_t> first_rows(const Dataset<double>& data, std::size_t count) {
    std::vector<std::uint32_t> rows;
    for (std::size_t i = 0; i < data.n_rows() && rows.size() < count; ++i) {
        if (!data.weights() || data.weights()[i] > 0) rows.push_back(static_cast<std::uint32_t>(i));
    }
    return rows;
}

double mean_of(const View& view) {
    double sum = 0, weights = 0;
    for (std::size_t i = 0; i < view.target.size(); ++i) {
        const double w = view.weight.empty() ? 1 : view.weight[i];
        sum += w * view.target[i];
        weights += w;
    }
    return sum / weights;
}

}  // namespace

Seed::Seed(const Dataset<double>& data, const OperatorSet& operators, const SearchOptions& options)
    : data_(data), operators_(operators), options_(options) {}

void Seed::solve(const std::vector<View>& views, Polisher& polisher, const Campaign& campaign,
                 const std::function<void(std::string)>& log) const {
    SeedArchive& archive = polisher.archive();
    std::vector<std::unique_ptr<ViewSolver>> solvers;
    for (const View& view : views) {
        solvers.push_back(std::make_unique<ViewSolver>(view, polisher, first_rows(data_, campaign.screen_rows)));
    }
    for (const std::size_t atoms : campaign.atoms) {
        for (std::size_t v = 0; v < views.size(); ++v) {
            RoundOptions round;
            round.atoms = atoms;
            round.factors = atoms / 4;
            round.weighted = campaign.weighted;
            round.polish = campaign.weighted ? 100 : 30;
            round.noise = archive.best() ? std::sqrt(archive.best()->loss) : 0;
            round.stage = campaign.weighted ? "weighted families" : "families";
            solvers[v]->round(round);
            log(views[v].name + ": " + round.stage + ", " + std::to_string(atoms) + " atoms");
            if (archive.exact() || polisher.stopped()) return;
            if (campaign.weighted || atoms < 4000 || !options_.stages.factors) continue;
            const FactorOptions factors{
                .pair_factors = atoms / 20, .pair_atoms = 800, .single_factors = 2 * atoms, .single_atoms = 500};
            search_over_factors(views[v], solvers[v]->library(), polisher, factors);
            log(views[v].name + ": factors");
            if (archive.exact() || polisher.stopped()) return;
        }
    }
}

bool Seed::something_left(const View& raw, Polisher& polisher) const {
    const Found* best = polisher.archive().best();
    const std::vector<std::uint32_t> rows = first_rows(data_, 1000);
    if (!best) return true;
    // Too few rows to tell noise from a law: only a formula that is close already is worth a larger search.
    if (rows.size() < 40) return rows.size() >= 12 && best->loss < 1e-3 * data_.target_variance();
    std::vector<double> values(data_.n_rows()), residual;
    polisher.evaluator().evaluate(best->expression, values, polisher.workspace().evaluation);
    for (const std::uint32_t row : rows) residual.push_back(raw.target[row] - values[row]);
    Library library(polisher.vocabulary(), raw.variables, rows, 4000);
    while (library.size() < 4000 && library.grow()) {
    }
    library.prepare(std::min<std::size_t>(library.size(), 4000));
    const std::vector<Atom> atoms = select_atoms(library, library.prepared(), 2000, false);
    const Panel panel = standard_panel(library, atoms, {});
    std::vector<float> unit(rows.size());
    if (!standardise(residual.data(), {}, rows.size(), unit.data())) return false;
    float most = 0;
    for (std::size_t j = 0; j < panel.columns(); ++j) {
        float sum = 0;
        for (std::size_t k = 0; k < rows.size(); ++k) sum += panel.column(j)[k] * unit[k];
        most = std::max(most, std::abs(sum));
    }
    const double expected =
        std::sqrt(2 * balmer::apply(Op::Log, static_cast<double>(atoms.size())) / static_cast<double>(rows.size()));
    return static_cast<double>(most) > expected;
}

SeedResult Seed::run(Work& work, const std::atomic<bool>& cancel) const {
    SeedResult result;
    const StageSwitches& on = options_.stages;
    const Vocabulary vocabulary(options_, operators_);
    const Evaluator<double> evaluator(data_, operators_);
    const std::span<const double> y(data_.target(), data_.n_rows());
    SeedArchive archive(description_scale(y, vocabulary.n_symbols(data_.n_features())),
                        kExact * data_.target_variance());
    Polisher polisher(evaluator, vocabulary, archive, work, cancel, options_.n_threads);
    const auto log = [&](std::string stage) {
        if (cancel.load(std::memory_order_relaxed)) return;  // the step did not come to its end
        const Found* best = archive.best();
        result.log.push_back({std::move(stage), work.used, best ? best->loss : 0, best ? best->complexity : 0,
                              best ? best->expression : Expression{}, cpu_seconds()});
    };

    polisher.submit({Expression::constant(data_.target_mean())}, "constant");
    const View raw = raw_view(data_, vocabulary);
    std::vector<View> views;
    if (data_.target_variance() > 0) {
        if (on.views) {
            ProbeResult probed = probe(raw, vocabulary);
            views = std::move(probed.views);
            log("probe, " + std::to_string(views.size()) + " views");
        }
        views.push_back(raw);
    }
    std::erase_if(views, [&](const View& view) {
        if (!view.variables.empty()) return false;
        // Everything was peeled: what is left is the constant.
        polisher.submit({power_product(mean_of(view), view.unit, vocabulary)}, "powers");
        log(view.name + ": powers");
        return true;
    });
    const auto done = [&] { return archive.exact() != nullptr || polisher.stopped(); };
    if (on.dictionary) {
        for (const View& view : views) {
            if (done()) break;
            dictionary(view, polisher, 0);
            log(view.name + ": dictionary");
        }
    }
    if (on.families && !done()) {
        solve(views, polisher, {.atoms = {800, 4000}, .weighted = false, .screen_rows = kScreenRows}, log);
        if (on.inner_constants) {
            for (const View& view : views) {
                if (done()) break;
                parametric(view, polisher, first_rows(data_, kScreenRows), 0);
                log(view.name + ": inner constants");
            }
        }
        if (on.weighted_families && !done()) {
            solve(views, polisher, {.atoms = {800, 3000}, .weighted = true, .screen_rows = kNoisyScreenRows}, log);
        }
    }
    if (on.families && on.large_libraries && !done() && something_left(raw, polisher)) {
        solve(views, polisher, {.atoms = {14000}, .weighted = false, .screen_rows = kScreenRows}, log);
        if (!done()) solve({raw}, polisher, {.atoms = {30000}, .weighted = false, .screen_rows = kScreenRows}, log);
    }
    if (on.seed_finish && archive.best()) {
        finish(polisher, 8);
        log("finish");
    }
    result.exact = archive.exact() != nullptr;
    result.noise = archive.best() ? std::sqrt(archive.best()->loss) : 0;
    for (const std::vector<Found>& entries : archive.by_complexity()) {
        for (const Found& found : entries)
            result.candidates.push_back({found.expression, found.complexity, found.loss});
    }
    return result;
}

}  // namespace balmer::search
