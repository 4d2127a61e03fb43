#include "fit/kink_polish.hpp"

#include <Eigen/LU>
#include <algorithm>
#include <cmath>
#include <limits>

namespace balmer::fit {
namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();

/// The loss around the present predictions, linear between kinks. Rows after the data's hold the box around the present
/// constants: outside of it the sum rises more steeply than it can fall anywhere.
template <class T>
class Linearisation {
   public:
    Linearisation(LossModel<T>& model, const LossShape& shape, std::size_t unknowns, bool boxed)
        : model_(model), shape_(shape), data_rows_(model.rows()), boxed_(boxed) {
        sum_.unknowns = unknowns;
        sum_.rows = data_rows_ + (boxed ? unknowns : 0);
        sum_.n_kinks = std::max<std::size_t>(shape.kinks.size(), boxed ? 2 : 1);
        sum_.a.resize(sum_.rows * unknowns);
        sum_.start.resize(sum_.rows);
        sum_.kinks.resize(sum_.rows * sum_.n_kinks);
        sum_.slopes.resize(sum_.rows * (sum_.n_kinks + 1));
        at_.resize(data_rows_);
        slope_.resize(data_rows_);
        scale_.resize(unknowns);
    }

    void build(std::span<const double> constants) {
        model_.linearise(constants, sum_.start, sum_.a, sum_.rows);
        for (std::size_t k = 0; k < sum_.unknowns; ++k) {  // unknowns of a like size: columns of length 1
            double* const column = sum_.a.data() + k * sum_.rows;
            double square = 0;
            for (std::size_t i = 0; i < data_rows_; ++i) square += column[i] * column[i];
            scale_[k] = square > 0 && std::isfinite(square) ? std::sqrt(square) : 1;
            for (std::size_t i = 0; i < data_rows_; ++i) column[i] /= scale_[k];
        }
        place_kinks();
        place_slopes();
    }

    /// Sets the box |constant - present| <= radius * its size.
    void set_box(std::span<const double> constants, double radius) {
        for (std::size_t k = 0; k < sum_.unknowns; ++k) {
            const std::size_t row = data_rows_ + k;
            double steepest = 0;
            for (std::size_t j = 0; j < sum_.unknowns; ++j) {
                sum_.a[j * sum_.rows + row] = j == k ? 1 : 0;
                const double* const column = sum_.a.data() + j * sum_.rows;
                double total = 0;
                for (std::size_t i = 0; i < data_rows_; ++i) {
                    const double* const s = sum_.slopes.data() + i * (sum_.n_kinks + 1);
                    total += std::max(std::abs(s[0]), std::abs(s[sum_.n_kinks])) * std::abs(column[i]);
                }
                steepest = std::max(steepest, total);
            }
            sum_.start[row] = 0;
            const double size = constants[k] != 0 ? std::abs(constants[k]) : 1;
            double* const kinks = sum_.kinks.data() + row * sum_.n_kinks;
            double* const slopes = sum_.slopes.data() + row * (sum_.n_kinks + 1);
            std::fill_n(kinks, sum_.n_kinks, kInf);
            kinks[1] = radius * size * scale_[k];
            kinks[0] = -kinks[1];
            slopes[0] = -2 * static_cast<double>(sum_.unknowns) * steepest - 1;
            slopes[1] = 0;
            std::fill_n(slopes + 2, sum_.n_kinks - 1, -slopes[0]);
        }
    }

    /// The sum, up to a constant, at a step in scaled unknowns.
    [[nodiscard]] double value(std::span<const double> step) const {
        double total = 0;
        for (std::size_t i = 0; i < data_rows_; ++i) {
            double z = sum_.start[i];
            for (std::size_t k = 0; k < sum_.unknowns; ++k) z += sum_.a[k * sum_.rows + i] * step[k];
            total += rise(i, z);
        }
        return total;
    }

    [[nodiscard]] const PiecewiseLinearSum& sum() const noexcept { return sum_; }
    [[nodiscard]] double scale(std::size_t k) const noexcept { return scale_[k]; }

