#include "balmer/evolve/island.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "balmer/evolve/crossover.hpp"
#include "balmer/expr/simplify.hpp"
#include "eval/dispatch.hpp"

namespace balmer {

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr int kMutationTries = 10;
constexpr int kCrossoverTries = 11;

void copy_roles(const Candidate& from, Candidate& to) {
    to.roles.resize(from.roles.size());
    for (std::size_t r = 0; r < from.roles.size(); ++r) to.roles[r] = from.roles[r];
}

std::size_t constants(const Candidate& candidate) noexcept {
    std::size_t count = 0;
    for (const Expression& role : candidate.roles) count += role.constants.size();
    return count;
}

}  // namespace

void AdaptiveWeights::record(Mutation mutation, bool improved) noexcept {
    constexpr double kSmoothing = 0.02, kFloor = 0.05,
                     kPrior = 12;  // successes before the first, of twice as many attempts
    const auto k = static_cast<std::size_t>(mutation);
    attempts_[k] += 1;
    all_attempts_ += 1;
    if (improved) {
        successes_[k] += 1;
        all_successes_ += 1;
    }
    const double mean = (all_successes_ + kPrior) / (all_attempts_ + 2 * kPrior);
    const double rate = (successes_[k] + 1) / (attempts_[k] + 2);
    multipliers_[k] += kSmoothing * (std::clamp(rate / mean, kFloor, 1 / kFloor) - multipliers_[k]);
}

Ranking Island::ranking() const noexcept {
    const EvolutionOptions& options = *context_->options;
    return {options.use_frequency_in_tournament ? plan_->frequencies : nullptr, options.adaptive_parsimony_scaling};
}

int Island::complexity(const Candidate& candidate) const noexcept {
    int sum = 0;
    for (const Expression& role : evolving(candidate)) sum += context_->space->complexity(role);
    return sum;
}

bool Island::allowed(const Candidate& candidate) const noexcept {
    return std::ranges::all_of(evolving(candidate), [&](const Expression& role) {
        return context_->space->allows(role, candidate.complexity, plan_->max_complexity);
    });
}

void Island::count(std::span<const Expression> roles, double evaluations) noexcept {
    evaluations_ += evaluations;
    std::size_t nodes = 0;
    for (const Expression& role : roles) nodes += role.size();
    nodes_ += evaluations * static_cast<double>(nodes);
}

double Island::judge(std::span<const Expression> roles, double bound) {
    const std::uint64_t key = LossTable::key(roles);
    if (const auto known = scratch_->table.find(key, bound)) return *known;
    const double loss = loss_on(*plan_->rows, roles, bound);
    scratch_->table.insert(key, loss, bound);
    return loss;
}

double Island::loss_on(const Objective& rows, std::span<const Expression> roles, double bound) {
    count(roles, rows.share());
    return DimensionalObjective(rows, context_->price).loss(roles, bound, scratch_->workspace);
}

void Island::set_loss(Candidate& candidate, double loss) const noexcept {
    candidate.loss = loss;
    candidate.cost = context_->cost(loss, candidate.complexity);
}

void Island::record_best(const Candidate& candidate) {
    if (candidate.complexity > plan_->max_complexity) return;
    const auto c = static_cast<std::size_t>(candidate.complexity);
    if (!(candidate.loss < best_[c].loss)) return;
    best_[c] = candidate;
    improved_[c] = 1;
}

/// Room for two expressions of the largest size: what a crossover may make before it is found too large.
void Island::reserve(Candidate& candidate) const {
    const auto largest = std::min(static_cast<std::size_t>(context_->options->maxsize), kMaxNodes);
    candidate.roles.resize(std::max<std::size_t>(1, candidate.roles.size()));
    for (Expression& role : candidate.roles) {
        role.nodes.reserve(2 * largest + kMaxArity + 1);
        role.constants.reserve(2 * largest + kMaxArity + 1);
    }
}

