#include "balmer/evolve/island.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <cmath>
#include <limits>
#include <vector>

#include "allocations.hpp"
#include "balmer/expr/print.hpp"

namespace balmer {
namespace {

/// One island on 60 rows of x0^2 + cos(x1), all that it refers to, and a plan.
struct World {
    explicit World(EvolutionOptions options_ = {}, SpaceLimits limits = {})
        : options(options_),
          data(make_data()),
          space(OperatorSet::builtin(), operators, 2, std::move(limits)),
          mutator(space, options),
          tournament(static_cast<std::size_t>(options.population_size),
                     static_cast<std::size_t>(options.tournament_selection_n), options.tournament_selection_p),
          objective(data, OperatorSet::builtin()),
          frequencies(options.maxsize),
          known(static_cast<std::size_t>(options.maxsize) + 1, std::numeric_limits<double>::infinity()),
          context{&space, {&mutator, 1}, &tournament, &options, data.target_variance()},
          plan{&objective, &objective, &frequencies, options.maxsize, known, &cancelled},
          island(context, Rng(1, 1)) {}

    static Dataset<double> make_data() {
        Rng rng(6, 0);
        constexpr std::size_t kRows = 60;
        std::vector<double> X(2 * kRows), y(kRows);
        for (double& x : X) x = 2 * rng.normal();
        for (std::size_t i = 0; i < kRows; ++i) y[i] = X[i] * X[i] + apply(Op::Cos, X[kRows + i]);
        return Dataset<double>(MatrixView<double>{X.data(), kRows, 2, 1, kRows}, y);
    }

    std::vector<Op> operators = {Op::Add, Op::Sub, Op::Mul, Op::Div, Op::Cos, Op::Exp};
    EvolutionOptions options;
    Dataset<double> data;
    SearchSpace space;
    Mutator mutator;
    Tournament tournament;
    LeastSquares objective;
    FrequencyStatistics frequencies;
    std::vector<double> known;
    std::atomic<bool> cancelled = false;
    EvolutionContext context;
    IterationPlan plan;
    IslandScratch scratch;
    Island island;
};

TEST_CASE("an island keeps its size, the limits, and true losses") {
    SpaceLimits limits;
    limits.maxdepth = 6;
    limits.nested = {{Op::Cos, Op::Cos, 0}};
    limits.arguments = {{Op::Exp, {4, -1, -1}}};
    EvolutionOptions options;
    options.maxsize = 15;
    World world(options, limits);
    world.island.initialise(world.plan, world.scratch);
    for (int iteration = 0; iteration < 5; ++iteration) {
        world.island.run_iteration(world.plan, world.scratch);
        const Population& population = world.island.population();
        REQUIRE(population.size() == 27);
        for (std::size_t slot = 0; slot < population.size(); ++slot) {
            const Candidate& member = population[slot];
            CAPTURE(to_text(member.roles[0]));
            CHECK(member.roles[0].valid(OperatorSet::builtin(), 2));
            CHECK(member.complexity == world.space.complexity(member.roles[0]));
            CHECK(world.space.allows(member.roles[0], member.complexity, 15));
            const double loss =
                world.objective.loss(member.roles, std::numeric_limits<double>::infinity(), world.scratch.workspace);
            CHECK(member.loss == loss);
            CHECK(member.cost == world.context.cost(loss, member.complexity));
        }
        for (int c = 0; c <= 16; ++c) {
            const Candidate* best = world.island.best(c);
            if (best == nullptr) continue;
            CHECK(best->complexity == c);
            CHECK(best->loss < world.known[static_cast<std::size_t>(c)]);
            world.known[static_cast<std::size_t>(c)] = best->loss;
        }
    }
    CHECK(world.island.births() > 5 * 380);
    CHECK(world.island.evaluations() > 1000);
}

TEST_CASE("births allocate nothing") {
    EvolutionOptions options;
    options.should_simplify = false;  // makes new expressions
    options.should_optimize_constants = false;
    options.weights.randomize = 0;
    World world(options);
    world.island.initialise(world.plan, world.scratch);
    world.island.run_iteration(world.plan, world.scratch);
    world.island.run_iteration(world.plan, world.scratch);
    const std::uint64_t born = world.island.births();
    const std::size_t before = test::allocations();
    world.island.run_iteration(world.plan, world.scratch);
    const std::size_t allocated = test::allocations() - before;
    CHECK(world.island.births() - born > 300);
    // What is left: a complexity whose best is the first of its kind, a program larger than any before.
    CHECK(allocated < 20);
}

TEST_CASE("a cancelled island stops at once and stays whole") {
    EvolutionOptions options;
    options.ncycles_per_iteration = 1'000'000'000;
    World world(options);
    world.island.initialise(world.plan, world.scratch);
    world.cancelled = true;
    world.island.run_iteration(world.plan, world.scratch);
    CHECK(world.island.population().size() == 27);
    CHECK(world.island.births() == 27);
}

/// Asks for an end while a certain evaluation runs, and counts those that follow.
class Stopper final : public Objective {
   public:
    Stopper(const Objective& inner, std::atomic<bool>& cancelled, int last)
        : inner_(inner), cancelled_(cancelled), left_(last) {}