   private:
    void place_kinks() {
        for (std::size_t i = 0; i < data_rows_; ++i) {
            double* const kinks = sum_.kinks.data() + i * sum_.n_kinks;
            std::fill_n(kinks, sum_.n_kinks, kInf);
            for (std::size_t k = 0; k < shape_.kinks.size(); ++k) {
                const double place = shape_.kinks[k].at(model_.target(i));
                kinks[k] = std::isnan(place) ? kInf : place;
            }
            std::sort(kinks, kinks + sum_.n_kinks);
        }
    }

    /// Slopes beside the kinks; in the piece where a row is now, the slope there.
    void place_slopes() {
        for (std::size_t k = 0; k <= shape_.kinks.size(); ++k) {
            for (std::size_t i = 0; i < data_rows_; ++i) at_[i] = between(i, k);
            model_.derivative_at(at_, 1, slope_);
            for (std::size_t i = 0; i < data_rows_; ++i) {
                sum_.slopes[i * (sum_.n_kinks + 1) + k] = std::isfinite(slope_[i]) ? slope_[i] : 0;
            }
        }
        for (std::size_t i = 0; i < data_rows_; ++i) {
            double* const slopes = sum_.slopes.data() + i * (sum_.n_kinks + 1);
            for (std::size_t k = 1; k <= sum_.n_kinks; ++k) {
                slopes[k] = k > shape_.kinks.size() ? slopes[k - 1] : std::max(slopes[k], slopes[k - 1]);
            }
        }
    }

    /// Where to read the slope of piece k of row i.
    [[nodiscard]] double between(std::size_t i, std::size_t k) const {
        const double* const kinks = sum_.kinks.data() + i * sum_.n_kinks;
        const double low = k > 0 ? kinks[k - 1] : -kInf;
        const double high = k < sum_.n_kinks ? kinks[k] : kInf;
        const double present = sum_.start[i];
        const double near = std::max({std::abs(present), std::isfinite(low) ? std::abs(low) : 0,
                                      std::isfinite(high) ? std::abs(high) : 0, std::abs(model_.target(i))});
        const double beside = 1e-6 * near + std::numeric_limits<double>::min();
        const double margin = std::min(beside, (high - low) / 2);
        if (low + margin <= present && present <= high - margin) return present;
        return present < low + margin ? low + margin : high - margin;
    }

    /// f_i(z) - f_i(start_i)
    [[nodiscard]] double rise(std::size_t i, double z) const {
        const double* const kinks = sum_.kinks.data() + i * sum_.n_kinks;
        const double* const slopes = sum_.slopes.data() + i * (sum_.n_kinks + 1);
        const double from = std::min(sum_.start[i], z), to = std::max(sum_.start[i], z);
        double total = 0, low = from;
        for (std::size_t k = 0; k <= sum_.n_kinks; ++k) {
            const double high = k < sum_.n_kinks ? std::clamp(kinks[k], from, to) : to;
            total += slopes[k] * (high - low);
            low = high;
        }
        return z >= sum_.start[i] ? total : -total;
    }

    LossModel<T>& model_;
    const LossShape& shape_;
    std::size_t data_rows_;
    bool boxed_;
    PiecewiseLinearSum sum_;
    std::vector<double> at_, slope_, scale_;
};

}  // namespace

