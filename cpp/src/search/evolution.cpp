#include "search/evolution.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <string>
#include <utility>

#include "core/parallel.hpp"
#include "search/shrink.hpp"
#include "search/vocabulary.hpp"

namespace balmer {

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// Iterations that look for a simpler formula after the simplest exact one so far was found.
constexpr int kExactIterations = 1;

/// Iterations without a shorter description after which evolution gets help.
constexpr int kStalled = 25;

/// Iterations without a shorter description after which islands begin anew.
constexpr int kHopeless = 40;

/// A description shorter by so many nats is better by more than chance.
constexpr double kShorter = 1;

std::vector<Mutator> mutators_of(const Problem& problem) {
    if (problem.structure() == nullptr) return {Mutator(problem.space, problem.options.evolution)};
    std::vector<Mutator> mutators;
    for (const SearchSpace& space : problem.part_spaces) mutators.emplace_back(space, problem.options.evolution);
    return mutators;
}

/// None where it could not help, and for templates, whose parts have no target of their own.
std::unique_ptr<const BackSolver> back_solver_of(const Problem& problem) {
    if (problem.structure() != nullptr || problem.options.evolution.weights.backsolve == 0) return nullptr;
    auto solver = std::make_unique<const BackSolver>(problem.space, problem.data);
    return solver->is_able() ? std::move(solver) : nullptr;
}

std::uint64_t hash_of(const Candidate& candidate) noexcept { return LossTable::key(candidate.roles); }

}  // namespace

Evolution::Evolution(const Problem& problem)
    : problem_(&problem),
      mutators_(mutators_of(problem)),
      tournament_(static_cast<std::size_t>(problem.options.evolution.population_size),
                  static_cast<std::size_t>(problem.options.evolution.tournament_selection_n),
                  problem.options.evolution.tournament_selection_p),
      back_solver_(back_solver_of(problem)),
      context_{&problem.space,     mutators_,
               &tournament_,       &problem.options.evolution,
               problem.norm,       problem.price_on_islands(),
               back_solver_.get(), problem.structure() ? problem.structure()->n_parameters() : 0},
      frequencies_(problem.options.evolution.maxsize),
      scale_(search::description_scale(
          {problem.data.target(), problem.data.n_rows()},
          search::Vocabulary(problem.options, problem.operators).n_symbols(problem.data.n_features()))),
      scratch_(static_cast<std::size_t>(problem.options.n_threads)),
      in_single_precision_(problem.options.precision == 32 && problem.whole_loss() == nullptr &&
                           SinglePrecision::can_hold(problem.data)) {
    if (const std::size_t rows = problem.batch_rows(); rows > 0) sampler_.emplace(problem.data, rows);
    if (in_single_precision_ && !sampler_) single_ = objective_over(problem.data, 1);
}

WorkDone Evolution::done() const noexcept {
    double evaluations = own_evaluations_, nodes = own_nodes_;
    for (const Island& island : islands_) {
        evaluations += island.evaluations();
        nodes += island.nodes();
    }
    return {nodes * static_cast<double>(problem_->data.n_rows()), evaluations};
}

std::unique_ptr<const Objective> Evolution::objective_over(const Dataset<double>& rows, double share) const {
    if (in_single_precision_) {
        return problem_->of_candidates(
            std::make_unique<SinglePrecision>(rows, problem_->operators, problem_->loss(), share));
    }
    return problem_->of_candidates(std::make_unique<MeanLoss>(rows, problem_->operators, problem_->loss(), share));
}

template <class Body>
void Evolution::for_each_island(Control& control, Body body) {
    parallel_for(std::ssize(islands_), problem_->options.n_threads, [&](std::ptrdiff_t i, int thread) {
        try {
            body(islands_[static_cast<std::size_t>(i)], scratch_[static_cast<std::size_t>(thread)]);
        } catch (...) {
            control.cancel();  // the others need not go on
            throw;
        }
    });
}

