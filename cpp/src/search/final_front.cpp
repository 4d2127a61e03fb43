#include "search/final_front.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "search/description_length.hpp"
#include "search/domain.hpp"
#include "search/finish.hpp"
#include "search/part_finish.hpp"
#include "search/polisher.hpp"
#include "search/seed_archive.hpp"
#include "search/vocabulary.hpp"

namespace balmer {

namespace {

/// A formula may stand for the most accurate one of its complexity up to this ratio of their losses, or, where the rows are
/// few, to one that is worth so many nats.
constexpr double kNearlyLeast = 1.1, kNats = 5;

/// Nodes times rows that the last touches may take.
constexpr double kWork = 2e9;

/// Takes out formulas with so many constants that they can follow the rows, whose description length is infinite, unless
/// there are no others.
void drop_followers(std::vector<std::vector<FrontEntry>>& by_complexity) {
    const auto follows = [](const FrontEntry& entry) { return !std::isfinite(entry.description_length); };
    if (std::ranges::all_of(by_complexity, [&](const auto& here) { return std::ranges::all_of(here, follows); }))
        return;
    for (std::vector<FrontEntry>& here : by_complexity) std::erase_if(here, follows);
}

/// What pruning and rounding make of the formulas.
std::vector<FrontEntry> finished(const std::vector<FrontEntry>& front, const Problem& problem,
                                 const search::Vocabulary& vocabulary, const search::DescriptionScale& scale,
                                 const Control& control, double& evaluations) {
    const Evaluator<double> evaluator(problem.data, problem.operators);
    search::SeedArchive found(scale, problem.floor, problem.floor);
    search::Work work{0, kWork};
    search::Polisher polisher(evaluator, vocabulary, found, work, control.cancelled(), problem.options.n_threads);
    std::vector<Expression> formulas;
    for (const FrontEntry& entry : front) formulas.push_back(entry.expression);
    polisher.submit(formulas, "front");
    search::finish(polisher, formulas.size());
    evaluations += work.used / static_cast<double>(problem.data.n_rows()) / 10;  // of some ten nodes each
    std::vector<FrontEntry> result;
    FitWorkspace<double> workspace;
    const int limit = problem.options.evolution.maxsize;
    for (const std::vector<search::Found>& entries : found.by_complexity()) {
        for (const search::Found& entry : entries) {
            const int complexity = problem.space.complexity(entry.expression);
            if (!problem.space.allows(entry.expression, complexity, limit)) continue;
            const double loss =
                problem.objective.loss({&entry.expression, 1}, std::numeric_limits<double>::infinity(), workspace);
            result.push_back({entry.expression, complexity, loss, entry.description});
        }
    }
    return result;
}

/// At each complexity the formula of least description length among those of nearly the least loss, as far as the loss falls.
std::vector<FrontEntry> shortest(std::vector<FrontEntry> all, const Problem& problem) {
    std::vector<std::vector<FrontEntry>> choices(static_cast<std::size_t>(problem.options.evolution.maxsize) + 1);
    for (FrontEntry& entry : all) choices[static_cast<std::size_t>(entry.complexity)].push_back(std::move(entry));
    drop_followers(choices);
    std::vector<FrontEntry> front;
    double least = std::numeric_limits<double>::infinity();
    const double of_few = balmer::apply(Op::Exp, 2 * kNats / static_cast<double>(problem.data.n_rows()));
    const double nearly_least = std::max(kNearlyLeast, of_few);
    for (std::vector<FrontEntry>& here : choices) {
        double least_here = std::numeric_limits<double>::infinity();
        for (const FrontEntry& entry : here) least_here = std::min(least_here, entry.loss);
        const FrontEntry* best = nullptr;
        for (const FrontEntry& entry : here) {
            if (entry.loss > std::max(nearly_least * least_here, problem.floor) || !(entry.loss < least)) continue;
            if (best == nullptr || entry.description_length < best->description_length) best = &entry;
        }
        if (best == nullptr) continue;
        least = best->loss;
        front.push_back(*best);
        if (least <= problem.floor) break;  // below, differences are rounding
    }
    return front;
}

void add_risks(std::vector<FrontEntry>& front, const Problem& problem) {
    const std::vector<Interval> box = search::widened_ranges(problem.data);
    for (FrontEntry& entry : front) {
        entry.description_length += search::price_of_risks(entry.expression, box, problem.operators);
    }
}

}  // namespace

std::vector<FrontEntry> final_front(const Archive& archive, const Problem& problem, const Control& control,
                                    double& evaluations) {
    const search::Vocabulary vocabulary(problem.options, problem.operators);
    const Dataset<double>& data = problem.data;
    const auto scale =
        search::description_scale({data.target(), data.n_rows()}, vocabulary.n_symbols(data.n_features()));
    std::vector<FrontEntry> front = problem.entries(archive.front(problem.floor));
    const bool least_squares = problem.least_squares();
    for (FrontEntry& entry : front) {
        if (least_squares) entry.description_length = search::description_length(priced(entry), entry.loss, scale);
    }
    if (problem.options.finish != Finish::simplify || !least_squares || !(data.target_variance() > 0)) {
        if (least_squares) add_risks(front, problem);
        return front;
    }
    const std::vector<FrontEntry> more =
        problem.structure() != nullptr ? with_finished_parts(front, problem, scale, control.cancelled(), evaluations)
                                       : finished(front, problem, vocabulary, scale, control, evaluations);
    // What a formula was made of is decided: the constants that were there before it was rounded do not come again.
    const auto is_decided = [&](const FrontEntry& entry) {
        return std::ranges::any_of(more, [hash = structural_hash(entry.expression)](const FrontEntry& other) {
            return structural_hash(other.expression) == hash;
        });
    };
    if (problem.structure() == nullptr) std::erase_if(front, is_decided);
    front.insert(front.end(), more.begin(), more.end());
    add_risks(front, problem);
    return shortest(std::move(front), problem);
}

}  // namespace balmer
