#include "balmer/search/search.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <stdexcept>
#include <utility>

#include "balmer/expr/print.hpp"
#include "balmer/search/pareto.hpp"
#include "search/batch.hpp"
#include "search/control.hpp"
#include "search/evolution.hpp"
#include "search/final_front.hpp"
#include "search/fingerprint.hpp"
#include "search/log.hpp"
#include "search/named_constants.hpp"
#include "search/polish.hpp"
#include "search/problem.hpp"
#include "search/seed.hpp"
#include "search/shrink.hpp"
#include "search/state.hpp"
#include "search/statistics.hpp"

namespace balmer {

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

const Dataset<double>& with_target(const Dataset<double>& data) {
    if (data.target() == nullptr) {
        throw std::invalid_argument("the dataset has no target to search a formula for; give one when it is made");
    }
    return data;
}

/// The rows of a category by which parameters are looked up are 1, 2, ... its size.
void check_categories(const Dataset<double>& data, const Template& structure) {
    for (const Template::Category& category : structure.categories()) {
        const double* const column = data.column(category.feature);
        const auto fits = [&](double value) {
            return value >= 1 && value <= static_cast<double>(category.size) && value == std::nearbyint(value);
        };
        const double* const end = column + data.n_rows();
        const double* const wrong = std::find_if_not(column, end, fits);
        if (wrong == end) continue;
        throw std::invalid_argument("the variable '" + structure.variables()[category.feature] +
                                    "', by which the template looks up parameters, is " + number_text(*wrong) +
                                    " in a row: number the categories from 1 to " + std::to_string(category.size));
    }
}

/// Whether the loss grows more slowly than squares: then a few rows may be far off, which squares would follow.
bool is_robust(const Loss* loss) {
    if (loss == nullptr || !loss->shape().towards_target) return false;
    constexpr double kFar = 1e3;
    return (*loss)(2 * kFar, 0) < 3.9 * (*loss)(kFar, 0);
}

SearchOptions valid(SearchOptions options, const OperatorSet& operators, std::size_t n_features) {
    validate(options, operators, n_features);
    return options;
}

}  // namespace

const FrontEntry* best(std::span<const FrontEntry> front) noexcept {
    const auto by_length = [](const FrontEntry& a, const FrontEntry& b) {
        return a.description_length < b.description_length;
    };
    const auto least = std::ranges::min_element(front, by_length);
    if (least == front.end()) return nullptr;
    return std::isfinite(least->description_length) ? &*least : &front.back();
}

std::string_view name(StopReason reason) noexcept {
    switch (reason) {
        case StopReason::iterations:
            return "iterations";
        case StopReason::early_stop:
            return "early_stop";
        case StopReason::exact:
            return "exact";
        case StopReason::settled:
            return "settled";
        case StopReason::timeout:
            return "timeout";
        case StopReason::max_evals:
            return "max_evals";
        case StopReason::interrupted:
            return "interrupted";
    }
    return "";
}

struct Search::Impl {
    Impl(const Dataset<double>& data, OperatorSet operators, SearchOptions options)
        : problem(data, std::move(operators), std::move(options)),
          archive(problem.options.evolution.maxsize),
          evolution(problem),
          log(problem.options.evolution.maxsize) {
        control.set_deadline(problem.options.timeout_in_seconds);
    }

    /// The stages, in order: each reads the problem and writes the archive.
    void work(SearchResult& result) {
        log.start_clock();
        Archive interrupted(problem.options.evolution.maxsize);
        const std::optional<StopReason> end = seed(interrupted);
        const bool seeding = end == StopReason::interrupted;
        result.reason = end ? *end : evolution.run(archive, control, log, seed_done, helper());
        // What ends a run is not part of the state: the search goes on from before it.
        double ending = 0;
        const Archive& found = seeding ? interrupted : archive;
        const Archive last = problem.options.finish == Finish::none ? found : polished(found, problem, control, ending);
        result.front = final_front(last, problem, control, ending);
        if (problem.structure() == nullptr) {
            result.front = with_named_constants(std::move(result.front), problem, control, ending);
        }
        add_statistics(result.front, problem, control.cancelled(), ending);
        const WorkDone evolved = evolution.done();
        result.iterations = evolution.iteration();
        result.evaluations = seed_done.evaluations + evolved.evaluations + ending;
        result.seed_work = seed_done.work;
        result.seconds = control.seconds();
        result.log = ended_log(result.front, {seed_done.work + evolved.work, result.evaluations});
    }

