#include "fit/loss_shape.hpp"

#include <algorithm>
#include <array>
#include <cassert>
#include <cmath>

namespace balmer::fit {
namespace {

// Targets of both signs, inside and outside of (0, 1), no two in a simple relation: a place of kinks that holds for all
// of them is no accident.
constexpr std::array kTargets = {0.31, 0.83, 1.7, 6.1, -0.47, -2.9};

/// Predictions at these distances to both sides of the target and of 0. The odd factor keeps them off round parameters.
constexpr int kDistances = 15;
constexpr double kFirstDistance = 1.0371e-3, kDistanceRatio = 3.1622776601683795;

constexpr double kRounding = 1e-9;  // relative: equal but for rounding
constexpr double kJump = 1e-6;      // relative: smaller ones may be cancellation, as in p^2 - 2 p t + t^2
constexpr double kNoise = 1e-14;    // of the usual size: what is left of 1 - 1

struct Probe {
    double p, value, slope;
};

bool finite(const Probe& probe) { return std::isfinite(probe.value); }

/// A loss for one target, with the weight 1.
class Section {
   public:
    Section(const Loss& loss, double target) : loss_(loss), target_(target) {}

    [[nodiscard]] Probe at(double p) const { return {p, loss_(p, target_), loss_(p, target_, 1, 1)}; }
    [[nodiscard]] double curvature(double p) const { return loss_(p, target_, 1, 2); }

    [[nodiscard]] std::vector<Probe> grid() const {
        std::vector<double> places;
        double distance = kFirstDistance;
        for (int k = 0; k < kDistances; ++k, distance *= kDistanceRatio) {
            for (const double centre : {0.0, target_}) {
                places.push_back(centre + distance);
                places.push_back(centre - distance);
            }
        }
        std::ranges::sort(places);
        std::vector<Probe> probes;
        for (const double p : places) probes.push_back(at(p));
        return probes;
    }

