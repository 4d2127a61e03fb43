#include "balmer/search/search.hpp"

#include <algorithm>
#include <limits>
#include <stdexcept>
#include <utility>

#include "balmer/search/pareto.hpp"
#include "search/control.hpp"
#include "search/evolution.hpp"
#include "search/final_front.hpp"
#include "search/fingerprint.hpp"
#include "search/polish.hpp"
#include "search/problem.hpp"
#include "search/seed.hpp"
#include "search/shrink.hpp"
#include "search/state.hpp"

namespace balmer {

namespace {

const Dataset<double>& with_target(const Dataset<double>& data) {
    if (data.target() == nullptr) {
        throw std::invalid_argument("the dataset has no target to search a formula for; give one when it is made");
    }
    return data;
}

SearchOptions valid(SearchOptions options, const OperatorSet& operators, std::size_t n_features) {
    validate(options, operators, n_features);
    return options;
}

}  // namespace

std::string_view name(StopReason reason) noexcept {
    switch (reason) {
        case StopReason::iterations:
            return "iterations";
        case StopReason::early_stop:
            return "early_stop";
        case StopReason::exact:
            return "exact";
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
          evolution(problem) {
        control.set_deadline(problem.options.timeout_in_seconds);
    }

    /// The stages, in order: each reads the problem and writes the archive.
    void work(SearchResult& result) {
        const bool exact = seed();
        result.reason = exact ? StopReason::exact : evolution.run(archive, control);
        double polishing = 0;  // not part of the state: it ends a run, and the search goes on from before it
        const Archive last = polished(archive, problem, control, polishing);
        result.front = final_front(last, problem, control, polishing);
        result.iterations = evolution.iteration();
        result.evaluations = evolution.evaluations() + polishing;
        result.seconds = control.seconds();
    }

    /// As much as evolution may take, within limits: who asks for a short search gets a short one. Without iterations
    /// nothing is searched, only the guesses are fitted.
    [[nodiscard]] double seed_work() const {
        constexpr double kLeast = 2e8, kNodes = 15, kLeastRows = 300;
        const EvolutionOptions& e = problem.options.evolution;
        if (e.niterations == 0) return 0;
        const std::size_t rows = problem.batch_rows() > 0 ? problem.batch_rows() : problem.data.n_rows();
        const double births = 2.0 * e.niterations * e.populations * e.ncycles_per_iteration;
        const double evolution_work = births * kNodes * std::max(kLeastRows, static_cast<double>(rows));
        return std::min(problem.options.seed_work, std::max(kLeast, evolution_work));
    }

    /// The first stage. Returns whether it found the law exactly.
    bool seed() {
        if (seeded || !problem.options.seeding) return false;
        const Loss* const loss = problem.loss();
        if (loss != nullptr && !loss->shape().towards_target)
            return false;  // the stage looks for formulas near the target
        search::Work work{0, seed_work()};
        if (!work.left()) return false;
        const search::SeedResult found =
            search::Seed(problem.data, problem.operators, problem.options).run(work, control.expired());
        FitWorkspace<double> workspace;
        double evaluations = 0;
        for (const FrontEntry& entry : found.candidates) {
            Candidate candidate = problem.judged(entry.expression, entry.loss);
            const int limit = problem.options.evolution.maxsize;
            if (!problem.space.allows(entry.expression, candidate.complexity, limit)) continue;
            if (loss != nullptr)
                problem.objective.fit(candidate.roles, {}, workspace);  // the stage fits by least squares
            candidate.loss =
                problem.objective.loss(candidate.roles, std::numeric_limits<double>::infinity(), workspace);
            archive.offer(problem.judged(candidate.roles[0], candidate.loss));
        }
        seeded = !control.is_cancelled();
        const std::vector<const Candidate*> front = archive.front(problem.floor);
        if (!found.exact || front.empty()) return false;
        if (problem.is_exact(*front.back())) {
            archive.offer(shrunk(*front.back(), problem, workspace, evaluations, control.cancelled()));
        }
        return true;
    }

    const Problem problem;
    Control control;
    Archive archive;
    Evolution evolution;
    bool seeded = false;
};

Search::Search(const Dataset<double>& data, OperatorSet operators, SearchOptions options) {
    options = valid(std::move(options), operators, data.n_features());
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
    out.line("seeded").number(impl_->seeded ? 1 : 0);
    out.line("archive").number(impl_->archive.losses().size());
    for (std::size_t c = 1; c < impl_->archive.losses().size(); ++c) {
        const Candidate* candidate = impl_->archive.at(static_cast<int>(c));
        out.line("best").number(candidate != nullptr ? 1 : 0);
        if (candidate != nullptr) out.candidate(*candidate, problem.operators);
    }
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
            "the saved search belongs to other options; only niterations, timeout_in_seconds, max_evals, the early "
            "stop "
            "and n_threads may differ");
    }
    // Into new objects, so that a damaged text leaves this search as it was.
    Archive archive(problem.options.evolution.maxsize);
    in.line("seeded");
    const bool seeded = in.count(1) == 1;
    in.line("archive");
    const std::size_t slots = in.count(archive.losses().size());
    for (std::size_t c = 1; c < slots; ++c) {
        in.line("best");
        if (in.count(1) == 1) archive.offer(in.candidate(problem.operators, problem.data.n_features()));
    }
    impl_->evolution.load(in);
    impl_->archive = std::move(archive);
    impl_->seeded = seeded;
}

}  // namespace balmer
