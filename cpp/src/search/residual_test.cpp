#include "search/residual_test.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "eval/columns.hpp"
#include "search/atoms.hpp"
#include "search/library.hpp"

namespace balmer::search {
namespace {

constexpr std::size_t kFormulas = 4000, kAtoms = 2000;
constexpr std::size_t kRowsOfLibrary = 1000;  // that tell the atoms apart, where all rows are looked at
constexpr double kConstant = 1e-12;           // of the mean square: what rounding leaves of the variance of a constant

struct Simple {
    Library library;
    std::vector<Atom> atoms;
};

Simple simple_formulas(const Vocabulary& vocabulary, const View& raw, const std::vector<std::uint32_t>& rows) {
    Simple simple{Library(vocabulary, raw.variables, rows, kFormulas), {}};
    Library& library = simple.library;
    while (library.size() < kFormulas && library.grow()) {
    }
    library.prepare(std::min(library.size(), kFormulas));
    simple.atoms = select_atoms(library, library.prepared(), kAtoms, false);
    return simple;
}

double by_chance(std::size_t atoms, std::size_t rows) {
    return std::sqrt(2 * balmer::apply(Op::Log, static_cast<double>(atoms)) / static_cast<double>(rows));
}

}  // namespace

ResidualTest::ResidualTest(const Expression& formula, const View& raw, const Vocabulary& vocabulary,
                           const Evaluator<double>& evaluator, Workspace<double>& workspace)
    : raw_(&raw), vocabulary_(&vocabulary), evaluator_(&evaluator), residual_(raw.target.size()) {
    evaluator.evaluate(formula, residual_, workspace);
    for (std::size_t i = 0; i < residual_.size(); ++i) residual_[i] = raw.target[i] - residual_[i];
}

bool ResidualTest::follows(const std::vector<std::uint32_t>& rows) const {
    std::vector<double> residual, root_weight;
    for (const std::uint32_t row : rows) residual.push_back(residual_[row]);
    for (const std::uint32_t row : rows) {
        if (!raw_->weight.empty()) root_weight.push_back(std::sqrt(raw_->weight[row]));
    }
    const Simple simple = simple_formulas(*vocabulary_, *raw_, rows);
    const Panel panel = standard_panel(simple.library, simple.atoms, root_weight);
    std::vector<float> unit(rows.size());
    if (!standardise(residual.data(), root_weight, rows.size(), unit.data())) return false;
    float most = 0;
    for (std::size_t j = 0; j < panel.columns(); ++j) {
        float sum = 0;
        for (std::size_t k = 0; k < rows.size(); ++k) sum += panel.column(j)[k] * unit[k];
        most = std::max(most, std::abs(sum));
    }
    return static_cast<double>(most) > by_chance(simple.atoms.size(), rows.size());
}

bool ResidualTest::follows_on_all_rows(Workspace<double>& workspace, const std::atomic<bool>& cancel) const {
    const std::size_t n = residual_.size();
    const std::vector<double> weight = raw_->weight.empty() ? std::vector<double>(n, 1.0) : raw_->weight;
    const auto rows = static_cast<std::size_t>(std::ranges::count_if(weight, [](double w) { return w > 0; }));
    const auto sum = [&](const std::vector<double>& a, const std::vector<double>& b) {
        return eval::dot(a.data(), b.data(), n);
    };
    const std::vector<double> ones(n, 1.0);
    const double weights = sum(weight, ones), mean = sum(weight, residual_) / weights;
    std::vector<double> weighted(n), values(n), scaled(n);
    for (std::size_t i = 0; i < n; ++i) weighted[i] = weight[i] > 0 ? weight[i] * (residual_[i] - mean) : 0;
    const double spread = sum(weighted, residual_) - mean * sum(weighted, ones);

    const std::vector<std::uint32_t> first = first_rows(evaluator_->data(), kRowsOfLibrary);
    const Simple simple = simple_formulas(*vocabulary_, *raw_, first);
    const double most = by_chance(simple.atoms.size(), rows);
    for (const Atom& atom : simple.atoms) {
        if (cancel.load(std::memory_order_relaxed)) return true;
        evaluator_->evaluate(simple.library.expression(atom.node), values, workspace);
        for (std::size_t i = 0; i < n; ++i) {
            if (weight[i] == 0) values[i] = 0;
            scaled[i] = weight[i] * values[i];
        }
        const double square = sum(scaled, values), centre = sum(scaled, ones) / weights;
        const double variance = square - weights * centre * centre;
        if (!(variance > kConstant * square) || !std::isfinite(variance)) continue;
        if (std::abs(sum(weighted, values)) > most * std::sqrt(variance * spread)) return true;
    }
    return false;
}

}  // namespace balmer::search