    double loss(std::span<const Expression> roles, double bound, FitWorkspace<double>& workspace) const override {
        count();
        return inner_.loss(roles, bound, workspace);
    }
    FitResult fit(std::span<Expression> roles, const FitOptions& options,
                  FitWorkspace<double>& workspace) const override {
        count();
        return inner_.fit(roles, options, workspace);
    }
    [[nodiscard]] double share() const noexcept override { return 1; }
    [[nodiscard]] int calls_after() const noexcept { return left_ < 0 ? -left_ : 0; }

   private:
    void count() const noexcept {
        if (--left_ == 0) cancelled_ = true;
    }

    const Objective& inner_;
    std::atomic<bool>& cancelled_;
    mutable std::atomic<int> left_;
};

TEST_CASE("a first population that is cancelled keeps what was judged, and judges no more") {
    World world, whole;
    whole.island.initialise(whole.plan, whole.scratch);
    const Stopper stopper(world.objective, world.cancelled, 5);
    world.plan.rows = world.plan.all_rows = &stopper;
    world.island.initialise(world.plan, world.scratch);
    CHECK(stopper.calls_after() == 0);
    REQUIRE(world.island.population().size() >= 5);  // more if some were the same
    REQUIRE(world.island.population().size() < 27);
    for (std::size_t slot = 0; slot < world.island.population().size(); ++slot) {
        CHECK(world.island.population()[slot].roles == whole.island.population()[slot].roles);
        CHECK(world.island.population()[slot].loss == whole.island.population()[slot].loss);
    }
}

TEST_CASE("an iteration that is cancelled ends within a cycle of births") {
    EvolutionOptions options;
    options.ncycles_per_iteration = 1'000'000'000;
    for (const int last : {1, 100, 3000}) {
        for (const bool batched : {false, true}) {
            World world(options);
            world.island.initialise(world.plan, world.scratch);
            const Stopper stopper(world.objective, world.cancelled, last);
            world.plan.rows = &stopper;
            if (!batched) world.plan.all_rows = &stopper;
            world.island.run_iteration(world.plan, world.scratch);
            // The members on a new batch, then a cycle: as many births as tournaments of 15 make of 27 members, two children
            // at most each, or one fit.
            CHECK(stopper.calls_after() <= (batched ? 27 : 0) + 2 * 2);
            CHECK(world.island.population().size() == 27);
        }
    }
}

TEST_CASE("an island that was saved goes on in the same way") {
    World a, b;
    a.island.initialise(a.plan, a.scratch);
    a.island.run_iteration(a.plan, a.scratch);
    b.island.restore(a.island.state());
    a.island.run_iteration(a.plan, a.scratch);
    b.island.run_iteration(b.plan, b.scratch);
    CHECK(a.island.evaluations() == b.island.evaluations());
    for (std::size_t slot = 0; slot < a.island.population().size(); ++slot) {
        CHECK(a.island.population()[slot].roles == b.island.population()[slot].roles);
        CHECK(a.island.population()[slot].birth == b.island.population()[slot].birth);
        CHECK(a.island.population()[slot].loss == b.island.population()[slot].loss);
    }
}

TEST_CASE("weights follow success, within bounds") {
    AdaptiveWeights weights;
    for (int k = 0; k < 5000; ++k) {
        weights.record(Mutation::add_node, k % 2 == 0);
        weights.record(Mutation::rotate_tree, false);
    }
    CHECK(weights.multiplier(Mutation::add_node) > 1.5);
    CHECK(weights.multiplier(Mutation::rotate_tree) == doctest::Approx(0.05).epsilon(0.01));
    CHECK(weights.multiplier(Mutation::simplify) == 1);

    // A copy that was saved and restored goes on in the same way.
    AdaptiveWeights restored;
    restored.restore(weights.state());
    for (int k = 0; k < 50; ++k) {
        for (AdaptiveWeights* both : {&weights, &restored}) both->record(Mutation::insert_node, k % 3 == 0);
    }
    CHECK(restored.multiplier(Mutation::insert_node) == weights.multiplier(Mutation::insert_node));
    CHECK(restored.state().attempts == weights.state().attempts);
}

}  // namespace
}  // namespace balmer