    /// As much as evolution may take, within limits: who asks for a short search gets a short one. Without iterations
    /// nothing is searched, only the guesses are fitted.
    [[nodiscard]] double seed_work() const {
        constexpr double kLeast = 2e8, kNodes = 15, kLeastRows = 300, kShareOfEvaluations = 0.5;
        const EvolutionOptions& e = problem.options.evolution;
        if (e.niterations == 0) return 0;
        const std::size_t rows = problem.batch_rows() > 0 ? problem.batch_rows() : problem.data.n_rows();
        const double births = 2.0 * e.least_iterations() * e.populations * e.ncycles_per_iteration;
        const double evolution_work = births * kNodes * std::max(kLeastRows, static_cast<double>(rows));
        const double evaluations = kShareOfEvaluations * problem.options.max_evals * work_of_an_evaluation();
        return std::min({problem.options.seed_work, std::max(kLeast, evolution_work), evaluations});
    }

    /// Nodes times rows, for stages that do not count evaluations.
    [[nodiscard]] double work_of_an_evaluation() const noexcept {
        constexpr double kNodes = 10;
        return kNodes * static_cast<double>(problem.data.n_rows());
    }

    /// Rows that the first stage looks at: a sample is as good as all to see what the law may be.
    [[nodiscard]] std::size_t seed_rows() const {
        constexpr std::size_t kMost = 32'768, kViews = 10;
        return problem.rows_in_memory(kViews * (problem.data.n_features() + 2), kMost);
    }

    /// The rows that the first stage looks at, where that is not all of them.
    [[nodiscard]] std::optional<Dataset<double>> sample_of_rows(Outliers outliers) const {
        const std::size_t rows = seed_rows();
        const bool whole = outliers == Outliers::kept && !underflows(problem.data);
        if (rows >= problem.data.n_rows() && whole) return std::nullopt;
        return first_rows_of(problem.data, rows, outliers);
    }

    /// Offers what the first stage found, judged on all rows by the loss of the search.
    void offer(std::span<const FrontEntry> found, Archive& target, double& evaluations) const {
        FitWorkspace<double> workspace;
        const int limit = problem.options.evolution.maxsize;
        for (const FrontEntry& entry : found) {
            Candidate candidate = problem.judged(entry.expression, entry.loss);
            if (!problem.space.allows(entry.expression, candidate.complexity, limit)) continue;
            if (!problem.least_squares())  // the stage fits by least squares
                evaluations += problem.objective.fit(candidate.roles, {}, workspace).evaluations;
            candidate.loss = problem.objective.loss(candidate.roles, kInfinity, workspace);
            evaluations += 1;
            target.offer(problem.judged(candidate.roles[0], candidate.loss));
        }
    }

    /// The first stage; once. Returns why the search ends with it, if it does. If the user interrupts it, it is as if it had
    /// not begun, but for what it found so far, which goes to `interrupted`. After the deadline it ends with what it has.
    std::optional<StopReason> seed(Archive& interrupted) {
        if (seeded || !problem.options.seeding || problem.structure() != nullptr) return {};
        const Loss* const loss = problem.loss();
        if (loss != nullptr && !loss->shape().towards_target)
            return {};  // the stage looks for formulas near the target
        search::Work work{0, seed_work()};
        if (!work.left()) return {};
        const std::optional<Dataset<double>> sample =
            sample_of_rows(is_robust(loss) ? Outliers::dropped : Outliers::kept);
        const search::SeedResult found =
            search::Seed(sample ? *sample : problem.data, problem.operators, problem.options)
                .run(work, control.expired());
        seeded = !control.is_cancelled();
        Archive& target = seeded ? archive : interrupted;
        double evaluations = 0;
        offer(found.candidates, target, evaluations);
        const std::vector<const Candidate*> front = target.front(problem.floor);
        // What reproduces a sample need not reproduce all rows; nor is least squares what a loss of its own asks for.
        const bool exact = seeded && found.exact && !front.empty() && problem.whole_loss() == nullptr &&
                           (!sample || problem.is_exact(*front.back()));
        if (exact && problem.is_exact(*front.back())) {
            FitWorkspace<double> workspace;
            archive.offer(shrunk(*front.back(), problem, workspace, evaluations, control.cancelled()));
        }
        if (seeded) {
            seed_done = {work.used, work.used / work_of_an_evaluation() + evaluations};
            for (const search::SeedLogEntry& entry : found.log) {
                log.add({"seed: " + entry.stage, entry.work, entry.work / work_of_an_evaluation(), 0, entry.complexity,
                         entry.loss, entry.expression},
                        entry.cpu_seconds);
            }
            log.front("seed", seed_done, problem.entries(archive.front(problem.floor)));
        }
        if (!seeded) return StopReason::interrupted;
        if (exact) return StopReason::exact;
        if (found.settled && problem.least_squares()) return StopReason::settled;
        return {};
    }

    /// What evolution calls where it is stalled.
    [[nodiscard]] std::function<Help()> helper() {
        const StageSwitches& on = problem.options.stages;
        const bool helps = problem.options.seeding && problem.least_squares() && problem.structure() == nullptr &&
                           on.families && on.parts;
        if (!helps) return {};
        return [this] {
            if (nothing_left()) return Help{"", true};
            look_for_parts();
            return Help{"parts of the best formulas"};
        };
    }