void Island::initialise(const IterationPlan& plan, IslandScratch& scratch) {
    plan_ = &plan;
    scratch_ = &scratch;
    scratch.table.clear();
    constexpr int kGrowths = 3;
    std::vector<Candidate> members(static_cast<std::size_t>(context_->options->population_size));
    std::size_t judged = 0;
    for (Candidate& member : members) {
        if (plan.is_cancelled()) break;
        for (int growths = kGrowths;; --growths) {
            member.roles.clear();
            for (const Mutator& mutator : context_->mutators) {
                member.roles.push_back(mutator.random_expression(growths, rng_));
            }
            member.complexity = complexity(member);
            if (growths == 0 || allowed(member)) break;
        }
        if (context_->n_parameters > 0) member.roles.push_back(random_parameters());
        set_loss(member, judge(member.roles, kInfinity));
        member.birth = static_cast<std::uint64_t>(&member - members.data()) + 1;
        reserve(member);
        ++judged;
    }
    members.resize(judged);
    population_ = Population(std::move(members));
}

Expression Island::random_parameters() {
    std::vector<double> values(context_->n_parameters);
    for (double& value : values) value = rng_.normal();
    return Template::parameters_role(values);
}

void Island::receive(const Candidate& migrant, std::size_t slot) {
    Candidate& member = population_.at(slot);
    if (&member != &migrant) member = migrant;
    population_.make_youngest(slot);
}

void Island::run_iteration(const IterationPlan& plan, IslandScratch& scratch) {
    plan_ = &plan;
    scratch_ = &scratch;
    scratch.table.clear();
    best_.resize(static_cast<std::size_t>(context_->options->maxsize) + 1);
    improved_.assign(best_.size(), 0);
    for (std::size_t c = 0; c < best_.size(); ++c) {
        best_[c].loss = !plan.batched() && c < plan.known.size() ? plan.known[c] : kInfinity;
    }
    reserve(child_);
    reserve(other_child_);
    if (plan.batched()) {
        for (std::size_t slot = 0; slot < population_.size(); ++slot) {
            Candidate& member = population_.at(slot);
            set_loss(member, judge(member.roles, kInfinity));
        }
    }
    for (std::size_t slot = 0; slot < population_.size(); ++slot) record_best(population_[slot]);
    population_.rank(ranking());

    const EvolutionOptions& options = *context_->options;
    const int births = (options.population_size + options.tournament_selection_n - 1) / options.tournament_selection_n;
    const int cycles = options.ncycles_per_iteration;
    for (int cycle = 0; cycle < cycles && !plan.is_cancelled(); ++cycle) {
        const double temperature =
            options.annealing && cycles > 1 ? 1.0 - static_cast<double>(cycle) / static_cast<double>(cycles - 1) : 1.0;
        for (int k = 0; k < births; ++k) birth(temperature);
    }
    optimise_and_simplify();
    if (plan.batched()) judge_best_on_all_rows();
}

void Island::birth(double temperature) {
    if (rng_.uniform() < context_->options->crossover_probability) {
        crossover();
    } else {
        mutate(temperature);
    }
}

void Island::crossover() {
    const Candidate& a = tournament();
    const Candidate& b = tournament();
    copy_roles(a, child_);
    copy_roles(b, other_child_);
    const std::size_t role = random_role();
    for (int k = 0; k < kCrossoverTries; ++k) {
        cross(a.roles[role], b.roles[role], rng_, child_.roles[role], other_child_.roles[role]);
        child_.complexity = complexity(child_);
        other_child_.complexity = complexity(other_child_);
        if (!allowed(child_) || !allowed(other_child_)) continue;
        for (Candidate* child : {&child_, &other_child_}) {
            set_loss(*child, judge(child->roles, kInfinity));
            // A member without a finite loss would only take the place of one that has.
            if (child->loss == kInfinity) continue;
            record_best(*child);
            population_.replace(population_.oldest(), *child, ranking());
        }
        return;
    }
    if (!context_->options->skip_mutation_failures) {
        // Both parents live on as if born again. Copied first: the place of one may be the other's.
        copy_roles(a, child_);
        child_.complexity = a.complexity, child_.loss = a.loss, child_.cost = a.cost;
        bear_copy(b);
        population_.replace(population_.oldest(), child_, ranking());
    }
}

void Island::bear_copy(const Candidate& parent) { population_.copy_into(population_.oldest(), parent, ranking()); }

