#include "search/dimensionless.hpp"

#include <algorithm>
#include <cmath>
#include <optional>

namespace balmer::search {
namespace {

constexpr std::size_t kMostViews = 2;
constexpr std::size_t kMostFeatures = 12;  // there are as many choices as subsets of them

/// A choice of features that make up the units of the others and of the target.
struct Choice {
    std::vector<std::size_t> repeated;  ///< features
    std::vector<double> of_target;      ///< exponents, by repeated feature
    double complexity = 0;
};

class Analysis {
   public:
    Analysis(const View& raw, const Vocabulary& vocabulary)
        : raw_(raw), vocabulary_(vocabulary), given_(vocabulary.options().dimensions) {
        for (std::size_t j = 0; j < given_.features.size(); ++j) {
            if (given_.features[j] && !given_.features[j]->is_number()) measured_.push_back(j);
        }
    }

    std::vector<View> views() {
        if (!given_.target || measured_.empty() || measured_.size() > kMostFeatures) return {};
        choose(0, rank());
        const auto simpler = [](const Choice& a, const Choice& b) { return a.complexity < b.complexity; };
        std::stable_sort(choices_.begin(), choices_.end(), simpler);
        std::vector<View> result;
        for (const Choice& choice : choices_) {
            if (result.size() == kMostViews) break;
            if (std::optional<View> view = view_of(choice)) result.push_back(std::move(*view));
        }
        return result;
    }

   private:
    const View& raw_;
    const Vocabulary& vocabulary_;
    const DataDimensions& given_;
    std::vector<std::size_t> measured_;  // features that are no numbers
    std::vector<Choice> choices_;
    std::vector<std::size_t> chosen_;
    std::vector<Dimension> bases_;  // of those chosen

    /// How many features it takes to make up the units of all.
    [[nodiscard]] std::size_t rank() const {
        std::vector<Dimension> independent;
        for (const std::size_t j : measured_) {
            const Dimension& dimension = *given_.features[j];
            if (!powers_that_make(dimension, independent)) independent.push_back(dimension);
        }
        return independent.size();
    }

    /// All subsets of `count` more features, from the measured one of that number on, that are independent.
    void choose(std::size_t from, std::size_t count) {
        if (count == 0) return add_choice();
        for (std::size_t k = from; k + count <= measured_.size(); ++k) {
            const Dimension& dimension = *given_.features[measured_[k]];
            if (powers_that_make(dimension, bases_)) continue;
            chosen_.push_back(measured_[k]);
            bases_.push_back(dimension);
            choose(k + 1, count - 1);
            chosen_.pop_back();
            bases_.pop_back();
        }
    }

    /// Whole exponents are simpler than fractions.
    static double complexity_of(const std::vector<double>& exponents) {
        double sum = 0;
        for (const double e : exponents) sum += std::abs(e) + (std::abs(e - std::nearbyint(e)) > 1e-6 ? 1 : 0);
        return sum;
    }

    void add_choice() {
        const auto of_target = powers_that_make(*given_.target, bases_);
        if (!of_target) return;
        Choice choice{chosen_, *of_target, complexity_of(*of_target)};
        for (const std::size_t j : measured_) choice.complexity += complexity_of(of_feature(j, choice));
        choices_.push_back(std::move(choice));
    }

    /// The exponents with which the repeated features make up the unit of feature `j`.
    [[nodiscard]] std::vector<double> of_feature(std::size_t j, const Choice& choice) const {
        std::vector<Dimension> bases;
        for (const std::size_t b : choice.repeated) bases.push_back(*given_.features[b]);
        return *powers_that_make(*given_.features[j], bases);  // there are some: the choice has the rank of all
    }

    [[nodiscard]] static bool finite(const std::vector<double>& values) {
        return std::all_of(values.begin(), values.end(), [](double v) { return std::isfinite(v); });
    }

    /// Nothing if a product is not finite on some row, or cannot be written.
    [[nodiscard]] std::optional<View> view_of(const Choice& choice) const {
        View view = raw_;
        view.name = "numbers";
        view.variables.clear();
        for (std::size_t j = 0; j < raw_.variables.size(); ++j) {
            if (std::find(choice.repeated.begin(), choice.repeated.end(), j) != choice.repeated.end()) {
                view.name += " /x" + std::to_string(j);
                continue;
            }
            Variable number = raw_.variables[j];
            if (std::find(measured_.begin(), measured_.end(), j) != measured_.end()) {
                number = over(number, unit(choice, of_feature(j, choice)));
            }
            if (number.expression.nodes.empty() || !finite(number.values)) return std::nullopt;
            view.variables.push_back(std::move(number));
        }
        view.unit = unit(choice, choice.of_target);
        const std::vector<double> size = values_of(view.unit);
        if (view.weight.empty()) view.weight.assign(view.target.size(), 1.0);
        for (std::size_t i = 0; i < size.size(); ++i) {
            view.target[i] /= size[i];
            view.weight[i] *= size[i] * size[i];
        }
        if (!finite(view.target) || !finite(view.weight)) return std::nullopt;
        if (!view.unit.empty() && power_product(1, view.unit, vocabulary_).nodes.empty()) return std::nullopt;
        return view;
    }

    [[nodiscard]] std::vector<Power> unit(const Choice& choice, const std::vector<double>& exponents) const {
        std::vector<Power> powers;
        for (std::size_t k = 0; k < exponents.size(); ++k) {
            const double simple = nearest_simple_exponent(exponents[k], 1e-3);
            if (simple != 0) powers.push_back({raw_.variables[choice.repeated[k]].expression, simple});
        }
        return powers;
    }

    /// The variable over a product of powers of features.
    [[nodiscard]] Variable over(const Variable& variable, std::vector<Power> powers) const {
        Variable result = variable;
        const std::vector<double> size = values_of(powers);
        for (std::size_t i = 0; i < size.size(); ++i) result.values[i] /= size[i];
        for (Power& power : powers) power.exponent = -power.exponent;
        powers.insert(powers.begin(), Power{variable.expression, 1});
        result.expression = power_product(1, powers, vocabulary_);
        return result;
    }

    [[nodiscard]] std::vector<double> values_of(const std::vector<Power>& powers) const {
        std::vector<double> product(raw_.target.size(), 1.0);
        for (const Power& power : powers) {
            const auto is_base = [&](const Variable& v) { return v.expression == power.base; };
            const Variable& base = *std::find_if(raw_.variables.begin(), raw_.variables.end(), is_base);
            for (std::size_t i = 0; i < product.size(); ++i) {
                product[i] *= balmer::apply(Op::Pow, base.values[i], power.exponent);
            }
        }
        return product;
    }
};

}  // namespace

std::vector<View> dimensionless_views(const View& raw, const Vocabulary& vocabulary) {
    return Analysis(raw, vocabulary).views();
}

}  // namespace balmer::search