    /// Whether the formula of least description length leaves only noise. Who asks for a number of iterations gets them.
    [[nodiscard]] bool nothing_left() const {
        if (problem.options.evolution.n_iter_no_change == 0) return false;
        const Candidate* const best = evolution.briefest(archive);
        return best != nullptr && search::Seed(problem.data, problem.operators, problem.options)
                                      .leaves_noise(best->roles[0], control.expired());
    }

    /// Better parts for the formulas of the archive. If the user interrupts it, it is as if it had not begun.
    void look_for_parts() {
        constexpr double kShare = 0.2;  // of the work of the first stage
        const double evaluations = problem.options.max_evals - seed_done.evaluations - evolution.done().evaluations;
        search::Work work{0, std::min(kShare * seed_work(), evaluations * work_of_an_evaluation())};
        if (!work.left()) return;
        const std::optional<Dataset<double>> sample = sample_of_rows(Outliers::kept);
        std::vector<Expression> formulas;
        for (const Candidate* member : archive.front(problem.floor)) formulas.push_back(member->roles[0]);
        const search::SeedResult found =
            search::Seed(sample ? *sample : problem.data, problem.operators, problem.options)
                .improve(std::move(formulas), work, control.expired());
        if (control.is_cancelled()) return;
        double used = 0;
        offer(found.candidates, archive, used);
        seed_done.work += work.used;
        seed_done.evaluations += work.used / work_of_an_evaluation() + used;
    }

    /// The log, and what the end of the run has made of the front.
    [[nodiscard]] std::vector<LogEntry> ended_log(const std::vector<FrontEntry>& front, const WorkDone& done) const {
        SearchLog all = log;
        all.front("finish", done, front);
        return all.entries();
    }

    const Problem problem;
    Control control;
    Archive archive;
    Evolution evolution;
    SearchLog log;
    bool seeded = false;
    WorkDone seed_done;
};

Search::Search(const Dataset<double>& data, OperatorSet operators, SearchOptions options) {
    options = valid(std::move(options), operators, data.n_features());
    if (options.structure) check_categories(data, *options.structure);
    impl_ = std::make_unique<Impl>(with_target(data), std::move(operators), std::move(options));
}

Search::~Search() = default;
Search::Search(Search&&) noexcept = default;
Search& Search::operator=(Search&&) noexcept = default;

SearchResult Search::run(const std::function<bool(const Progress&)>& progress, const std::function<bool()>& poll) {
    SearchResult result;
    impl_->control.attend([&] { impl_->work(result); }, progress, poll);
    return result;
}

void Search::interrupt() noexcept { impl_->control.cancel(); }

std::string Search::save() const {
    const Problem& problem = impl_->problem;
    StateWriter out;
    out.line("data").number(fingerprint(problem.data));
    out.line("options").number(fingerprint(problem.options, problem.operators));
    out.line("seeded").number(impl_->seeded ? 1 : 0).real(impl_->seed_done.work).real(impl_->seed_done.evaluations);
    out.line("archive").number(impl_->archive.losses().size());
    for (std::size_t c = 1; c < impl_->archive.losses().size(); ++c) {
        const Candidate* candidate = impl_->archive.at(static_cast<int>(c));
        out.line("best").number(candidate != nullptr ? 1 : 0);
        if (candidate != nullptr) out.candidate(*candidate, problem.operators);
    }
    impl_->log.save(out, problem.operators);
    impl_->evolution.save(out);
    return std::move(out).finish();
}

void Search::load(std::string_view state) {
    const Problem& problem = impl_->problem;
    StateReader in(state);
    in.line("data");
    if (in.number() != fingerprint(problem.data)) {
        throw std::invalid_argument("the saved search belongs to other data; give it the rows it was saved with");
    }
    in.line("options");
    if (in.number() != fingerprint(problem.options, problem.operators)) {
        throw std::invalid_argument(
            "the saved search belongs to other options; only niterations, n_iter_no_change, timeout_in_seconds, "
            "max_evals, the early stop, finish, cv_folds and n_threads may differ");
    }
    // Into new objects, so that a damaged text leaves this search as it was.
    Archive archive(problem.options.evolution.maxsize);
    in.line("seeded");
    const bool seeded = in.count(1) == 1;
    WorkDone seed_done;
    seed_done.work = in.real();
    seed_done.evaluations = in.real();
    in.line("archive");
    const std::size_t slots = in.count(archive.losses().size());
    for (std::size_t c = 1; c < slots; ++c) {
        in.line("best");
        if (in.count(1) == 1) {
            archive.offer(
                in.candidate(problem.operators, problem.space.n_features(), problem.n_roles(), problem.n_roles()));
        }
    }
    SearchLog log(problem.options.evolution.maxsize);
    log.load(in, problem.operators, problem.data.n_features());
    impl_->evolution.load(in);
    impl_->archive = std::move(archive);
    impl_->log = std::move(log);
    impl_->seed_done = seed_done;
    impl_->seeded = seeded;
}

}  // namespace balmer
