#include "fit/simplex_fit.hpp"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

namespace balmer {

namespace {

using Point = std::vector<double>;

struct Corner {
    Point at;
    double value;
};

/// The corners of the simplex by rising value, and the steps of Nelder and Mead.
class Simplex {
   public:
    Simplex(std::span<const double> start, double value, const std::function<double(std::span<const double>)>& function)
        : function_(function), n_(start.size()) {
        const double n = std::max<double>(2, static_cast<double>(n_));
        expansion_ = 1 + 2 / n;
        contraction_ = 0.75 - 0.5 / n;
        shrinkage_ = 1 - 1 / n;
        corners_.push_back({Point(start.begin(), start.end()), value});
        for (std::size_t k = 0; k < n_; ++k) {
            constexpr double kStep = 0.1;  // of the constant; of 1 where it is 0
            Point at(start.begin(), start.end());
            at[k] = at[k] == 0 ? kStep : at[k] * (1 + kStep);
            add(std::move(at));
        }
        sort();
    }

    [[nodiscard]] const Corner& best() const noexcept { return corners_.front(); }
    [[nodiscard]] int evaluations() const noexcept { return evaluations_; }

    /// Whether the values of the corners agree to rounding. Corners on two sides of a minimum do so too, so they must be
    /// near each other as well.
    [[nodiscard]] bool is_flat() const noexcept {
        constexpr double kFlat = 1e-15, kNear = 1e-5;
        return corners_.back().value - best().value <= kFlat * std::abs(best().value) && is_within(kNear);
    }
    /// Whether the corners do.
    [[nodiscard]] bool is_small() const noexcept {
        constexpr double kSmall = 1e-11;
        return is_within(kSmall);
    }

    void step() {
        Corner& worst = corners_.back();
        const double second = corners_[corners_.size() - 2].value;
        Corner reflected = along(1);
        if (reflected.value < best().value) {
            Corner expanded = along(expansion_);
            worst = expanded.value < reflected.value ? std::move(expanded) : std::move(reflected);
        } else if (reflected.value < second) {
            worst = std::move(reflected);
        } else {
            const bool outside = reflected.value < worst.value;
            Corner contracted = along(outside ? contraction_ : -contraction_);
            if (contracted.value < std::min(reflected.value, worst.value)) {
                worst = std::move(contracted);
            } else {
                shrink();
            }
        }
        sort();
    }

   private:
    [[nodiscard]] bool is_within(double tolerance) const noexcept {
        for (const Corner& corner : corners_) {
            for (std::size_t k = 0; k < n_; ++k) {
                if (std::abs(corner.at[k] - best().at[k]) > tolerance * std::abs(best().at[k])) return false;
            }
        }
        return true;
    }

    void add(Point at) {
        const double value = function_(at);
        ++evaluations_;
        corners_.push_back({std::move(at), value});
    }

    /// The point on the line from the worst corner through the centre of the others, `distance` beyond the centre.
    [[nodiscard]] Corner along(double distance) {
        Point at(n_, 0.0);
        const Point& worst = corners_.back().at;
        for (std::size_t k = 0; k < n_; ++k) {
            double centre = 0;
            for (std::size_t c = 0; c < n_; ++c) centre += corners_[c].at[k];
            centre /= static_cast<double>(n_);
            at[k] = centre + distance * (centre - worst[k]);
        }
        ++evaluations_;
        const double value = function_(at);
        return {std::move(at), value};
    }

    void shrink() {
        for (std::size_t c = 1; c < corners_.size(); ++c) {
            Corner& corner = corners_[c];
            for (std::size_t k = 0; k < n_; ++k) {
                corner.at[k] = best().at[k] + shrinkage_ * (corner.at[k] - best().at[k]);
            }
            corner.value = function_(corner.at);
            ++evaluations_;
        }
    }

    void sort() {
        std::ranges::stable_sort(corners_, [](const Corner& a, const Corner& b) { return a.value < b.value; });
    }

    const std::function<double(std::span<const double>)>& function_;
    std::size_t n_;
    double expansion_ = 2, contraction_ = 0.5, shrinkage_ = 0.5;
    int evaluations_ = 0;
    std::vector<Corner> corners_;
};

}  // namespace

FitResult fit_by_simplex(std::span<double> constants, double start,
                         const std::function<double(std::span<const double>)>& value, const FitOptions& options) {
    FitResult result;
    result.loss = start;
    if (constants.empty()) return result;
    if (!std::isfinite(start)) {
        result.status = FitStatus::not_finite;
        return result;
    }
    Simplex simplex(constants, start, value);
    result.status = FitStatus::max_iterations;
    for (; result.iterations < options.max_iterations; ++result.iterations) {
        for (std::size_t k = 0; k <= constants.size(); ++k) simplex.step();
        if (simplex.is_small()) {
            result.status = FitStatus::converged_step;
            break;
        }
        if (simplex.is_flat()) {
            result.status = FitStatus::converged_loss;
            break;
        }
    }
    std::ranges::copy(simplex.best().at, constants.begin());
    result.loss = simplex.best().value;
    result.evaluations = simplex.evaluations();
    return result;
}

}  // namespace balmer
