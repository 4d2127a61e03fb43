#include "search/seed.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>
#include <limits>

#include "search/deep_search.hpp"
#include "search/dictionary.hpp"
#include "search/dimensionless.hpp"
#include "search/factor_search.hpp"
#include "search/finish.hpp"
#include "search/log.hpp"
#include "search/parametric.hpp"
#include "search/part_search.hpp"
#include "search/probe.hpp"
#include "search/quotients.hpp"
#include "search/residual_test.hpp"
#include "search/separate.hpp"
#include "search/settled.hpp"
#include "search/view_solver.hpp"
#include "search/waves.hpp"

namespace balmer::search {
namespace {

constexpr std::size_t kScreenRows = 64, kNoisyScreenRows = 256, kWaveRows = 512, kSeparationRows = 1000;
constexpr double kBytesOfFormula = 250;    // of the largest library, with its tables
constexpr double kBytesOfTestRow = 48e3;   // of the simple formulas that a residual is compared with
constexpr double kShareOfStep = 0.2;       // of the memory: what grows is there twice for a while
constexpr double kShareOfViews = 0.6;      // of the memory: the libraries of all views of a round, which live on
constexpr double kFinishWork = 5e8;        // nodes times rows, or a tenth of all
constexpr double kExact = 1e-20;           // of the variance: far below anything but rounding
constexpr double kRounding = 1e-28;        // of the variance: what a well-conditioned law leaves
constexpr double kRoundingOfMean = 1e-31;  // the same, of the mean square

/// Rows with which a residual can be told from noise at all; those with which the search may end for it;
/// and the rows that are looked at first.
constexpr std::size_t kRowsThatTellNoise = 40, kFewestRowsOfResidual = 200, kRowsOfResidual = 4096;

/// A round under noise: so many views and transforms, the most promising ones.
struct NoisyRound {
    std::size_t atoms, views, transforms;
};
constexpr std::size_t kAtomsWithTriples = 4000;  // the simplest atoms of larger libraries are the same
constexpr std::array<NoisyRound, 3> kNoisyRounds = {NoisyRound{800, 100, kTransforms}, NoisyRound{3000, 4, kTransforms},
                                                    NoisyRound{8000, 2, 3}};
constexpr std::size_t kAtomsInProducts = 2000;  // of the family a (f + p) (g + q) + r

/// A formula that is nearly exact, or none, says nothing about noise. `share`: of the variance that it leaves.
bool tells_of_noise(double share) noexcept { return share > 1e-6 && share < 0.5; }

/// Of the best formula so far, as the estimate of the noise.
double residual_of(const SeedArchive& archive) { return archive.best() ? std::sqrt(archive.best()->loss) : 0; }

/// Whether a formula is exact not only on the rows that fits use.
bool exact_on_all_rows(const SeedArchive& archive, const Evaluator<double>& evaluator, Polisher& polisher) {
    const Found* found = archive.exact();
    if (found == nullptr || polisher.rows() == evaluator.data().n_rows()) return found != nullptr;
    const double loss =
        evaluator.mean_squared_error(found->expression, evaluator.data().n_rows(), polisher.workspace().evaluation);
    return loss <= 4 * archive.exact_loss();
}

std::vector<FrontEntry> entries_of(const SeedArchive& archive) {
    std::vector<FrontEntry> all;
    for (const std::vector<Found>& entries : archive.by_complexity()) {
        for (const Found& found : entries) all.push_back({found.expression, found.complexity, found.loss});
    }
    return all;
}

/// As many of `wanted` things as there is room for, at least one.
std::size_t within(double bytes, double bytes_of_one, std::size_t wanted) {
    const double room = std::max(1.0, bytes / bytes_of_one);
    return room < static_cast<double>(wanted) ? static_cast<std::size_t>(room) : wanted;
}

DeepOptions deep_within(double bytes) {
    DeepOptions deep;
    deep.formulas = within(bytes, kBytesOfFormula, deep.formulas);
    return deep;
}

/// Of a round: for each atom there are two or three formulas in the library, with values on the screen rows, and those
/// of the atom itself are there once more in single precision.
double bytes_of_atom(std::size_t screen_rows) {
    const double rows = static_cast<double>(screen_rows);
    return 2.5 * (kBytesOfFormula + sizeof(double) * rows) + sizeof(float) * rows;
}

/// Puts views without a variable that is a factor of its own before the others; returns those without one that is a term.
std::vector<View> add_separated(std::vector<View>& views, Polisher& polisher, std::span<const std::uint32_t> rows) {
    std::vector<View> products, sums;
    for (View& view : separated(views.front(), polisher, rows)) {
        (view.frame.nodes.empty() ? products : sums).push_back(std::move(view));
    }
    views.insert(views.begin(), std::make_move_iterator(products.begin()), std::make_move_iterator(products.end()));
    return sums;
}

/// The formula without some of its parts: operands of sums and products left out, one after the other, the largest remainders
/// first. No structure comes twice.
std::vector<Expression> shortened(const Expression& formula) {
    constexpr std::size_t kMost = 40;
    std::vector<Expression> all{formula};
    std::vector<std::uint64_t> hashes{structural_hash(formula)};
    for (std::size_t next = 0; next < all.size(); ++next) {
        const Expression whole = all[next];
        for (std::size_t i = 0; i < whole.size(); ++i) {
            for (std::size_t k = 0; whole.nodes[i].arity == 2 && k < 2; ++k) {
                Expression shorter = whole;
                shorter.replace(i, whole.subtree(whole.operand(i, k)));
                const std::uint64_t hash = structural_hash(shorter);
                if (std::ranges::find(hashes, hash) != hashes.end()) continue;
                if (all.size() > kMost) return {all.begin() + 1, all.end()};
                hashes.push_back(hash);
                all.push_back(std::move(shorter));
            }
        }
    }
    return {all.begin() + 1, all.end()};
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

/// Problems of fewer variables: those that the units tell of first, since they need no guess.
std::vector<View> views_of(const View& raw, const Vocabulary& vocabulary) {
    std::vector<View> views, found = dimensionless_views(raw, vocabulary);
    found.push_back(raw);
    for (View& view : found) {
        std::vector<View> reduced = probe(view, vocabulary).views;
        views.insert(views.end(), std::make_move_iterator(reduced.begin()), std::make_move_iterator(reduced.end()));
        if (&view != &found.back()) views.push_back(std::move(view));
    }
    return views;
}

}  // namespace

Seed::Seed(const Dataset<double>& data, const OperatorSet& operators, const SearchOptions& options)
    : data_(data), operators_(operators), options_(options) {}

void Seed::solve(std::span<const View> views, Polisher& polisher, const Campaign& campaign,
                 const std::function<void(std::string)>& log) const {
    SeedArchive& archive = polisher.archive();
    for (const View& view : views) {
        ViewSolver solver(view, polisher, first_rows(data_, campaign.screen_rows));
        for (const std::size_t wanted : campaign.atoms) {
            const std::size_t atoms = within(memory_of_step(), bytes_of_atom(campaign.screen_rows), wanted);
            RoundOptions round;
            round.atoms = atoms;
            round.factors = atoms / 4;
            round.polish = 30;
            round.every_triple = wanted == kAtomsWithTriples;
            round.bilinear = wanted >= kAtomsWithTriples ? kAtomsInProducts : 0;
            solver.round(round);
            log(view.name + ": families, " + std::to_string(atoms) + " atoms");
            if (archive.exact() || polisher.stopped()) return;
            if (wanted < 4000 || !options_.stages.factors) continue;
            const FactorOptions factors{
                .pair_factors = atoms / 20, .pair_atoms = 800, .single_factors = 2 * atoms, .single_atoms = 1000};
            search_over_factors(view, solver.library(), polisher, factors);
            log(view.name + ": factors");
            if (archive.exact() || polisher.stopped()) return;
        }
    }
}

void Seed::noisy_rounds(const View& raw, std::span<const View> views, Polisher& polisher,
                        const std::function<void(std::string)>& log) const {
    const auto description = [&] {
        const Found* const best = polisher.archive().best();
        return best != nullptr ? best->description : std::numeric_limits<double>::infinity();
    };
    std::vector<std::unique_ptr<ViewSolver>> solvers;
    std::vector<std::size_t> order;
    for (const View& view : views) {
        order.push_back(solvers.size());
        solvers.push_back(std::make_unique<ViewSolver>(view, polisher, first_rows(data_, kNoisyScreenRows)));
    }
    bool shortened = true;
    for (const NoisyRound& step : kNoisyRounds) {
        // A larger round costs three times as much. It is for those that led somewhere, or have something left to find.
        if (!shortened && surely_noisy(raw, polisher)) return;
        // Larger rounds for the views, and in them the transforms, that did best in the smaller ones.
        std::stable_sort(order.begin(), order.end(),
                         [&](std::size_t a, std::size_t b) { return solvers[a]->promise() < solvers[b]->promise(); });
        const double bytes_of_one = bytes_of_atom(kNoisyScreenRows);
        const std::size_t atoms = within(memory_of_step(), bytes_of_one, step.atoms);
        const double bytes_of_view = bytes_of_one * static_cast<double>(atoms);
        const std::size_t most = within(kShareOfViews * options_.memory_limit_in_bytes, bytes_of_view, step.views);
        for (std::size_t k = most; k < order.size(); ++k) solvers[order[k]].reset();
        order.resize(std::min(order.size(), most));
        const double before = description();
        for (const std::size_t v : order) {
            RoundOptions round;
            round.atoms = atoms;
            round.factors = atoms / 4;
            round.weighted = true;
            round.polish = 100;
            round.every_triple = step.atoms <= kAtomsWithTriples;
            round.transforms = step.transforms;
            round.noise = residual_of(polisher.archive());
            round.stage = "weighted families";
            solvers[v]->round(round);
            log(views[v].name + ": weighted families, " + std::to_string(atoms) + " atoms");
            if (polisher.archive().exact() || polisher.stopped()) return;
        }
        shortened = description() < before;
    }
}

double Seed::memory_of_step() const noexcept { return kShareOfStep * options_.memory_limit_in_bytes; }

std::vector<std::uint32_t> Seed::rows_of_test(std::size_t wanted) const {
    const std::size_t most = within(memory_of_step(), kBytesOfTestRow, wanted);
    return first_rows(data_, std::max(kFewestRowsOfResidual, most));
}

bool Seed::something_left(const View& raw, Polisher& polisher) const {
    const Found* best = polisher.archive().best();
    const std::vector<std::uint32_t> rows = rows_of_test(1000);
    if (!best) return true;
    // Too few rows to tell noise from a law: only a formula that is close already is worth a larger search.
    if (rows.size() < kRowsThatTellNoise) {
        return rows.size() >= kFewRows && best->loss < 1e-3 * data_.target_variance();
    }
    return ResidualTest(best->expression, raw, polisher.vocabulary(), polisher.evaluator(),
                        polisher.workspace().evaluation)
        .follows(rows);
}

bool Seed::leaves_noise(const Expression& formula, const std::atomic<bool>& cancel) const {
    const Vocabulary vocabulary(options_, operators_);
    const Evaluator<double> evaluator(data_, operators_);
    Workspace<double> workspace;
    const double loss = evaluator.mean_squared_error(formula, data_.n_rows(), workspace);
    const std::vector<std::uint32_t> rows = rows_of_test(kRowsOfResidual);
    if (rows.size() < kFewestRowsOfResidual || !tells_of_noise(loss / data_.target_variance())) return false;
    const View raw = raw_view(data_, vocabulary);
    const ResidualTest test(formula, raw, vocabulary, evaluator, workspace);
    return !test.follows(rows) && (data_.n_rows() <= kRowsOfResidual || !test.follows_on_all_rows(workspace, cancel));
}

bool Seed::surely_noisy(const View& raw, Polisher& polisher) const {
    const Found* best = polisher.archive().best();
    const double share = best ? best->loss / data_.target_variance() : 1;
    return data_.n_rows() >= kFewestRowsOfResidual && tells_of_noise(share) && !something_left(raw, polisher);
}

SeedArchive Seed::empty_archive(const Vocabulary& vocabulary) const {
    const double variance = data_.target_variance(), mean_square = variance + data_.target_mean() * data_.target_mean();
    const std::span<const double> y(data_.target(), data_.n_rows());
    return {description_scale(y, vocabulary.n_symbols(data_.n_features())), kExact * variance,
            std::max(kRounding * variance, kRoundingOfMean * mean_square)};
}

SeedResult Seed::improve(std::vector<Expression> formulas, Work& work, const std::atomic<bool>& cancel) const {
    const Vocabulary vocabulary(options_, operators_);
    const Evaluator<double> evaluator(data_, operators_);
    SeedArchive archive = empty_archive(vocabulary);
    archive.forgive_rounding();
    Polisher polisher(evaluator, vocabulary, archive, work, cancel, options_.n_threads);
    polisher.submit(std::move(formulas), "evolution");
    const View raw = raw_view(data_, vocabulary);
    search_for_parts(raw, polisher, first_rows(data_, kNoisyScreenRows), {}, [](const std::string&) {});
    SeedResult result;
    result.exact = exact_on_all_rows(archive, evaluator, polisher);
    result.noise = residual_of(archive);
    result.candidates = entries_of(archive);
    return result;
}

SeedResult Seed::run(Work& work, const std::atomic<bool>& cancel) const {
    SeedResult result;
    const StageSwitches& on = options_.stages;
    const Vocabulary vocabulary(options_, operators_);
    const Evaluator<double> evaluator(data_, operators_);
    // The last stage has its share, whatever the others take.
    const double whole = work.limit;
    work.limit = whole - std::min(0.1 * whole, kFinishWork);
    SeedArchive archive = empty_archive(vocabulary);
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
            views = views_of(raw, vocabulary);
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
    const auto done = [&] {
        result.settled = result.settled || settled(archive, evaluator, polisher.workspace().evaluation);
        return archive.exact() != nullptr || result.settled || polisher.stopped();
    };
    const auto in_each_view = [&](bool wanted, const char* name, auto search) {
        for (const View& view : views) {
            if (!wanted || done()) break;
            search(view);
            log(view.name + ": " + name);
        }
    };
    const std::vector<std::uint32_t> few = first_rows(data_, kScreenRows), many = first_rows(data_, kNoisyScreenRows);
    in_each_view(on.dictionary, "dictionary", [&](const View& view) { dictionary(view, polisher, 0); });
    if (on.families && !done()) solve(views, polisher, {.atoms = {800}, .screen_rows = kScreenRows}, log);
    in_each_view(on.inner_constants, "waves",
                 [&](const View& view) { waves(view, polisher, first_rows(data_, kWaveRows)); });
    in_each_view(on.quotients, "quotients", [&](const View& view) { quotients(view, polisher, few, 0); });
    archive.forgive_rounding();
    if (on.inner_constants && !done()) {
        plane_waves(raw, polisher, first_rows(data_, kWaveRows));
        log("raw: plane waves");
    }
    if (on.views && on.families && !done()) {
        const std::vector<View> sums = add_separated(views, polisher, first_rows(data_, kSeparationRows));
        log("separation, " + std::to_string(views.size()) + " views");
        solve(sums, polisher, {.atoms = {800, kAtomsWithTriples}, .screen_rows = kScreenRows}, log);
    }
    if (on.families && !done()) {
        if (!surely_noisy(raw, polisher)) {
            solve(views, polisher, {.atoms = {4000}, .screen_rows = kScreenRows}, log);
            in_each_view(on.dictionary, "any denominator",
                         [&](const View& view) { dictionary_of_any_denominator(view, polisher); });
            const DeepOptions deep = deep_within(memory_of_step());
            in_each_view(on.deep, "deep", [&](const View& view) { deep_search(view, polisher, few, deep); });
            in_each_view(on.inner_constants, "inner constants",
                         [&](const View& view) { parametric(view, polisher, few, 0); });
        }
        const double spread = residual_of(archive);
        in_each_view(on.dictionary, "sums over sums",
                     [&](const View& view) { noisy_quotients(view, polisher, spread); });
        if (on.weighted_families && !done()) noisy_rounds(raw, views, polisher, log);
        const double noise = residual_of(archive);
        in_each_view(on.quotients, "quotients", [&](const View& view) { quotients(view, polisher, many, noise); });
        const double rest = residual_of(archive);
        in_each_view(on.inner_constants, "inner constants",
                     [&](const View& view) { parametric(view, polisher, many, rest); });
    }
    const bool more = on.families && !done() && something_left(raw, polisher);
    if (more && on.large_libraries) {
        // The view that has the fewest variables, and the raw data.
        for (const View* view : {&views.front(), &views.back()}) {
            if (!done()) solve({view, 1}, polisher, {.atoms = {14000}, .screen_rows = kScreenRows}, log);
            if (views.size() == 1) break;
        }
    }
    if (on.families && on.parts && !done()) {
        // What leaves noise alone is hardly worth another thought.
        const PartOptions parts =
            more ? PartOptions{.rounds = 2, .formulas = 2} : PartOptions{.rounds = 1, .formulas = 1};
        search_for_parts(raw, polisher, many, parts, log);
    }
    work.limit = whole;
    if (on.seed_finish && archive.best()) {
        finish(polisher, 8);
        log("finish");
        // A law that is found at once leaves nothing at the complexities below its own.
        if (archive.exact()) polisher.submit(shortened(archive.exact()->expression), "parts of the law");
    }
    result.exact = exact_on_all_rows(archive, evaluator, polisher);
    result.noise = residual_of(archive);
    result.candidates = entries_of(archive);
    return result;
}

}  // namespace balmer::search