Mutation Island::draw_mutation(std::size_t role, const Expression& parent, int complexity, int max_complexity) {
    MutationTable weights = context_->mutators[role].conditioned(parent, complexity, max_complexity);
    if (context_->back_solver == nullptr) weights[static_cast<std::size_t>(Mutation::backsolve)] = 0;
    if (context_->options->adaptive_mutation_weights) {
        for (std::size_t k = 0; k < kMutations; ++k) weights[k] *= adaptive_.multiplier(static_cast<Mutation>(k));
    }
    double sum = 0;
    for (const double weight : weights) sum += weight;
    return sum > 0 ? static_cast<Mutation>(rng_.weighted(weights)) : Mutation::do_nothing;
}

void Island::mutate(double temperature) {
    const Candidate& parent = tournament();
    const std::size_t role = random_role();
    const Expression& expression = parent.roles[role];
    switch (const Mutation mutation = draw_mutation(role, expression, parent.complexity, plan_->max_complexity)) {
        case Mutation::do_nothing:
            bear_copy(parent);
            break;
        case Mutation::simplify:
        case Mutation::optimize: {
            const std::size_t slot = population_.oldest();
            population_.copy_into(slot, parent, ranking());
            if (mutation == Mutation::simplify) {
                simplify_member(slot);
            } else {
                optimise_member(slot);
            }
            population_.update(slot, ranking());
            record_best(population_[slot]);
            break;
        }
        default:
            bear_changed(parent, role, mutation, temperature);
            break;
    }
}

void Island::bear_changed(const Candidate& parent, std::size_t role, Mutation mutation, double temperature) {
    child_.roles.resize(parent.roles.size());
    for (std::size_t r = 0; r < parent.roles.size(); ++r) {
        if (r != role) child_.roles[r] = parent.roles[r];
    }
    bool born = false;
    for (int k = 0; k < kMutationTries && !born; ++k) {
        const bool done = mutation == Mutation::backsolve
                              ? context_->back_solver->apply(parent.roles[role], rng_, child_.roles[role],
                                                             scratch_->workspace.evaluation)
                              : context_->mutators[role].apply(mutation, parent.roles[role], temperature,
                                                               plan_->max_complexity, rng_, child_.roles[role]);
        if (!done) break;
        child_.complexity = complexity(child_);
        born = allowed(child_);
    }
    const bool accepted = born && accept(parent, child_, temperature);
    if (context_->options->adaptive_mutation_weights) {
        adaptive_.record(mutation, accepted && child_.cost < parent.cost);
    }
    if (accepted) {
        population_.replace(population_.oldest(), child_, ranking());
    } else if (!context_->options->skip_mutation_failures) {
        bear_copy(parent);
    }
}

/// Judges a mutated child. It may live with probability exp(-(change of cost) / (temperature * alpha)) times how much rarer
/// its complexity is than its parent's. The random number comes first, so that the largest cost with which the child may
/// live is known and the evaluation can stop there.
bool Island::accept(const Candidate& parent, Candidate& child, double temperature) {
    const EvolutionOptions& options = *context_->options;
    double rarity = 1;
    if (options.use_frequency) {
        const double old_share = plan_->frequencies->frequency(parent.complexity);
        const double new_share = plan_->frequencies->frequency(child.complexity);
        rarity = (old_share > 0 ? old_share : 1e-6) / (new_share > 0 ? new_share : 1e-6);
    }
    const double u = rng_.uniform();
    double limit = u <= rarity ? kInfinity : -kInfinity;
    if (options.annealing && !(parent.cost < kInfinity)) {
        limit = kInfinity;
    } else if (options.annealing) {
        const double spread = temperature * options.alpha;
        // At temperature 0 an improvement always lives, a tie if it is not too common.
        limit = parent.cost;
        if (spread > 0) limit += spread * (eval::natural_log(rarity) - eval::natural_log(u));
    }
    const bool ties_live = u <= rarity || temperature > 0;
    const double bound = (limit - options.parsimony * child.complexity) * context_->norm;
    const double record = best_loss(child.complexity);
    // A little room for the rounding of the bound itself; the decision is made on the cost.
    set_loss(child, judge(child.roles, std::max(bound + 1e-12 * std::abs(bound), record)));
    if (child.loss == kInfinity) return false;
    record_best(child);
    return child.cost < limit || (child.cost == limit && ties_live);
}