void Evolution::start(Archive& archive, Control& control) {
    const auto populations = static_cast<std::uint32_t>(problem_->options.evolution.populations);
    for (std::uint32_t i = 0; i < populations; ++i) {
        islands_.emplace_back(context_, problem_->rng(StreamOf::islands, i));
    }
    const IterationPlan plan{
        &problem_->on_islands(), &problem_->on_islands(), &frequencies_, problem_->options.evolution.maxsize, {},
        &control.cancelled()};
    for_each_island(control, [&](Island& island, IslandScratch& scratch) { island.initialise(plan, scratch); });
    // On record before the first iteration: a search may be stopped in that one, or have been stopped already. Without
    // iterations only the guesses are.
    for (const Island& island : islands_) {
        if (problem_->options.evolution.niterations == 0) break;
        for (std::size_t slot = 0; slot < island.population().size(); ++slot) offer(island.population()[slot], archive);
    }
    if (control.is_cancelled()) {  // the next run begins anew, so that it ends like one that was not stopped
        for (const Island& island : islands_) {
            own_evaluations_ += island.evaluations();
            own_nodes_ += island.nodes();
        }
        islands_.clear();
        return;
    }

    std::vector<std::vector<Expression>> guesses = problem_->options.guesses_of_parts;
    for (const Expression& guess : problem_->options.guesses) guesses.push_back({guess});
    for (std::size_t g = 0; g < guesses.size(); ++g) {
        Candidate candidate = problem_->judged(guesses[g], kInfinity);
        const double loss =
            fit_fully(candidate, *problem_->of_roles, scratch_[0].workspace, own_evaluations_, control.cancelled());
        candidate = problem_->judged(candidate.roles, loss);
        own_nodes_ = own_evaluations_ * static_cast<double>(candidate.roles[0].size());
        archive.offer(candidate);
        islands_[g % islands_.size()].receive(candidate, (g / islands_.size()) % islands_[0].population().size());
        guesses_.push_back(std::move(candidate));
    }
}

StopReason Evolution::run(Archive& archive, Control& control, SearchLog& log, const WorkDone& before,
                          const std::function<Help()>& when_stalled) {
    if (islands_.empty()) start(archive, control);
    if (leg_is_over()) leg_start_ = iteration_;
    while (!leg_is_over()) {
        if (const auto reason = reason_to_stop(archive, control, before)) return *reason;
        std::string stage;
        if (when_stalled && is_stalled()) {
            Help help = when_stalled();
            if (control.is_cancelled()) continue;
            helped_at_ = iteration_;
            if (help.settled) return StopReason::settled;
            stage = std::move(help.stage);
            note_progress(archive);
        } else if (wants_restart()) {
            restart(control);
            if (control.is_cancelled()) continue;
            stage = "restart";
        } else {
            run_iteration(archive, control);
            if (control.is_cancelled()) continue;
            stage = "evolution " + std::to_string(iteration_);
        }
        const WorkDone now = done();
        log.front(stage, {before.work + now.work, before.evaluations + now.evaluations},
                  problem_->entries(archive.front(problem_->floor)));
        report(archive, control, before);
    }
    return reason_to_stop(archive, control, before).value_or(StopReason::iterations);
}

void Evolution::run_iteration(Archive& archive, Control& control) {
    IterationPlan plan{&problem_->on_islands(), &problem_->on_islands(), &frequencies_,
                       max_complexity(archive), archive.losses(),        &control.cancelled()};
    Dataset<double> batch;
    std::unique_ptr<const Objective> batch_objective;
    if (sampler_) {
        batch = sampler_->draw(problem_->rng(StreamOf::batches, static_cast<std::uint32_t>(iteration_)));
        const double share = static_cast<double>(batch.n_rows()) / static_cast<double>(problem_->data.n_rows());
        batch_objective = objective_over(batch, share);
        plan.rows = batch_objective.get();
    } else if (single_) {
        plan.rows = single_.get();
    }
    for_each_island(control, [&](Island& island, IslandScratch& scratch) { island.run_iteration(plan, scratch); });

    merge(archive);
    if (control.is_cancelled()) return;  // the iteration is not over: its islands go on from where they are
    ++iteration_;
    const int exact = exact_complexity(archive);
    refine_leader(archive, control);
    if (const int now = exact_complexity(archive); now > 0) {
        exact_iterations_ = now == exact ? exact_iterations_ + 1 : 0;
    }
    migrate(archive);
    note_progress(archive);
}

bool Evolution::leg_is_over() const noexcept {
    const EvolutionOptions& options = problem_->options.evolution;
    if (iteration_ >= leg_start_ + options.niterations) return true;
    return options.n_iter_no_change > 0 && iteration_ >= std::max(leg_start_, improved_at_) + options.n_iter_no_change;
}

