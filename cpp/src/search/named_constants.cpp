#include "search/named_constants.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <utility>

#include "balmer/expr/simplify.hpp"
#include "search/description_length.hpp"
#include "search/shortest_form.hpp"
#include "search/vocabulary.hpp"

namespace balmer {

namespace {

/// How far a fitted number may be from a named constant, relative to it, for the name to be tried.
constexpr double kNear = 0.1;

bool nothing_is_positive(const Expression&) { return false; }

class Naming {
   public:
    Naming(const Problem& problem, const Control& control, double& evaluations)
        : problem_(problem),
          control_(control),
          evaluations_(evaluations),
          vocabulary_(problem.options, problem.operators),
          scale_(search::description_scale({problem.data.target(), problem.data.n_rows()},
                                           vocabulary_.n_symbols(problem.data.n_features()))) {
        const Dataset<double>& data = problem.data;
        for (std::size_t j = 0; j < data.n_features(); ++j) {
            const double* column = data.column(j);
            const bool constant = std::all_of(column, column + data.n_rows(), [&](double x) { return x == *column; });
            if (constant && *column != 0) named_.push_back(j);
        }
    }

    [[nodiscard]] bool any() const noexcept { return !named_.empty(); }

    /// The formula with as many names as it takes; nothing if it takes none.
    std::optional<FrontEntry> named(const FrontEntry& entry) {
        std::optional<FrontEntry> result;
        while (std::optional<FrontEntry> next = with_one_more(result ? *result : entry)) result = std::move(next);
        return result;
    }

   private:
    /// The best formula that has a name in the place of one of the constants.
    std::optional<FrontEntry> with_one_more(const FrontEntry& entry) {
        std::optional<FrontEntry> best;
        const Expression& e = entry.expression;
        for (std::size_t i = 0; i < e.size(); ++i) {
            if (e.nodes[i].op != Op::Constant || control_.is_cancelled()) continue;
            for (const std::size_t j : named_) {
                for (const Expression& part : parts(j, e.constants[e.nodes[i].index])) {
                    Expression renamed = e;
                    if (i == e.root()) {
                        renamed = part;
                    } else {
                        renamed.replace(i, part);
                    }
                    // As h - g t where h + t * -g would be too long.
                    const Expression simple = simplify(renamed, problem_.operators);
                    consider(entry, search::shortest_form(simple, vocabulary_, nothing_is_positive), best);
                }
            }
        }
        return best;
    }

    /// What may stand for a number near the named constant of column `j`, its inverse or its negative.
    [[nodiscard]] std::vector<Expression> parts(std::size_t j, double number) const {
        const double value = *problem_.data.column(j);
        const Expression name = Expression::feature(static_cast<std::uint32_t>(j));
        const auto near = [&](double x) { return std::abs(number - x) <= kNear * std::abs(x); };
        std::vector<Expression> result;
        if (near(value)) result.push_back(name);
        if (near(1 / value)) result.push_back(vocabulary_.reciprocal(name));
        if (near(-value)) result.push_back(vocabulary_.negate(name));
        std::erase_if(result, [](const Expression& part) { return part.nodes.empty(); });
        return result;
    }

    void consider(const FrontEntry& entry, const Expression& renamed, std::optional<FrontEntry>& best) {
        Candidate candidate = problem_.judged(renamed, 0);
        if (candidate.complexity > entry.complexity) return;
        if (!problem_.space.allows(renamed, candidate.complexity, problem_.options.evolution.maxsize)) return;
        const double loss = fit_fully(candidate, problem_.objective, workspace_, evaluations_, control_.cancelled());
        FrontEntry next{candidate.roles[0], candidate.complexity, loss};
        if (!worth(entry, next)) return;
        if (!best || next.loss < best->loss) best = std::move(next);
    }

    /// Whether `next`, which has a name more and a number less, may stand for `entry`.
    [[nodiscard]] bool worth(const FrontEntry& entry, FrontEntry& next) const {
        const double loss = std::max(entry.loss, problem_.floor);
        if (!std::isfinite(entry.description_length)) {
            const auto n = static_cast<double>(problem_.data.n_rows());
            return next.loss <= loss + std::abs(loss) * apply(Op::Log, n) / n;
        }
        // Of the same kind on both sides; the one of the entry may have been counted with the errors of its constants.
        const double change = search::description_length(next.expression, std::max(next.loss, problem_.floor), scale_) -
                              search::description_length(entry.expression, loss, scale_);
        next.description_length = entry.description_length + change;
        return change < 0;
    }

    const Problem& problem_;
    const Control& control_;
    double& evaluations_;
    search::Vocabulary vocabulary_;
    search::DescriptionScale scale_;
    std::vector<std::size_t> named_;  // columns
    FitWorkspace<double> workspace_;
};

}  // namespace

std::vector<FrontEntry> with_named_constants(std::vector<FrontEntry> front, const Problem& problem,
                                             const Control& control, double& evaluations) {
    Naming naming(problem, control, evaluations);
    if (!naming.any()) return front;
    for (FrontEntry& entry : front) {
        if (auto named = naming.named(entry)) entry = std::move(*named);
    }
    std::ranges::stable_sort(front, [](const FrontEntry& a, const FrontEntry& b) {
        return a.complexity != b.complexity ? a.complexity < b.complexity : a.loss < b.loss;
    });
    double least = std::numeric_limits<double>::infinity();
    std::erase_if(front, [&](const FrontEntry& entry) {
        const bool beaten = !(entry.loss < least) || least <= problem.floor;
        least = std::min(least, entry.loss);
        return beaten;
    });
    return front;
}

}  // namespace balmer