void Island::simplify_member(std::size_t slot) {
    Candidate& member = population_.at(slot);
    copy_roles(member, trial_);
    bool changed = false;
    for (Expression& role : evolving(trial_)) {
        const Expression simpler = simplify(role, context_->space->operator_set());
        changed = changed || simpler.nodes != role.nodes;
        role = simpler;  // copied, to keep the storage that was reserved
    }
    if (!changed) return;
    trial_.complexity = complexity(trial_);
    if (trial_.complexity > member.complexity || !allowed(trial_)) return;
    if (context_->price(trial_.roles) > context_->price(member.roles)) return;  // 1 m is not 1
    const double loss = judge(trial_.roles, kInfinity);
    if (loss == kInfinity && member.loss < kInfinity) return;
    std::swap(member.roles, trial_.roles);
    member.complexity = trial_.complexity;
    set_loss(member, loss);
}

void Island::optimise_member(std::size_t slot) {
    Candidate& member = population_.at(slot);
    if (constants(member) == 0) return;
    const EvolutionOptions& options = *context_->options;
    const Objective& rows = *plan_->rows;
    FitOptions fit;
    fit.max_iterations = options.optimizer_iterations;
    fit.loss_tolerance = 1e-10;
    fit.step_tolerance = 1e-10;
    bool better = false;
    for (int start = 0; start <= options.optimizer_nrestarts && !plan_->is_cancelled(); ++start) {
        copy_roles(member, trial_);
        if (start > 0) {
            fit.bound = member.loss;
            for (Expression& role : trial_.roles) {
                for (double& c : role.constants) c = c == 0 ? rng_.normal() : c * (1 + 0.5 * rng_.normal());
            }
        }
        const FitResult result = rows.fit(trial_.roles, fit, scratch_->workspace);
        count(trial_.roles, result.evaluations * rows.share());
        // The loss as an evaluation gives it: the fit's own sums round differently.
        if (!(result.loss < member.loss * (1 + 1e-9))) continue;
        const double loss = judge(trial_.roles, member.loss);
        if (loss < member.loss) {
            std::swap(member.roles, trial_.roles);
            set_loss(member, loss);
            better = true;
        }
        // Everything entered linearly: the first step was the last, from wherever it starts.
        if (result.status != FitStatus::max_iterations && result.iterations <= 1) break;
    }
    if (better) population_.make_youngest(slot);
}

void Island::optimise_and_simplify() {
    const EvolutionOptions& options = *context_->options;
    for (std::size_t slot = 0; slot < population_.size() && !plan_->is_cancelled(); ++slot) {
        if (options.should_simplify) simplify_member(slot);
        if (options.should_optimize_constants && rng_.uniform() < options.optimize_probability) optimise_member(slot);
        record_best(population_[slot]);
    }
}

/// The best of a batch are the best of all rows only by chance: keep those that beat what is known.
void Island::judge_best_on_all_rows() {
    for (std::size_t c = 0; c < best_.size(); ++c) {
        Candidate& best = best_[c];
        if (improved_[c] == 0) continue;
        const double known = c < plan_->known.size() ? plan_->known[c] : kInfinity;
        double loss = kInfinity;
        if (!plan_->is_cancelled()) loss = loss_on(*plan_->all_rows, best.roles, known);
        set_loss(best, loss);
        improved_[c] = loss < known ? 1 : 0;
    }
}

Island::State Island::state() const {
    State state{rng_.state(), adaptive_.state(), {}, population_.births(), evaluations_, nodes_};
    for (std::size_t slot = 0; slot < population_.size(); ++slot) state.members.push_back(population_[slot]);
    return state;
}

void Island::restore(State state) {
    rng_.restore(state.rng);
    adaptive_.restore(state.weights);
    population_ = Population(std::move(state.members));
    population_.set_births(state.births);
    evaluations_ = state.evaluations;
    nodes_ = state.nodes;
}

}  // namespace balmer