bool Evolution::is_stalled() const noexcept {
    const int since = std::max(leg_start_, improved_at_);
    return helped_at_ < since && iteration_ >= since + kStalled;
}

bool Evolution::wants_restart() const noexcept {
    const int since = std::max({leg_start_, improved_at_, restarted_at_});
    return problem_->options.evolution.restarts && iteration_ >= since + kHopeless;
}

void Evolution::restart(Control& control) {
    const Objective& rows = problem_->on_islands();
    const IterationPlan plan{
        &rows, &rows, &frequencies_, problem_->options.evolution.maxsize, {}, &control.cancelled()};
    std::vector<Island> renewed = islands_;
    parallel_for(std::ssize(renewed) / 2, problem_->options.n_threads, [&](std::ptrdiff_t k, int thread) {
        renewed[2 * static_cast<std::size_t>(k) + 1].initialise(plan, scratch_[static_cast<std::size_t>(thread)]);
    });
    if (control.is_cancelled()) return;  // it begins anew when the search goes on
    islands_ = std::move(renewed);
    restarted_at_ = iteration_;
}

void Evolution::note_progress(const Archive& archive) {
    const Candidate* const best = briefest(archive);
    const double least = best != nullptr ? description(*best) : kInfinity;
    if (!(least < least_description_ - kShorter)) return;
    least_description_ = least;
    improved_at_ = iteration_;
}

double Evolution::description(const Candidate& candidate) const {
    return search::description_length(priced(candidate.roles), candidate.loss, scale_, {});
}

const Candidate* Evolution::briefest(const Archive& archive) const {
    const Candidate* best = nullptr;
    double least = kInfinity;
    for (const Candidate* member : archive.front(problem_->floor)) {
        const double nats = description(*member);
        if (nats < least) best = member, least = nats;
    }
    return best;
}

/// Islands may hold what the front may not.
void Evolution::offer(const Candidate& candidate, Archive& archive) const {
    if (std::isfinite(problem_->price(candidate.roles))) archive.offer(candidate);
}

void Evolution::merge(Archive& archive) {
    for (const Island& island : islands_) {
        for (int c = 1; c <= problem_->options.evolution.maxsize; ++c) {
            if (const Candidate* best = island.best(c)) offer(*best, archive);
        }
        for (std::size_t slot = 0; slot < island.population().size(); ++slot) {
            frequencies_.add(island.population()[slot].complexity);
        }
    }
    frequencies_.close_iteration();
}

/// Islands fit constants only roughly. When the best formula is nearly exact, fit it fully, to see whether it is; if so,
/// take away what it does not need.
void Evolution::refine_leader(Archive& archive, const Control& control) {
    const std::vector<const Candidate*> front = archive.front(problem_->floor);
    constexpr double kNearlyExact = 1e-8;
    if (front.empty() || front.back()->loss > kNearlyExact * problem_->norm) return;
    if (hash_of(*front.back()) == refined_) return;
    FitWorkspace<double>& workspace = scratch_[0].workspace;
    const double evaluations = own_evaluations_;
    Candidate leader = problem_->simplified(*front.back(), 0);
    const double loss = fit_fully(leader, *problem_->of_roles, workspace, own_evaluations_, control.cancelled());
    leader = problem_->judged(leader.roles, loss);
    if (problem_->is_exact(leader)) {
        leader = shrunk(leader, *problem_, workspace, own_evaluations_, control.cancelled());
    }
    own_nodes_ += (own_evaluations_ - evaluations) * static_cast<double>(leader.roles[0].size());
    archive.offer(leader);
    refined_ = hash_of(*archive.front(problem_->floor).back());
}

