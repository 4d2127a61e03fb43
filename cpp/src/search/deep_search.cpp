#include "search/deep_search.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>

#include "balmer/expr/simplify.hpp"
#include "eval/columns.hpp"
#include "eval/dispatch.hpp"
#include "search/model.hpp"
#include "search/scan_dispatch.hpp"

namespace balmer::search {
namespace {

constexpr std::size_t kKey = Library::kKeyRows;
constexpr std::size_t kFewestRows = 12;    // different ones, of kKey
constexpr double kGrid = 1e6;              // keys compare standardised values in steps of 1 / kGrid
constexpr double kExactInT = 1e-11;        // 1 - R^2 on the screen rows
constexpr float kExactInFloat = 2e-6F;     // 1 - R^2 that floats on the key rows leave
constexpr std::size_t kMostChecked = 400;  // hits that are looked at more closely
constexpr std::size_t kBatch = 4096;
constexpr double kLookupWork = 150, kColumnWork = 20;  // in nodes times rows

using KeyRow = std::array<double, kKey>;

/// Values shifted to mean 0 and scaled to norm 1. False if they are not finite, constant, or made up by a few rows.
bool standardised(const double* values, KeyRow& unit) {
    double mean = 0;
    for (std::size_t k = 0; k < kKey; ++k) mean += values[k];
    mean /= kKey;
    double norm = 0, size = 0;
    for (std::size_t k = 0; k < kKey; ++k) {
        unit[k] = values[k] - mean;
        norm += unit[k] * unit[k];
        size += values[k] * values[k];
    }
    if (!(norm > 1e-16 * size) || !std::isfinite(norm)) return false;
    const double root = std::sqrt(norm);
    double fourth = 0;
    for (double& u : unit) {
        u /= root;
        fourth += u * u * u * u;
    }
    return fourth < 0.4;  // above, two or three rows hold nearly all of the norm: such keys agree by chance
}

/// Equal for values that are affine functions of each other; 0 for values without a key.
std::uint64_t affine_key(const double* values) {
    KeyRow unit;
    if (!standardised(values, unit)) return 0;
    std::size_t first = 0;
    while (first + 1 < kKey && std::abs(unit[first]) < 1e-3) ++first;
    const double sign = unit[first] < 0 ? -1 : 1;
    std::uint64_t h = 0, multiplier = 0x9e3779b97f4a7c15u;
    for (std::size_t k = 0; k < kKey; ++k) {
        h += static_cast<std::uint64_t>(static_cast<std::int64_t>(std::nearbyint(sign * unit[k] * kGrid))) * multiplier;
        multiplier = multiplier * 0xd6e8feb86659fd93u + 2 * k + 1;
    }
    h ^= h >> 29;
    h *= 0xd6e8feb86659fd93u;
    h ^= h >> 32;
    return h == 0 ? 1 : h;
}

/// First formula of each affine class.
class ClassTable {
   public:
    explicit ClassTable(std::size_t capacity)
        : keys_(std::bit_ceil(2 * capacity + 16), 0), formulas_(keys_.size(), 0) {}

    void insert(std::uint64_t key, std::uint32_t formula) {
        if (key == 0) return;
        const std::size_t place = find(key);
        if (keys_[place] != 0) return;
        keys_[place] = key;
        formulas_[place] = formula;
    }

    [[nodiscard]] bool look_up(std::uint64_t key, std::uint32_t& formula) const {
        if (key == 0) return false;
        const std::size_t place = find(key);
        formula = formulas_[place];
        return keys_[place] != 0;
    }

   private:
    std::vector<std::uint64_t> keys_;
    std::vector<std::uint32_t> formulas_;

    [[nodiscard]] std::size_t find(std::uint64_t key) const {
        std::size_t place = key & (keys_.size() - 1);
        while (keys_[place] != 0 && keys_[place] != key) place = (place + 1) & (keys_.size() - 1);
        return place;
    }
};

/// How the formula u and the target make up what is looked for.
enum class Joint : std::uint8_t { minus, plus, divided, times };  // T - u, T + u, T / u, T * u

/// T(y) = joint(u, P(a g + b)).
struct Meeting {
    std::uint32_t u = 0, g = 0;
    Transform outer = Transform::identity, inner = Transform::identity;
    Joint joint = Joint::minus;
};

class DeepSearch {
   public:
    DeepSearch(const View& view, Polisher& polisher, const std::vector<std::uint32_t>& rows, const DeepOptions& options)
        : view_(view),
          polisher_(polisher),
          vocabulary_(polisher.vocabulary()),
          options_(options),
          library_(vocabulary_, view.variables, rows, options.formulas) {}

