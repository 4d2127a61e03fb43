#include "fit/vertex_descent.hpp"

#include <Eigen/LU>
#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

namespace balmer::fit {
namespace {

using Matrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using Vector = Eigen::VectorXd;

constexpr double kPerturbation = 1e-10;  // of the range of a row's kinks; well above rounding, well below data
constexpr double kRounding = 1e-12;

/// A number in [0.5, 1) that looks random but is always the same for a row.
double scatter(std::uint64_t row) noexcept {
    std::uint64_t x = (row + 1) * 0x9e3779b97f4a7c15ULL;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
    return 0.5 + static_cast<double>((x ^ (x >> 31)) >> 12) * 0x1p-53;
}

}  // namespace

void VertexDescent::load(const PiecewiseLinearSum& sum, std::span<const double> x) {
    sum_ = &sum;
    x_.assign(x.begin(), x.end());
    z_ = sum.start;
    kinks_ = sum.kinks;
    double range = 0;
    for (std::size_t i = 0; i < sum.rows; ++i) {
        for (std::size_t k = 0; k < sum.n_kinks; ++k) {
            const double kink = sum.kinks[i * sum.n_kinks + k];
            if (std::isfinite(kink)) range = std::max({range, std::abs(kink), std::abs(kink - sum.start[i])});
        }
    }
    for (std::size_t i = 0; i < sum.rows; ++i) {
        const double shift = kPerturbation * range * scatter(i);
        for (std::size_t k = 0; k < sum.n_kinks; ++k) kinks_[i * sum.n_kinks + k] += shift;
    }
    for (std::size_t k = 0; k < sum.unknowns; ++k) {
        for (std::size_t i = 0; i < sum.rows; ++i) z_[i] += sum.a[k * sum.rows + i] * x_[k];
    }
    largest_ = 0;
    for (const double a : sum.a) largest_ = std::max(largest_, std::abs(a));
    held_.assign(sum.rows, false);
    active_.clear();
    gradient_.resize(sum.unknowns);
    magnitude_.resize(sum.unknowns);
    change_.resize(sum.rows);
    direction_.resize(sum.unknowns);
    steps_ = 0;
}

std::size_t VertexDescent::piece(std::size_t row) const noexcept {
    std::size_t k = 0;
    while (k < sum_->n_kinks && kinks_[row * sum_->n_kinks + k] < z_[row]) ++k;
    return k;
}

/// Of all rows that are not held; and the same with all terms positive, as a scale for rounding.
void VertexDescent::compute_gradient() {
    std::fill(gradient_.begin(), gradient_.end(), 0.0);
    std::fill(magnitude_.begin(), magnitude_.end(), 0.0);
    std::vector<double>& slope = change_;
    for (std::size_t i = 0; i < sum_->rows; ++i) {
        slope[i] = held_[i] ? 0 : sum_->slopes[i * (sum_->n_kinks + 1) + piece(i)];
    }
    for (std::size_t k = 0; k < sum_->unknowns; ++k) {
        const double* const column = sum_->a.data() + k * sum_->rows;
        for (std::size_t i = 0; i < sum_->rows; ++i) {
            gradient_[k] += slope[i] * column[i];
            magnitude_[k] += std::abs(slope[i] * column[i]);
        }
    }
}

/// change_[i]: by how much z_i changes with one unit of the direction.
void VertexDescent::along(std::span<const double> direction) {
    std::fill(change_.begin(), change_.end(), 0.0);
    negligible_ = 0;
    for (std::size_t k = 0; k < sum_->unknowns; ++k) {
        negligible_ += kRounding * largest_ * std::abs(direction[k]);
        const double* const column = sum_->a.data() + k * sum_->rows;
        for (std::size_t i = 0; i < sum_->rows; ++i) change_[i] += column[i] * direction[k];
    }
}

double VertexDescent::tolerance(std::span<const double> direction) const noexcept {
    double sum = 0;
    for (std::size_t k = 0; k < sum_->unknowns; ++k) sum += magnitude_[k] * std::abs(direction[k]);
    return kRounding * sum;
}

/// Where the sum, which has this slope to begin with, stops falling along change_. The row that leaves its kink goes
/// `forward` (its z rises) or back by one unit.
bool VertexDescent::find_break(double slope, double tolerance, const Active* leaving, bool forward, Break& found) {
    const std::size_t n_kinks = sum_->n_kinks;
    breaks_.clear();
    for (std::size_t i = 0; i < sum_->rows; ++i) {
        double change = change_[i];
        const bool leaves = leaving != nullptr && !leaving->frozen && leaving->row == i;
        if (leaves) change = forward ? 1 : -1;
        if ((held_[i] && !leaves) || std::abs(change) <= negligible_) continue;
        std::size_t first = piece(i), last = n_kinks;
        if (leaves) first = forward ? leaving->kink + 1 : leaving->kink;
        if (change < 0) last = std::exchange(first, std::size_t{0});
        for (std::size_t k = first; k < last; ++k) {
            const double* const slopes = sum_->slopes.data() + i * (n_kinks + 1) + k;
            const double at = std::max(0.0, (kinks_[i * n_kinks + k] - z_[i]) / change);
            const double jump = (slopes[1] - slopes[0]) * std::abs(change);
            if (jump > 0 && std::isfinite(at)) breaks_.push_back({at, jump, i, k});
        }
    }
    const auto later = [](const Break& a, const Break& b) {
        return a.at != b.at ? a.at > b.at : a.row != b.row ? a.row > b.row : a.kink > b.kink;
    };
    std::ranges::make_heap(breaks_, later);
    while (!breaks_.empty()) {
        found = breaks_.front();
        slope += found.jump;
        if (slope >= -tolerance) return true;
        std::ranges::pop_heap(breaks_, later);
        breaks_.pop_back();
    }
    return false;
}

void VertexDescent::move(std::span<const double> direction, double distance) {
    for (std::size_t k = 0; k < sum_->unknowns; ++k) x_[k] += distance * direction[k];
    for (std::size_t i = 0; i < sum_->rows; ++i) z_[i] += distance * change_[i];
    for (const Active& row : active_) {
        if (!row.frozen) z_[row.row] = kinks_[row.row * sum_->n_kinks + row.kink];
    }
}

VertexDescent::Active VertexDescent::active_at(const Break& b) const {
    Active active{b.row, b.kink, sum_->kinks[b.row * sum_->n_kinks + b.kink] - sum_->start[b.row], false, {}};
    for (std::size_t k = 0; k < sum_->unknowns; ++k) active.a.push_back(sum_->a[k * sum_->rows + b.row]);
    return active;
}

/// Descends inside the face of the rows that are held, until one more row is.
bool VertexDescent::complete_vertex() {
    const auto n = static_cast<Eigen::Index>(sum_->unknowns);
    Matrix basis = Matrix::Zero(static_cast<Eigen::Index>(active_.size()), n);  // orthonormal rows
    for (std::size_t j = 0; j < active_.size(); ++j) {
        Vector row = Eigen::Map<const Vector>(active_[j].a.data(), n);
        const auto count = static_cast<Eigen::Index>(j);
        for (int twice = 0; twice < 2; ++twice) {
            row -= basis.topRows(count).transpose() * (basis.topRows(count) * row);
        }
        basis.row(count) = row.normalized();
    }
    const auto project = [&](Vector v) {
        for (int twice = 0; twice < 2; ++twice) v -= basis.transpose() * (basis * v);
        return v;
    };
    compute_gradient();
    const Eigen::Map<const Vector> gradient(gradient_.data(), n);
    Vector direction = -project(gradient);
    if (!(direction.norm() > 1e-10 * Eigen::Map<const Vector>(magnitude_.data(), n).norm())) {
        double best = -1;  // flat so far: any direction that is free will do
        for (Eigen::Index k = 0; k < n; ++k) {
            const Vector axis = project(Vector::Unit(n, k));
            if (axis.norm() > best) {
                best = axis.norm();
                direction = axis;
            }
        }
    }
    direction.normalize();
    for (int k = 0; k < 2; ++k, direction = -direction) {
        const std::span<const double> d(direction.data(), sum_->unknowns);
        const double slope = gradient.dot(direction);
        const double rounding = tolerance(d);
        if (slope > rounding) continue;
        along(d);
        Break found{};
        if (find_break(slope, rounding, nullptr, true, found)) {
            active_.push_back(active_at(found));
            held_[found.row] = true;
            move(d, found.at);
            return true;
        }
        if (slope < -rounding) return false;
    }
    Active frozen{0, 0, 0, true, std::vector<double>(direction.data(), direction.data() + n)};
    for (std::size_t k = 0; k < sum_->unknowns; ++k) frozen.place += frozen.a[k] * x_[k];
    active_.push_back(std::move(frozen));
    return true;
}

/// Takes the steepest edge down; false at the minimum, or where there is none.
bool VertexDescent::leave_vertex(Outcome& outcome) {
    const auto n = static_cast<Eigen::Index>(sum_->unknowns);
    Matrix rows(n, n);
    for (Eigen::Index j = 0; j < n; ++j) {
        rows.row(j) = Eigen::Map<const Vector>(active_[static_cast<std::size_t>(j)].a.data(), n);
    }
    const Matrix edges = rows.partialPivLu().inverse();  // column j: the edge on which row j leaves its kink
    compute_gradient();
    const Eigen::Map<const Vector> gradient(gradient_.data(), n);
    double steepest = 0, slope = 0;
    Eigen::Index leaving = -1;
    bool forward = true;
    for (Eigen::Index j = 0; j < n; ++j) {
        const Active& row = active_[static_cast<std::size_t>(j)];
        if (row.frozen) continue;
        const Vector edge = edges.col(j);
        const double* const slopes = sum_->slopes.data() + row.row * (sum_->n_kinks + 1) + row.kink;
        const double along_edge = gradient.dot(edge);
        const double rounding = tolerance({edge.data(), sum_->unknowns}) + kRounding * std::abs(along_edge);
        for (const bool ahead : {true, false}) {
            const double change = ahead ? along_edge + slopes[1] : -along_edge - slopes[0];
            if (change < -10 * rounding && change / edge.norm() < steepest) {
                steepest = change / edge.norm();
                slope = change;
                leaving = j;
                forward = ahead;
            }
        }
    }
    if (leaving < 0) {
        outcome = Outcome::optimal;
        return false;
    }
    const Vector direction = forward ? Vector(edges.col(leaving)) : Vector(-edges.col(leaving));
    const std::span<const double> d(direction.data(), sum_->unknowns);
    Active& row = active_[static_cast<std::size_t>(leaving)];
    const double rounding = tolerance(d);
    along(d);
    Break found{};
    if (!find_break(slope, rounding, &row, forward, found)) {
        outcome = Outcome::unbounded;
        return false;
    }
    held_[row.row] = false;
    row = active_at(found);
    held_[found.row] = true;
    move(d, found.at);
    return true;
}

VertexDescent::Outcome VertexDescent::run(const PiecewiseLinearSum& sum, std::span<double> x, int max_steps) {
    load(sum, x);
    Outcome outcome = Outcome::budget_spent;
    while (active_.size() < sum.unknowns) {
        if (!complete_vertex()) return Outcome::unbounded;
        ++steps_;
    }
    while (steps_ < max_steps && leave_vertex(outcome)) ++steps_;
    const auto n = static_cast<Eigen::Index>(sum.unknowns);
    Matrix rows(n, n);
    Vector places(n);
    for (Eigen::Index j = 0; j < n; ++j) {
        rows.row(j) = Eigen::Map<const Vector>(active_[static_cast<std::size_t>(j)].a.data(), n);
        places(j) = active_[static_cast<std::size_t>(j)].place;
    }
    const Eigen::PartialPivLU<Matrix> lu(rows);
    Vector solution = lu.solve(places);
    solution += lu.solve(places - rows * solution);  // once more: the kinks are met to the last bits
    std::copy_n(solution.data(), sum.unknowns, x.begin());
    return outcome;
}

}  // namespace balmer::fit
