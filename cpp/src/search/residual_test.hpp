// Whether anything is left to be found.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "balmer/eval/evaluator.hpp"
#include "search/view.hpp"
#include "search/vocabulary.hpp"

namespace balmer::search {

/// Compares what a formula leaves of the target with a few thousand simple formulas. Noise follows the best of N on n rows
/// with a correlation of sqrt(2 ln N / n); more than that is something that a larger formula could have.
class ResidualTest {
   public:
    /// `raw` must be the data of the evaluator as they are; all but `formula` and `workspace` must outlive the test.
    ResidualTest(const Expression& formula, const View& raw, const Vocabulary& vocabulary,
                 const Evaluator<double>& evaluator, Workspace<double>& workspace);

    /// By these rows alone.
    [[nodiscard]] bool follows(const std::vector<std::uint32_t>& rows) const;

    /// By all rows, one formula at a time; true when it is cancelled.
    [[nodiscard]] bool follows_on_all_rows(Workspace<double>& workspace, const std::atomic<bool>& cancel) const;

   private:
    const View* raw_;
    const Vocabulary* vocabulary_;
    const Evaluator<double>* evaluator_;
    std::vector<double> residual_;  // of all rows
};

}  // namespace balmer::search