    bool run() {
        if (library_.n_different_key_rows() < kFewestRows) return false;
        while (library_.size() < options_.formulas && library_.grow()) {
            if (polisher_.stopped()) return false;
        }
        polisher_.work().used += library_.candidates() * kColumnWork;
        for (std::size_t t = 0; t < kTransforms; ++t) {
            const auto transform = static_cast<Transform>(t);
            if (!expressible(transform, vocabulary_)) continue;
            const TransformedTarget target = on(library_.key_rows(), transform);
            KeyRow unit;
            if (!target.value.empty() && standardised(target.value.data(), unit)) targets_.push_back(target);
        }
        return !targets_.empty() && (small_and_any() || halves());
    }

   private:
    const View& view_;
    Polisher& polisher_;
    const Vocabulary& vocabulary_;
    DeepOptions options_;
    Library library_;
    std::vector<TransformedTarget> targets_;
    LinearFit fit_;
    std::size_t checked_ = 0;
    std::vector<double> column_;

    [[nodiscard]] TransformedTarget on(std::span<const std::uint32_t> rows, Transform transform) const {
        const ViewSample sample = sample_of(view_, rows, 0);
        return transform_target(transform, sample.target, {}, 0);
    }

    /// T = a u + b g + c.
    bool small_and_any() {
        std::vector<std::uint32_t> small;
        std::vector<std::array<float, kKey>> rows;
        const auto add = [&](const KeyRow& unit) {
            std::array<float, kKey> row;
            for (std::size_t k = 0; k < kKey; ++k) row[k] = static_cast<float>(unit[k]);
            rows.push_back(row);
        };
        KeyRow unit;
        for (const TransformedTarget& target : targets_) {
            standardised(target.value.data(), unit);
            add(unit);
        }
        const std::size_t n_targets = rows.size();
        for (std::uint32_t i = 0; i < library_.size() && small.size() < options_.small; ++i) {
            if (library_.is_constant(i) || !standardised(library_.key(i), unit)) continue;
            small.push_back(i);
            add(unit);
        }
        std::vector<std::vector<float>> between(small.size(), std::vector<float>(n_targets));
        for (std::size_t u = 0; u < small.size(); ++u) {
            for (std::size_t t = 0; t < n_targets; ++t) {
                for (std::size_t k = 0; k < kKey; ++k) between[u][t] += rows[n_targets + u][k] * rows[t][k];
            }
        }
        const std::size_t padded_rows = (rows.size() + kScanRows - 1) / kScanRows * kScanRows;
        std::vector<float> products(padded_rows * kPanelLanes);
        alignas(64) float block[kKey * kPanelLanes];
        for (std::size_t i0 = 0; i0 < library_.size(); i0 += kPanelLanes) {
            std::uint32_t usable = 0;
            for (std::size_t lane = 0; lane < kPanelLanes; ++lane) {
                const std::size_t i = i0 + lane;
                const bool fine =
                    i < library_.size() && !library_.is_constant(i) && standardised(library_.key(i), unit);
                if (fine) usable |= std::uint32_t{1} << lane;
                for (std::size_t k = 0; k < kKey; ++k) {
                    block[k * kPanelLanes + lane] = fine ? static_cast<float>(unit[k]) : 0.0F;
                }
            }
            for (std::size_t q0 = 0; q0 < rows.size(); q0 += kScanRows) {
                const float* a[kScanRows];
                for (std::size_t q = 0; q < kScanRows; ++q) a[q] = rows[std::min(q0 + q, rows.size() - 1)].data();
                scan_kernels().dots(a, block, kKey, &products[q0 * kPanelLanes]);
            }
            for (std::size_t u = 0; u < small.size(); ++u) {
                const float* g = &products[(n_targets + u) * kPanelLanes];
                for (std::size_t t = 0; t < n_targets; ++t) {
                    std::uint32_t mask =
                        usable & scan_kernels().pair_hits(g, &products[t * kPanelLanes], between[u][t], kExactInFloat);
                    for (; mask != 0; mask &= mask - 1) {
                        const auto lane = static_cast<std::size_t>(std::countr_zero(mask));
                        const auto i = static_cast<std::uint32_t>(i0 + lane);
                        if (i != small[u] && try_sum(targets_[t].transform, small[u], i)) return true;
                    }
                }
            }
            if (i0 % kBatch == 0) {
                polisher_.work().used += static_cast<double>(kBatch * rows.size()) * 2;
                if (polisher_.stopped() || checked_ > kMostChecked) return false;
            }
        }
        return false;
    }