void Evolution::migrate(const Archive& archive) {
    const EvolutionOptions& options = problem_->options.evolution;
    const auto size = static_cast<std::uint32_t>(options.population_size);
    struct Move {
        std::size_t island, slot;
        Candidate migrant;
    };
    std::vector<Move> moves;  // all are drawn before the first is made: migrants come from the islands as they were
    const std::vector<const Candidate*> front = archive.front(problem_->floor);
    const auto immigrants = [&](Rng& rng, double fraction) {
        return std::min(rng.poisson(std::min(fraction * size, 25.0)), size);
    };
    const auto best_of = [&](const Island& island, std::size_t rank) -> const Candidate& {
        std::vector<std::size_t> slots(size);
        for (std::size_t i = 0; i < size; ++i) slots[i] = i;
        const Population& members = island.population();
        std::ranges::sort(slots, [&](std::size_t a, std::size_t b) {
            return members[a].cost != members[b].cost ? members[a].cost < members[b].cost
                                                      : members[a].birth < members[b].birth;
        });
        return members[slots[rank]];
    };
    for (std::size_t i = 0; i < islands_.size(); ++i) {
        Rng& rng = islands_[i].rng();
        if (options.migration) {
            const std::uint32_t top = std::min(static_cast<std::uint32_t>(options.topn), size);
            for (std::uint32_t k = immigrants(rng, options.fraction_replaced); k-- > 0;) {
                const std::uint32_t from = rng.below(static_cast<std::uint32_t>(islands_.size()));
                const std::uint32_t rank = rng.below(top);
                moves.push_back({i, rng.below(size), best_of(islands_[from], rank)});
            }
        }
        if (options.hof_migration && !front.empty()) {
            for (std::uint32_t k = immigrants(rng, options.fraction_replaced_hof); k-- > 0;) {
                const std::uint32_t chosen = rng.below(static_cast<std::uint32_t>(front.size()));
                moves.push_back({i, rng.below(size), *front[chosen]});
            }
        }
        if (!guesses_.empty()) {
            for (std::uint32_t k = immigrants(rng, options.fraction_replaced_guesses); k-- > 0;) {
                const std::uint32_t chosen = rng.below(static_cast<std::uint32_t>(guesses_.size()));
                moves.push_back({i, rng.below(size), guesses_[chosen]});
            }
        }
    }
    for (Move& move : moves) {
        move.migrant.cost = context_.cost(move.migrant.loss, move.migrant.complexity);  // other stages set no cost
        islands_[move.island].receive(move.migrant, move.slot);
    }
}

int Evolution::exact_complexity(const Archive& archive) const {
    const std::vector<const Candidate*> front = archive.front(problem_->floor);
    return !front.empty() && problem_->is_exact(*front.back()) ? front.back()->complexity : 0;
}

int Evolution::max_complexity(const Archive& archive) const {
    const EvolutionOptions& options = problem_->options.evolution;
    const int smallest = 2 + static_cast<int>(problem_->n_evolving());
    int limit = options.maxsize;
    const double elapsed = static_cast<double>(iteration_) / options.least_iterations();
    if (elapsed < options.warmup_maxsize_by) {
        limit = smallest + static_cast<int>((options.maxsize - smallest) * (elapsed / options.warmup_maxsize_by));
    }
    if (const int exact = exact_complexity(archive); exact > 0) limit = std::min(limit, exact - 1);
    return limit;
}

std::optional<StopReason> Evolution::reason_to_stop(const Archive& archive, const Control& control,
                                                    const WorkDone& before) const {
    if (control.is_cancelled()) return StopReason::interrupted;
    if (control.is_stopped()) return StopReason::early_stop;
    if (const int exact = exact_complexity(archive);
        exact == static_cast<int>(problem_->n_evolving()) || (exact > 0 && exact_iterations_ >= kExactIterations)) {
        return StopReason::exact;
    }
    if (early_stop(archive)) return StopReason::early_stop;
    if (before.evaluations + done().evaluations >= problem_->options.max_evals) return StopReason::max_evals;
    if (control.seconds() >= problem_->options.timeout_in_seconds) return StopReason::timeout;
    return std::nullopt;
}

bool Evolution::early_stop(const Archive& archive) const {
    const SearchOptions& options = problem_->options;
    for (const Candidate* member : archive.front(problem_->floor)) {
        if (options.early_stop_loss > 0 && member->loss < options.early_stop_loss)
            return true;  // losses may be negative
        if (!options.early_stop) continue;
        const std::array<double, 2> row = {member->loss, static_cast<double>(member->complexity)};
        const Dataset<double> data(MatrixView<double>{row.data(), 1, 2, 2, 1});
        Workspace<double> workspace;
        double value = 0;
        Evaluator<double>(data, problem_->operators).evaluate(*options.early_stop, std::span(&value, 1), workspace);
        if (value > 0) return true;
    }
    return false;
}

void Evolution::report(const Archive& archive, Control& control, const WorkDone& before) const {
    if (!control.wants_progress()) return;
    const std::vector<FrontEntry> front = problem_->entries(archive.front(problem_->floor));
    control.report({iteration_, leg_start_ + problem_->options.evolution.niterations,
                    before.evaluations + done().evaluations, control.seconds(), front});
}

