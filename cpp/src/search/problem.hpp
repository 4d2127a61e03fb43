// What every stage of a search reads.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "balmer/core/rng.hpp"
#include "balmer/eval/dataset.hpp"
#include "balmer/evolve/candidate.hpp"
#include "balmer/evolve/dimensional_objective.hpp"
#include "balmer/evolve/objective.hpp"
#include "balmer/evolve/search_space.hpp"
#include "balmer/search/options.hpp"
#include "balmer/search/search.hpp"

namespace balmer {

/// Random streams: each stage has its own, and in it one for each island or iteration.
enum class StreamOf : std::uint32_t { islands = 1, batches = 2 };

/// The data, the options and what follows from them. Immutable during the search.
struct Problem {
    /// `data` must outlive the problem. The options are valid.
    Problem(const Dataset<double>& data, OperatorSet operators, SearchOptions options);
    Problem(const Problem&) = delete;
    Problem& operator=(const Problem&) = delete;

    [[nodiscard]] Rng rng(StreamOf stage, std::uint32_t index) const noexcept {
        return Rng(options.seed, (static_cast<std::uint64_t>(stage) << 32) | index);
    }
    /// What is minimised; null: least squares.
    [[nodiscard]] const Loss* loss() const noexcept {
        return options.evolution.loss ? &*options.evolution.loss : nullptr;
    }
    /// The same of whole predictions; null: there is none.
    [[nodiscard]] const WholeLoss* whole_loss() const noexcept {
        return options.evolution.whole_loss ? &options.evolution.whole_loss : nullptr;
    }
    /// What islands ask for a violation of the units, be it forbidden on the front.
    [[nodiscard]] DimensionalPrice price_on_islands() const noexcept;
    [[nodiscard]] bool least_squares() const noexcept { return loss() == nullptr && whole_loss() == nullptr; }
    /// Rows of a batch; 0: no batches.
    [[nodiscard]] std::size_t batch_rows() const noexcept;
    /// Rows that a stage may copy `columns` columns of, within the limit of memory, and at most `most`.
    [[nodiscard]] std::size_t rows_in_memory(std::size_t columns, std::size_t most) const noexcept;
    /// Whether the candidate explains the target to its rounding, and not for having nearly as many constants as there are
    /// rows.
    [[nodiscard]] bool is_exact(const Candidate& member) const noexcept;
    /// An expression, or the roles of a template, with that loss on all rows, as a candidate.
    [[nodiscard]] Candidate judged(const Expression& expression, double loss) const {
        return judged(std::vector<Expression>{expression}, loss);
    }
    [[nodiscard]] Candidate judged(std::vector<Expression> roles, double loss) const;
    /// The same candidate with that loss and every part simplified.
    [[nodiscard]] Candidate simplified(const Candidate& member, double loss) const;

    /// The template, if there is one; null: formulas are plain expressions.
    [[nodiscard]] const Template* structure() const noexcept {
        return options.structure ? &*options.structure : nullptr;
    }
    /// Roles that evolve: those of a candidate but its parameters.
    [[nodiscard]] std::size_t n_evolving() const noexcept { return structure() ? structure()->parts().size() : 1; }
    [[nodiscard]] std::size_t n_roles() const noexcept { return structure() ? structure()->n_roles() : 1; }
    /// `formulas`, or what judges a template's roles by the formulas that they make.
    [[nodiscard]] std::unique_ptr<const Objective> of_candidates(std::unique_ptr<const Objective> formulas) const;
    /// What islands, which add a price of their own, judge by.
    [[nodiscard]] const Objective& on_islands() const noexcept {
        if (structure() != nullptr) return *of_roles;
        return mean_loss;
    }
    /// The candidates as formulas over the features of the data.
    [[nodiscard]] std::vector<FrontEntry> entries(std::span<const Candidate* const> candidates) const;

    const Dataset<double>& data;
    const OperatorSet operators;
    const SearchOptions options;
    const SearchSpace space;                          ///< of all roles: features as many as the part with the most has
    const std::vector<SearchSpace> part_spaces;       ///< of each part of a template: those features that it has
    const MeanLoss mean_loss;                         ///< of formulas, on all rows
    const DimensionalPrice price;                     ///< of a formula that violates the units of the data
    const DimensionalObjective objective;             ///< both
    const std::unique_ptr<const Objective> of_roles;  ///< the same of candidates
    double norm;                                      ///< loss of the best constant
    double floor;                                     ///< loss at which nothing but rounding of the target is left
};

/// What has to be written down of a formula: itself, or with a template its roles one after the other, since the rest is the
/// same for all.
[[nodiscard]] Expression priced(std::span<const Expression> roles);
[[nodiscard]] Expression priced(const FrontEntry& entry);

/// A fit as exact as the numbers allow, in steps short enough that a cancelled search stops soon on many rows.
/// Returns the loss; `evaluations` grows by the passes over the rows.
double fit_fully(Candidate& candidate, const Objective& objective, FitWorkspace<double>& workspace, double& evaluations,
                 const std::atomic<bool>& cancelled);

}  // namespace balmer
