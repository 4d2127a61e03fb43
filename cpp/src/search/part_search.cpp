#include "search/part_search.hpp"

#include <algorithm>
#include <cmath>
#include <optional>
#include <vector>

#include "balmer/evolve/back_solver.hpp"
#include "search/finish.hpp"
#include "search/view_solver.hpp"

namespace balmer::search {
namespace {

constexpr std::size_t kFewestRows = 40;
constexpr std::size_t kAtoms = 800, kPolished = 40;
constexpr double kUsableShare = 0.7;  // of the rows, on which the part has a value

/// A part of a formula, and what should stand in its place.
struct Part {
    std::size_t node;
    Wanted wanted;
};

class PartSearch {
   public:
    PartSearch(const View& raw, Polisher& polisher, std::span<const std::uint32_t> rows, std::size_t formulas)
        : raw_(raw), polisher_(polisher), rows_(rows), formulas_(formulas) {}

    /// Whether the least description length fell.
    bool round() {
        const Found* best = polisher_.archive().best();
        if (best == nullptr) return false;
        finish(polisher_, formulas_);
        const double before = polisher_.archive().best()->description;
        for (const Expression& formula : best_formulas()) {
            for (const Part& part : parts_of(formula)) {
                const std::size_t own = variables_of(formula, part.node).size();
                // Over the variables that the part has, where the library is deep, and over all.
                for (const bool all : {false, true}) {
                    if (!all && (own == 0 || own == raw_.variables.size())) continue;
                    if (polisher_.archive().exact() || polisher_.stopped()) return false;
                    solve(view_of(formula, part, all));
                }
            }
        }
        return polisher_.archive().best()->description < before;
    }

   private:
    const View& raw_;
    Polisher& polisher_;
    std::span<const std::uint32_t> rows_;
    std::size_t formulas_;
    std::vector<std::uint64_t> tried_;

    /// Those of least description length whose parts were not looked at yet.
    std::vector<Expression> best_formulas() {
        std::vector<const Found*> all;
        for (const std::vector<Found>& entries : polisher_.archive().by_complexity()) {
            for (const Found& found : entries) all.push_back(&found);
        }
        std::stable_sort(all.begin(), all.end(),
                         [](const Found* a, const Found* b) { return a->description < b->description; });
        std::vector<Expression> chosen;
        for (std::size_t k = 0; k < std::min(all.size(), formulas_); ++k) {
            const std::uint64_t hash = structural_hash(all[k]->expression);
            if (std::find(tried_.begin(), tried_.end(), hash) != tried_.end()) continue;
            tried_.push_back(hash);
            chosen.push_back(all[k]->expression);
        }
        return chosen;
    }

    std::vector<Part> parts_of(const Expression& formula) {
        Wanted wanted{raw_.target, std::vector<double>(raw_.target.size(), 1.0)};
        std::vector<Part> parts;
        descend(formula, formula.root(), wanted, parts);
        return parts;
    }

    void descend(const Expression& formula, std::size_t node, const Wanted& wanted, std::vector<Part>& parts) {
        const std::size_t arity = formula.nodes[node].arity;
        for (std::size_t k = 0; k < arity; ++k) {
            const std::size_t part = formula.operand(node, k);
            const std::optional<Wanted> inside = inside_of(formula, node, k, wanted);
            if (!inside || !enough(*inside)) continue;
            // The families take a constant factor or term, and many functions, into account by themselves.
            if (arity == 2 && formula.nodes[formula.operand(node, 1 - k)].op != Op::Constant) {
                parts.push_back({part, *inside});
            }
            descend(formula, part, *inside, parts);
        }
    }

    /// What an error of the part in a row does to the target, squared; 0 where no double holds it.
    [[nodiscard]] double weight_of(const Wanted& wanted, std::size_t row) const {
        const double slope = wanted.slope[row];
        const double weight = slope * slope * (raw_.weight.empty() ? 1 : raw_.weight[row]);
        return std::isfinite(weight) ? weight : 0;
    }

    [[nodiscard]] bool enough(const Wanted& wanted) const {
        const auto usable = static_cast<double>(
            std::count_if(rows_.begin(), rows_.end(), [&](std::uint32_t row) { return weight_of(wanted, row) > 0; }));
        return usable >= std::max(static_cast<double>(kFewestRows), kUsableShare * static_cast<double>(rows_.size()));
    }

    std::vector<double> values_of(const Expression& e) {
        std::vector<double> values(raw_.target.size());
        polisher_.evaluator().evaluate(e, values, polisher_.workspace().evaluation);
        polisher_.work().used += static_cast<double>(e.size() * values.size());
        return values;
    }

    std::optional<Wanted> inside_of(const Expression& formula, std::size_t node, std::size_t k, const Wanted& wanted) {
        const Op op = formula.nodes[node].op;
        if (OperatorSet::is_user(op) || !is_invertible(op, k)) return std::nullopt;
        std::vector<double> other, now;
        if (formula.nodes[node].arity == 2) other = values_of(formula.subtree(formula.operand(node, 1 - k)));
        if (op == Op::Square) now = values_of(formula.subtree(formula.operand(node, k)));
        return wanted_of_operand(op, k, wanted, other, now);
    }

    /// The variables of the data that stand in the part.
    [[nodiscard]] std::vector<std::size_t> variables_of(const Expression& formula, std::size_t part) const {
        const auto first = formula.nodes.begin() + static_cast<std::ptrdiff_t>(formula.begin_of(part));
        const auto last = formula.nodes.begin() + static_cast<std::ptrdiff_t>(part) + 1;
        std::vector<std::size_t> found;
        for (std::size_t j = 0; j < raw_.variables.size(); ++j) {
            const auto is_variable = [&](const Node& node) { return node.op == Op::Feature && node.index == j; };
            if (std::any_of(first, last, is_variable)) found.push_back(j);
        }
        return found;
    }

    /// The part as a problem of its own, over its own variables or over all.
    [[nodiscard]] View view_of(const Expression& formula, const Part& part, bool all) const {
        View view;
        view.frame = formula;
        view.hole = part.node;
        view.target = part.wanted.value;
        for (std::size_t i = 0; i < view.target.size(); ++i) view.weight.push_back(weight_of(part.wanted, i));
        view.weight_sum = raw_.weight_sum;
        if (all) {
            view.variables = raw_.variables;
        } else {
            for (const std::size_t j : variables_of(formula, part.node)) view.variables.push_back(raw_.variables[j]);
        }
        return view;
    }

    void solve(const View& view) {
        std::vector<std::uint32_t> usable;
        std::copy_if(rows_.begin(), rows_.end(), std::back_inserter(usable),
                     [&](std::uint32_t row) { return view.weight[row] > 0; });
        RoundOptions options;
        options.atoms = kAtoms;
        options.factors = kAtoms / 4;
        options.weighted = true;
        options.polish = kPolished;
        options.noise = std::sqrt(polisher_.archive().best()->loss);
        options.stage = "parts";
        ViewSolver(view, polisher_, std::move(usable)).round(options);
    }
};

}  // namespace

void search_for_parts(const View& raw, Polisher& polisher, std::span<const std::uint32_t> rows,
                      const PartOptions& options, const std::function<void(std::string)>& log) {
    if (rows.size() < kFewestRows || raw.variables.empty()) return;
    PartSearch search(raw, polisher, rows, options.formulas);
    for (int round = 0; round < options.rounds; ++round) {
        const bool better = search.round();
        log("parts of the best formulas");
        if (!better || polisher.archive().exact() || polisher.stopped()) return;
    }
}

}  // namespace balmer::search