template <class T>
int polish_kinks(LossModel<T>& model, const LossShape& shape, bool all_linear, int max_problems, double tolerance,
                 std::vector<double>& constants, LossExpansion& current, LossExpansion& trial) {
    const std::size_t n = constants.size();
    const bool exact = all_linear && shape.piecewise_linear;
    Linearisation<T> problem(model, shape, n, !exact);
    VertexDescent descent;
    std::vector<double> step(n), moved(n);
    int passes = 0;
    double radius = 0.1;
    bool rebuild = true;
    for (int k = 0; k < max_problems; ++k) {
        if (rebuild) {
            problem.build(constants);
            ++passes;
        }
        if (!exact) problem.set_box(constants, radius);
        std::fill(step.begin(), step.end(), 0.0);
        constexpr int kStepsPerUnknown = 200;
        const VertexDescent::Outcome outcome = descent.run(problem.sum(), step, kStepsPerUnknown * static_cast<int>(n));
        if (outcome == VertexDescent::Outcome::unbounded) break;
        const double predicted = -problem.value(step);
        for (std::size_t j = 0; j < n; ++j) moved[j] = constants[j] + step[j] / problem.scale(j);
        const bool finite = model.expand(moved, 0, trial);
        ++passes;
        const double saved = current.sum - trial.sum;
        rebuild = finite && saved > 0;
        if (rebuild) {
            std::swap(constants, moved);
            std::swap(current, trial);
        }
        if (exact || !(predicted > tolerance * std::abs(current.sum))) break;
        if (rebuild && saved > 0.75 * predicted) radius = std::min(2 * radius, 1e3);
        if (!rebuild || saved < 0.25 * predicted) radius /= 4;
        if (radius < 1e-14) break;
    }
    return passes;
}

template <class T>
int snap_to_kinks(LossModel<T>& model, const LossShape& shape, std::vector<double>& constants, LossExpansion& current,
                  LossExpansion& trial) {
    struct Near {
        double distance, gap;  // gap: kink minus prediction
        std::size_t row;
    };
    const std::size_t n = constants.size(), rows = model.rows();
    const auto size = static_cast<Eigen::Index>(n);
    std::vector<double> prediction(rows), jacobian(rows * n), moved(n);
    std::vector<Near> near(rows);
    int passes = 0;
    constexpr int kRounds = 8;  // the constants need not be linear
    for (int round = 0; round < kRounds; ++round) {
        model.linearise(constants, prediction, jacobian, rows);
        for (std::size_t i = 0; i < rows; ++i) {
            near[i] = {kInf, 0, i};
            for (const Kink& kink : shape.kinks) {
                const double gap = kink.at(model.target(i)) - prediction[i];
                if (std::abs(gap) < near[i].distance) near[i] = {std::abs(gap), gap, i};
            }
        }
        std::sort(near.begin(), near.end(), [](const Near& a, const Near& b) {
            return a.distance != b.distance ? a.distance < b.distance : a.row < b.row;
        });
        // The nearest rows that determine the constants: each must add a direction to those before.
        Eigen::MatrixXd basis(size, size), system(size, size);
        Eigen::VectorXd gaps(size);
        Eigen::Index count = 0;
        for (std::size_t k = 0; k < rows && count < size; ++k) {
            if (!std::isfinite(near[k].distance)) break;
            Eigen::VectorXd row(size);
            for (std::size_t j = 0; j < n; ++j) row(static_cast<Eigen::Index>(j)) = jacobian[j * rows + near[k].row];
            const double length = row.norm();
            const Eigen::VectorXd rest = row - basis.leftCols(count) * (basis.leftCols(count).transpose() * row);
            constexpr double kIndependent = 1e-6;
            if (!(rest.norm() > kIndependent * length)) continue;
            basis.col(count) = rest.normalized();
            system.row(count) = row;
            gaps(count++) = near[k].gap;
        }
        if (count < size) break;
        const Eigen::VectorXd step = system.partialPivLu().solve(gaps);
        for (std::size_t j = 0; j < n; ++j) moved[j] = constants[j] + step(static_cast<Eigen::Index>(j));
        passes += 2;
        if (!model.expand(moved, 0, trial) || !(trial.sum < current.sum)) break;
        std::swap(constants, moved);
        std::swap(current, trial);
    }
    return passes;
}

template int snap_to_kinks<double>(LossModel<double>&, const LossShape&, std::vector<double>&, LossExpansion&,
                                   LossExpansion&);
template int snap_to_kinks<float>(LossModel<float>&, const LossShape&, std::vector<double>&, LossExpansion&,
                                  LossExpansion&);

template int polish_kinks<double>(LossModel<double>&, const LossShape&, bool, int, double, std::vector<double>&,
                                  LossExpansion&, LossExpansion&);
template int polish_kinks<float>(LossModel<float>&, const LossShape&, bool, int, double, std::vector<double>&,
                                 LossExpansion&, LossExpansion&);

}  // namespace balmer::fit