   private:
    const Loss& loss_;
    double target_;
};

template <class Measure>
double usual_size(const std::vector<Probe>& grid, Measure measure) {
    std::vector<double> sizes;
    for (const Probe& probe : grid) {
        if (finite(probe) && std::isfinite(measure(probe))) sizes.push_back(std::abs(measure(probe)));
    }
    if (sizes.empty()) return 0;
    const auto place = sizes.begin() + static_cast<std::ptrdiff_t>(9 * sizes.size() / 10);
    std::nth_element(sizes.begin(), place, sizes.end());
    return *place;
}

/// Halves [u, v], keeping the half over which `measure` changes more, until two neighbouring numbers are left or the
/// change has all but gone: true for a jump, then at v. `usual` is how large the measure usually is: 1 - tanh(p)
/// consists of rounding where it is small.
template <class Measure>
bool find_jump(const Section& section, Probe& u, Probe& v, double usual, Measure measure) {
    const double change = std::abs(measure(v) - measure(u));
    const double smallest = kJump * (std::abs(measure(u)) + std::abs(measure(v))) + kNoise * usual;
    if (!(change > smallest)) return false;
    for (int k = 0; k < 100; ++k) {
        const double middle = u.p + (v.p - u.p) / 2;
        if (!(u.p < middle && middle < v.p)) break;
        const Probe m = section.at(middle);
        if (!finite(m)) return false;
        if (!std::isfinite(measure(m))) {  // as the slope of the square root of a distance
            v = m;
            return true;
        }
        const double left = std::abs(measure(m) - measure(u)), right = std::abs(measure(v) - measure(m));
        (left >= right ? v : u) = m;
        if (std::max(left, right) < std::max(1e-3 * change, smallest)) return false;
    }
    return true;
}

void sort_and_merge(std::vector<double>& places, double scale) {
    std::ranges::sort(places);
    const auto same = [&](double a, double b) { return std::abs(a - b) <= kRounding * (scale + std::abs(a)); };
    places.erase(std::unique(places.begin(), places.end(), same), places.end());
}

constexpr std::array kPlaces = {Kink::Place::offset, Kink::Place::fixed, Kink::Place::ratio, Kink::Place::reciprocal};

/// The kink of that kind which lies at `place` for `target`.
Kink hypothesis(Kink::Place kind, double place, double target) {
    // Away from rounding: a kink at the target itself has the offset 0.
    const auto snapped = [&](double value) {
        const double rounded = std::nearbyint(value);
        return std::abs(value - rounded) < kRounding ? rounded : value;
    };
    switch (kind) {
        case Kink::Place::offset:
            return {kind, snapped(place - target)};
        case Kink::Place::fixed:
            return {kind, snapped(place)};
        case Kink::Place::ratio:
            return {kind, snapped(place / target)};
        default:
            return {kind, snapped(place * target)};
    }
}

/// A rule for each kink, from the places where the targets that the loss allows have theirs.
bool explain(const std::vector<std::pair<double, std::vector<double>>>& found, std::vector<Kink>& kinks) {
    if (found.empty()) return true;
    const auto& [target, places] = found.front();
    for (const double place : places) {
        const auto holds = [&](const Kink& kink) {
            return std::ranges::all_of(found, [&](const auto& other) {
                const double at = kink.at(other.first);
                return std::ranges::any_of(other.second, [&](double p) {
                    return std::abs(p - at) <= kRounding * (std::abs(at) + std::abs(other.first));
                });
            });
        };
        bool known = false;
        for (const Kink::Place kind : kPlaces) {
            const Kink kink = hypothesis(kind, place, target);
            if (holds(kink)) {
                kinks.push_back(kink);
                known = true;
                break;
            }
        }
        if (!known) return false;
    }
    return std::ranges::all_of(found, [&](const auto& other) { return other.second.size() == kinks.size(); });
}

/// |r|^1.5 has a slope without jump and yet an infinite curvature.
bool has_bounded_curvature(const Section& section, double target) {
    constexpr double kNear = 1e-10, kFar = 1e-2, kGrowth = 1e2;
    for (const double side : {-1.0, 1.0}) {
        const double near = std::abs(section.curvature(target * (1 + side * kNear)));
        const double far = std::abs(section.curvature(target * (1 + side * kFar)));
        if (std::isfinite(far) && !(near <= kGrowth * far)) return false;
    }
    return true;
}

double least_squares_factor(const Loss& loss) {
    const double factor = loss(1, 0);
    if (!(std::isfinite(factor) && factor > 0)) return 0;
    for (const double target : kTargets) {
        for (const double weight : {1.0, 0.3, 2.7}) {
            for (const double distance : {-41.3, -1.9, -0.37, 0.023, 0.71, 13.7, 503.1}) {
                const double expected = factor * weight * (distance * distance);
                const double rounding = 1e-12 * expected + 1e-13 * factor * weight * std::abs(target * distance);
                if (!(std::abs(loss(target + distance, target, weight) - expected) <= rounding)) return 0;
            }
        }
    }
    return factor;
}

}  // namespace

double evaluate_row(const Expression& expression, std::span<const double> features) {
    std::array<double, kMaxNodes> stack;
    std::size_t top = 0;
    for (const Node& node : expression.nodes) {
        if (node.op == Op::Constant) {
            stack[top++] = expression.constants[node.index];
        } else if (node.op == Op::Feature) {
            stack[top++] = features[node.index];
        } else {
            assert(node.arity <= 3 && node.arity <= top);
            top -= node.arity;
            stack[top] =
                apply(node.op, stack[top], node.arity > 1 ? stack[top + 1] : 0, node.arity > 2 ? stack[top + 2] : 0);
            ++top;
        }
    }
    return stack[0];
}

LossShape find_shape(const Loss& loss) {
    LossShape shape;
    shape.least_squares = least_squares_factor(loss);
    shape.continuous = shape.convex = shape.piecewise_linear = shape.non_negative = true;
    shape.towards_target = shape.bounded_curvature = true;
    std::vector<std::pair<double, std::vector<double>>> found;
    bool any_kink = false;
    bool any_finite = false;
    for (const double target : kTargets) {
        const Section section(loss, target);
        const std::vector<Probe> grid = section.grid();
        const auto value = [](const Probe& p) { return p.value; };
        const auto slope = [](const Probe& p) { return p.slope; };
        const double usual_value = usual_size(grid, value), usual_slope = usual_size(grid, slope);
        std::vector<double> places;
        bool allowed = false;
        for (std::size_t k = 0; k + 1 < grid.size(); ++k) {
            const Probe &left = grid[k], &right = grid[k + 1];
            if (!finite(left) || !finite(right)) continue;
            allowed = true;
            const double rounding = kRounding * (std::abs(left.slope) + std::abs(right.slope));
            shape.convex = shape.convex && right.slope >= left.slope - rounding;
            shape.non_negative = shape.non_negative && left.value >= 0 && right.value >= 0;
            shape.towards_target = shape.towards_target && left.slope * (left.p - target) >= 0;
            Probe u = left, v = right;
            if (find_jump(section, u, v, usual_value, value)) shape.continuous = false;
            u = left, v = right;
            if (find_jump(section, u, v, usual_slope, slope)) {
                places.push_back(v.p);
            } else if (std::abs(right.slope - left.slope) > rounding || section.curvature(left.p) != 0) {
                shape.piecewise_linear = false;
            }
        }
        if (!allowed) continue;
        any_finite = true;
        shape.bounded_curvature = shape.bounded_curvature && has_bounded_curvature(section, target);
        sort_and_merge(places, std::abs(target));
        any_kink = any_kink || !places.empty();
        found.emplace_back(target, std::move(places));
    }
    shape.convex = shape.convex && shape.continuous && any_finite;
    shape.piecewise_linear = shape.piecewise_linear && shape.continuous && any_finite;
    shape.smooth = !any_kink && shape.continuous && any_finite;
    shape.kinks_known = any_kink && explain(found, shape.kinks);
    if (!shape.kinks_known) shape.kinks.clear();
    return shape;
}

}  // namespace balmer::fit