namespace {

void save_table(StateWriter& out, const MutationTable& table) {
    for (const double value : table) out.real(value);
}

void load_table(StateReader& in, MutationTable& table) {
    for (double& value : table) value = in.real();
}

}  // namespace

void Evolution::save(StateWriter& out) const {
    out.line("evolution").number(static_cast<std::uint64_t>(iteration_)).number(static_cast<std::uint64_t>(leg_start_));
    out.number(static_cast<std::uint64_t>(improved_at_)).number(static_cast<std::uint64_t>(helped_at_ + 1));
    out.number(static_cast<std::uint64_t>(restarted_at_));
    out.real(least_description_);
    out.number(static_cast<std::uint64_t>(exact_iterations_)).real(own_evaluations_).real(own_nodes_);
    out.number(refined_);
    out.line("frequencies").number(frequencies_.counts().size());
    for (const double count : frequencies_.counts()) out.real(count);
    out.line("guesses").number(guesses_.size());
    for (const Candidate& guess : guesses_) out.candidate(guess, problem_->operators);
    out.line("islands").number(islands_.size());
    for (const Island& island : islands_) {
        const Island::State state = island.state();
        out.line("island").number(state.rng.seed).number(state.rng.stream).number(state.rng.draw);
        out.number(state.births).real(state.evaluations).real(state.nodes);
        out.line("weights");
        save_table(out, state.weights.attempts);
        save_table(out, state.weights.successes);
        save_table(out, state.weights.multipliers);
        for (const Candidate& member : state.members) out.line("member").candidate(member, problem_->operators);
    }
}

void Evolution::load(StateReader& in) {
    const std::size_t roles = problem_->n_roles();
    const auto read_candidate = [&] {
        return in.candidate(problem_->operators, problem_->space.n_features(), roles, roles);
    };
    const EvolutionOptions& options = problem_->options.evolution;
    constexpr std::size_t kMany = 1'000'000'000;
    in.line("evolution");
    const std::size_t iteration = in.count(kMany), leg_start = in.count(kMany), improved_at = in.count(kMany),
                      helped_at = in.count(kMany), restarted_at = in.count(kMany);
    const double least_description = in.real();
    const std::size_t exact_iterations = in.count(kMany);
    const double own_evaluations = in.real(), own_nodes = in.real();
    const std::uint64_t refined = in.number();
    in.line("frequencies");
    std::vector<double> counts(in.count(static_cast<std::size_t>(options.maxsize)));
    for (double& count : counts) count = in.real();
    in.line("guesses");
    std::vector<Candidate> guesses(
        in.count(problem_->options.guesses.size() + problem_->options.guesses_of_parts.size()));
    for (Candidate& guess : guesses) guess = read_candidate();
    in.line("islands");
    std::vector<Island> islands;
    const std::size_t populations = in.count(static_cast<std::size_t>(options.populations));
    for (std::size_t i = 0; i < populations; ++i) {
        Island::State state;
        in.line("island");
        state.rng.seed = in.number();
        state.rng.stream = in.number();
        state.rng.draw = in.number();
        state.births = in.number();
        state.evaluations = in.real();
        state.nodes = in.real();
        in.line("weights");
        load_table(in, state.weights.attempts);
        load_table(in, state.weights.successes);
        load_table(in, state.weights.multipliers);
        for (int m = 0; m < options.population_size; ++m) {
            in.line("member");
            state.members.push_back(read_candidate());
        }
        islands.emplace_back(context_, Rng()).restore(std::move(state));
    }
    // Only now: a text that cannot be read leaves everything as it was.
    iteration_ = static_cast<int>(iteration);
    leg_start_ = static_cast<int>(leg_start);
    improved_at_ = static_cast<int>(improved_at);
    helped_at_ = static_cast<int>(helped_at) - 1;
    restarted_at_ = static_cast<int>(restarted_at);
    least_description_ = least_description;
    exact_iterations_ = static_cast<int>(exact_iterations);
    own_evaluations_ = own_evaluations;
    own_nodes_ = own_nodes;
    refined_ = refined;
    frequencies_.restore(counts);
    guesses_ = std::move(guesses);
    islands_ = std::move(islands);
}

}  // namespace balmer