    bool try_sum(Transform transform, std::uint32_t u, std::uint32_t g) {
        if (++checked_ > kMostChecked) return false;
        const TransformedTarget target = on(library_.screen_rows(), transform);
        if (target.value.empty()) return false;
        const Expression parts[] = {library_.expression(u), library_.expression(g)};
        const std::vector<double> fu = values_of(parts[0]), fg = values_of(parts[1]);
        const double* columns[] = {fu.data(), fg.data()};
        if (!exact(target, columns)) return false;
        return submit(
            formula_of_y(linear_combination(fit_.coefficients()[0], fit_.coefficients().subspan(1), parts, vocabulary_),
                         target, view_, vocabulary_));
    }

    /// Whether T = c0 + sum c columns on the screen rows; fit_ has the coefficients.
    bool exact(const TransformedTarget& target, std::span<const double* const> columns) {
        const std::size_t n = target.value.size();
        if (!fit_.fit({}, target.value.data(), nullptr, n)) return false;
        const double spread = fit_.residual_sum();
        return fit_.fit(columns, target.value.data(), nullptr, n) && fit_.residual_sum() < kExactInT * spread;
    }

    /// Values on the screen rows.
    std::vector<double> values_of(const Expression& e) {
        column_.resize(polisher_.evaluator().data().n_rows());
        polisher_.evaluator().evaluate(e, column_, polisher_.workspace().evaluation);
        polisher_.work().used += static_cast<double>(e.size() * column_.size());
        std::vector<double> out;
        for (const std::uint32_t row : library_.screen_rows()) out.push_back(column_[row]);
        return out;
    }

    bool submit(const Expression& e) {
        if (e.nodes.empty()) return false;
        polisher_.submit({simplify(e, vocabulary_.operators())}, "deep", 6);
        return polisher_.archive().exact() != nullptr;
    }

    static double joined(double t, double u, Joint joint) {
        switch (joint) {
            case Joint::minus:
                return t - u;
            case Joint::plus:
                return t + u;
            case Joint::divided:
                return t / u;
            default:
                return t * u;
        }
    }

    /// P^-1 of the values, without the shifts and signs that affine keys do not see. False where it is not defined.
    static bool transformed(const KeyRow& w, Transform inner, KeyRow& out) {
        const bool one_sign = std::ranges::all_of(w, [&](double value) { return value * w[0] > 0; });
        const bool any_sign = inner == Transform::identity || inner == Transform::exp || inner == Transform::inverse;
        if (!one_sign && !any_sign) return false;
        switch (inner) {
            case Transform::inverse:
                for (std::size_t k = 0; k < kKey; ++k) out[k] = 1 / w[k];
                break;
            case Transform::square:
                for (std::size_t k = 0; k < kKey; ++k) out[k] = w[k] * w[k];
                break;
            case Transform::inverse_square:
                for (std::size_t k = 0; k < kKey; ++k) out[k] = 1 / (w[k] * w[k]);
                break;
            case Transform::log:
                for (std::size_t k = 0; k < kKey; ++k) out[k] = std::abs(w[k]);
                eval::apply(Op::Log, out.data(), out.data(), kKey);
                break;
            case Transform::exp:
                eval::apply(Op::Exp, out.data(), w.data(), kKey);
                break;
            default:
                out = w;
        }
        return std::ranges::all_of(out, [](double value) { return std::isfinite(value); });
    }

    bool halves() {
        ClassTable classes(library_.size());
        for (std::uint32_t i = 0; i < library_.size(); ++i) {
            if (!library_.is_constant(i)) classes.insert(affine_key(library_.key(i)), i);
        }
        polisher_.work().used += static_cast<double>(library_.size()) * kLookupWork;
        static constexpr std::array<Transform, 6> kOfProduct = {Transform::identity, Transform::inverse,
                                                                Transform::square,   Transform::inverse_square,
                                                                Transform::log,      Transform::exp};
        static constexpr std::array<Transform, 5> kOfSum = {Transform::identity, Transform::square, Transform::inverse,
                                                            Transform::log, Transform::exp};
        for (std::uint32_t u = 0; u < std::min(library_.size(), options_.halves); ++u) {
            if (library_.is_constant(u)) continue;
            double lookups = 0;
            for (const TransformedTarget& target : targets_) {
                const bool plain = target.transform == Transform::identity;
                for (const Joint joint : {Joint::minus, Joint::plus, Joint::divided, Joint::times}) {
                    const bool product = joint == Joint::divided || joint == Joint::times;
                    if (product && !plain) continue;  // powers of y are reached by powers of the product
                    KeyRow w, z;
                    for (std::size_t k = 0; k < kKey; ++k) w[k] = joined(target.value[k], library_.key(u)[k], joint);
                    const std::span<const Transform> inner =
                        product ? std::span<const Transform>(kOfProduct)
                                : std::span<const Transform>(kOfSum).first(plain ? kOfSum.size() : 2);
                    for (const Transform p : inner) {
                        ++lookups;
                        Meeting meeting{u, 0, target.transform, p, joint};
                        if (!transformed(w, p, z) || !classes.look_up(affine_key(z.data()), meeting.g)) continue;
                        if (try_meeting(meeting)) return true;
                    }
                }
            }
            polisher_.work().used += lookups * kLookupWork;
            if (polisher_.stopped() || checked_ > kMostChecked) return false;
        }
        return false;
    }

    bool try_meeting(const Meeting& m) {
        if (!expressible(m.inner, vocabulary_) || ++checked_ > kMostChecked) return false;
        TransformedTarget outer = on(library_.screen_rows(), m.outer);
        if (outer.value.empty()) return false;
        const Expression u = library_.expression(m.u), g = library_.expression(m.g);
        const std::vector<double> fu = values_of(u), fg = values_of(g);
        std::vector<double> w(fu.size());
        for (std::size_t k = 0; k < w.size(); ++k) {
            w[k] = joined(outer.value[k], fu[k], m.joint);
            if (!std::isfinite(w[k])) return false;
        }
        const TransformedTarget inner = transform_target(m.inner, w, {}, 0);
        const double* columns[] = {fg.data()};
        if (inner.value.empty() || inner.shift != 0 || outer.shift != 0 || !exact(inner, columns)) return false;
        const double slope[] = {fit_.coefficients()[1]};
        double offset = fit_.coefficients()[0];
        double largest = 0;
        for (const double v : fg) largest = std::max(largest, std::abs(v * slope[0]));
        if (std::abs(offset) < 1e-9 * largest) offset = 0;
        const Expression p =
            inverse_expression(inner, linear_combination(offset, slope, {&g, 1}, vocabulary_), vocabulary_);
        Expression z;
        switch (m.joint) {
            case Joint::minus:
                z = vocabulary_.add(u, p);
                break;
            case Joint::plus:
                z = vocabulary_.subtract(p, u);
                break;
            case Joint::divided:
                z = vocabulary_.multiply(u, p);
                break;
            case Joint::times:
                z = vocabulary_.divide(p, u);
                break;
        }
        return submit(formula_of_y(z, outer, view_, vocabulary_));
    }
};

}  // namespace

bool deep_search(const View& view, Polisher& polisher, const std::vector<std::uint32_t>& screen_rows,
                 const DeepOptions& options) {
    if (view.variables.empty() || screen_rows.size() < kFewestRows) return false;
    const eval::FlushSubnormals guard(eval::kernels());
    return DeepSearch(view, polisher, screen_rows, options).run();
}

}  // namespace balmer::search
