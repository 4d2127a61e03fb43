#include "search/probe.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <optional>

#include "balmer/expr/simplify.hpp"
#include "eval/columns.hpp"
#include "search/surface.hpp"

namespace balmer::search {
namespace {

constexpr double kShortestArc = 1.8;  // of an angle: polynomials follow the cosine over less
constexpr std::size_t kFewestRows = 40, kMostRows = 1000;
constexpr std::size_t kMostSteps = 10, kMostViews = 8, kMostVariables = 24;
constexpr double kProposal = 0.35;  // largest relative misfit of two gradients that is worth a test

double ln(double x) { return balmer::apply(Op::Log, x); }

/// Coordinates in which sums of two variables are looked for.
enum class Chart : std::uint8_t { logarithm, plain, square, inverse };

bool positive(const std::vector<double>& x, std::size_t rows) {
    return std::all_of(x.begin(), x.begin() + static_cast<std::ptrdiff_t>(rows), [](double v) { return v > 0; });
}

bool in_chart(const std::vector<double>& x, std::size_t rows, Chart chart) {
    if (chart == Chart::logarithm) return positive(x, rows);
    if (chart == Chart::inverse) {
        return std::all_of(x.begin(), x.begin() + static_cast<std::ptrdiff_t>(rows), [](double v) { return v != 0; });
    }
    return true;
}

double chart_value(double x, Chart chart) {
    switch (chart) {
        case Chart::logarithm:
            return ln(x);
        case Chart::square:
            return x * x;
        case Chart::inverse:
            return 1 / x;
        default:
            return x;
    }
}

Expression chart_expression(const Expression& x, Chart chart, const Vocabulary& v) {
    if (chart == Chart::square) return v.power(x, 2);
    if (chart == Chart::inverse) return v.reciprocal(x);
    return x;
}

/// A response that surfaces are fitted to, on the first rows of a view.
struct Response {
    std::vector<double> value, root_weight;
    bool logarithmic = false;
};

class Prober {
   public:
    Prober(const View& raw, const Vocabulary& vocabulary)
        : vocabulary_(vocabulary), rows_(std::min(raw.target.size(), kMostRows)), view_(raw) {}

    ProbeResult run() {
        ProbeResult result;
        if (rows_ < kFewestRows || view_.variables.empty() || view_.variables.size() > kMostVariables) return result;
        noise_ = INFINITY;
        estimate_noise();
        for (std::size_t step = 0; step < kMostSteps && !view_.variables.empty(); ++step) {
            // Where y has no logarithm, powers come off one by one; where it has one that no surface follows, as a last resort.
            const bool has_log = !log_responses().empty();
            if (!peel() && !substitute() && !(!has_log && peel_signed()) && !merge({Chart::logarithm, Chart::plain}) &&
                !merge({Chart::square, Chart::inverse}) && !(has_log && peel_signed()) && !drop()) {
                break;
            }
            result.views.insert(result.views.begin(), view_);
            estimate_noise();
        }
        result.surface_residual = std::isfinite(noise_) ? noise_ : 0;
        if (result.views.size() > kMostViews) {
            result.views.erase(result.views.begin() + kMostViews - 2, result.views.end() - 2);
        }
        return result;
    }

   private:
    const Vocabulary& vocabulary_;
    std::size_t rows_;
    View view_;
    double noise_ = 0;

    [[nodiscard]] Response plain_response() const {
        Response r;
        r.value.assign(view_.target.begin(), view_.target.begin() + static_cast<std::ptrdiff_t>(rows_));
        if (!view_.weight.empty()) {
            for (std::size_t i = 0; i < rows_; ++i) r.root_weight.push_back(std::sqrt(view_.weight[i]));
        }
        return r;
    }

    /// ln|y| where the sign of y is that of the noise at most, weighted so that it counts like y.
    [[nodiscard]] std::optional<Response> weighted_log() const {
        const double sum = view_.weight_sum / static_cast<double>(view_.target.size());
        double sign = 0, typical = 0;
        for (std::size_t i = 0; i < rows_; ++i) {
            sign += view_.target[i];
            typical += (view_.weight.empty() ? 1 : view_.weight[i] / sum) * view_.target[i] * view_.target[i];
        }
        typical = std::sqrt(typical / static_cast<double>(rows_));
        Response r;
        r.logarithmic = true;
        std::size_t lost = 0;
        double largest = 0;
        for (std::size_t i = 0; i < rows_; ++i) {
            const double y = view_.target[i], w = view_.weight.empty() ? 1 : view_.weight[i] / sum;
            const double noise = noise_ / std::sqrt(std::max(w, 1e-300));  // in units of this view's target
            // The estimate may be too large by far: no row above a twentieth of the typical size is given up for it.
            if (y * sign <= 0 || std::abs(y) < std::min(3 * noise, 0.05 * typical / std::sqrt(std::max(w, 1e-300)))) {
                if (y * sign < 0 && std::abs(y) > 6 * noise) return std::nullopt;
                ++lost;
                r.value.push_back(0);
                r.root_weight.push_back(0);
                continue;
            }
            r.value.push_back(ln(std::abs(y)));
            r.root_weight.push_back(std::abs(y) * std::sqrt(w));
            largest = std::max(largest, r.root_weight.back());
        }
        if (rows_ - lost < std::max<std::size_t>(60, rows_ / 5)) return std::nullopt;
        for (double& w : r.root_weight) w /= largest;
        return r;
    }

    /// ln|y|, all rows alike: for data without noise small y say as much as large ones.
    [[nodiscard]] std::optional<Response> plain_log() const {
        Response r;
        r.logarithmic = true;
        for (std::size_t i = 0; i < rows_; ++i) {
            if (!(view_.target[i] * view_.target[0] > 0)) return std::nullopt;
            r.value.push_back(ln(std::abs(view_.target[i])));
        }
        return r;
    }

    /// The likelier one first: a smooth surface that leaves a thousandth of y is hardly noise.
    [[nodiscard]] std::vector<Response> log_responses() const {
        double mean_square = 0;
        for (std::size_t i = 0; i < rows_; ++i) {
            const double y = view_.target[i];
            mean_square += (view_.weight.empty() ? 1 : view_.weight[i]) * y * y;
        }
        mean_square /= static_cast<double>(rows_) * view_.weight_sum / static_cast<double>(view_.target.size());
        const bool clean = noise_ * noise_ < 1e-6 * mean_square;
        std::vector<Response> all;
        for (const bool plain : {clean, !clean}) {
            if (std::optional<Response> r = plain ? plain_log() : weighted_log()) all.push_back(std::move(*r));
        }
        return all;
    }

    /// The coordinates of all variables: their logarithms where they are positive (and wanted).
    [[nodiscard]] std::vector<std::vector<double>> coordinates(Chart chart) const {
        std::vector<std::vector<double>> z;
        for (const Variable& v : view_.variables) {
            std::vector<double> column(rows_);
            const bool fits = in_chart(v.values, rows_, chart);
            for (std::size_t i = 0; i < rows_; ++i) column[i] = fits ? chart_value(v.values[i], chart) : v.values[i];
            z.push_back(std::move(column));
        }
        return z;
    }

    /// `free`: numbers of the coordinates of the polynomial, `linear`: of those that enter linearly.
    static bool fit(Surface& surface, const std::vector<std::vector<double>>& z, const std::vector<std::size_t>& free,
                    const std::vector<std::size_t>& linear, const Response& response, int degree) {
        std::vector<const std::vector<double>*> p, l;
        for (const std::size_t j : free) p.push_back(&z[j]);
        for (const std::size_t j : linear) l.push_back(&z[j]);
        return surface.fit(p, l, response.value, response.root_weight, degree);
    }

    [[nodiscard]] std::vector<std::size_t> everything() const {
        std::vector<std::size_t> all(view_.variables.size());
        for (std::size_t j = 0; j < all.size(); ++j) all[j] = j;
        return all;
    }

    /// The least residual of surfaces for y and for ln y, in units of the raw target.
    void estimate_noise() {
        if (view_.variables.empty()) return;
        const int degree = degree_for(view_.variables.size());
        const double unit_weight = view_.weight_sum / static_cast<double>(view_.target.size());
        Surface surface;
        for (const Chart chart : {Chart::plain, Chart::logarithm}) {
            if (fit(surface, coordinates(chart), everything(), {}, plain_response(), degree)) {
                noise_ = std::min(noise_, surface.residual() / std::sqrt(unit_weight));
            }
        }
        const double sign = view_.target[0];
        Response response;
        for (std::size_t i = 0; i < rows_; ++i) {
            if (!(view_.target[i] * sign > 0)) return;
            response.value.push_back(ln(std::abs(view_.target[i])));
        }
        if (!fit(surface, coordinates(Chart::logarithm), everything(), {}, response, degree)) return;
        double sum = 0;
        for (std::size_t i = 0; i < rows_; ++i) {
            const double e = view_.target[i] * (1 - balmer::apply(Op::Exp, -surface.residuals()[i]));
            sum += (view_.weight.empty() ? 1 : view_.weight[i]) * e * e;
        }
        const double residual =
            std::sqrt(sum / (static_cast<double>(rows_) - static_cast<double>(surface.terms())) / unit_weight);
        if (std::isfinite(residual)) noise_ = std::min(noise_, residual);
    }

    /// An angle that only acts through its cosine or sine: polynomials follow that, but not several periods.
    bool substitute() {
        const Response response = plain_response();
        const int degree = degree_for(view_.variables.size());
        const std::vector<std::vector<double>> z = coordinates(Chart::logarithm);
        Surface surface;
        if (!fit(surface, z, everything(), {}, response, degree)) return false;
        const double least = surface.evidence() - 0.7 * static_cast<double>(rows_);  // half the residual or less
        double best = least;
        std::size_t which = 0;
        Op op = Op::Constant;
        for (std::size_t j = 0; j < view_.variables.size(); ++j) {
            const std::vector<double>& x = view_.variables[j].values;
            const auto [low, high] = std::minmax_element(x.begin(), x.end());
            if (*high - *low < kShortestArc || std::max(std::abs(*low), std::abs(*high)) > 100) continue;
            for (const Op candidate : {Op::Cos, Op::Sin}) {
                if (!vocabulary_.has(candidate)) continue;
                std::vector<std::vector<double>> turned = z;
                for (std::size_t i = 0; i < rows_; ++i) turned[j][i] = balmer::apply(candidate, x[i]);
                if (fit(surface, turned, everything(), {}, response, degree) && surface.evidence() < best) {
                    best = surface.evidence();
                    which = j;
                    op = candidate;
                }
            }
        }
        if (op == Op::Constant) return false;
        Variable& v = view_.variables[which];
        v.expression = vocabulary_.apply(op, v.expression);
        for (double& x : v.values) x = balmer::apply(op, x);
        view_.name += std::string(op == Op::Cos ? " cos" : " sin") + "(x" + std::to_string(which) + ")";
        return !v.expression.nodes.empty();
    }

    void erase(std::vector<std::size_t> gone) {
        std::sort(gone.rbegin(), gone.rend());
        for (const std::size_t j : gone)
            view_.variables.erase(view_.variables.begin() + static_cast<std::ptrdiff_t>(j));
    }

    /// Variables without which a surface is no worse.
    bool drop() {
        if (view_.variables.size() < 2) return false;
        const Response response = plain_response();
        const std::vector<std::vector<double>> z = coordinates(Chart::logarithm);
        const int degree = degree_for(view_.variables.size());
        std::vector<std::size_t> kept = everything(), gone;
        Surface surface;
        if (!fit(surface, z, kept, {}, response, degree) || surface.r_squared() < 0.9) return false;
        double evidence = surface.evidence();
        for (std::size_t j = 0; j < view_.variables.size() && kept.size() > 1; ++j) {
            std::vector<std::size_t> fewer = kept;
            std::erase(fewer, j);
            if (!fit(surface, z, fewer, {}, response, degree) || surface.evidence() > evidence) continue;
            evidence = surface.evidence();
            kept = fewer;
            gone.push_back(j);
        }
        if (gone.empty()) return false;
        for (const std::size_t j : gone) view_.name += " -" + std::to_string(j);
        erase(gone);
        return true;
    }

    /// Divides the target by powers of variables and leaves these out.
    void divide_by(const std::vector<std::size_t>& which, const std::vector<double>& exponents) {
        if (view_.weight.empty()) view_.weight.assign(view_.target.size(), 1.0);
        for (std::size_t k = 0; k < which.size(); ++k) {
            const Variable& v = view_.variables[which[k]];
            view_.name += " /x" + std::to_string(which[k]) + "^" + std::to_string(exponents[k]).substr(0, 5);
            if (exponents[k] == 0) continue;
            for (std::size_t i = 0; i < view_.target.size(); ++i) {
                const double unit = balmer::apply(Op::Pow, v.values[i], exponents[k]);
                view_.target[i] /= unit;
                view_.weight[i] *= unit * unit;
            }
            view_.unit.push_back({v.expression, exponents[k]});
        }
        erase(which);
    }

    struct Split {
        std::vector<std::size_t> free, linear;
        double evidence = INFINITY;
        int degree = 0;
    };

    /// Which coordinates need more than a slope: from none on, adding the one (or the pair) that helps most.
    [[nodiscard]] Split split_forward(const std::vector<std::vector<double>>& z, const Response& response) const {
        Split best;
        for (std::size_t j = 0; j < view_.variables.size(); ++j) {
            (positive(view_.variables[j].values, view_.target.size()) ? best.linear : best.free).push_back(j);
        }
        Surface surface;
        const auto evidence_of = [&](const Split& split) {
            const bool ok = fit(surface, z, split.free, split.linear, response, degree_for(split.free.size()));
            return ok ? surface.evidence() : INFINITY;
        };
        best.evidence = evidence_of(best);
        for (bool better = true; better && !best.linear.empty();) {
            better = false;
            Split next = best;
            const auto attempt = [&](std::initializer_list<std::size_t> freed) {
                Split trial = best;
                for (const std::size_t j : freed) {
                    std::erase(trial.linear, j);
                    trial.free.push_back(j);
                }
                trial.evidence = evidence_of(trial);
                if (trial.evidence < next.evidence) {
                    next = trial;
                    better = true;
                }
            };
            for (const std::size_t j : best.linear) attempt({j});
            // Variables that act through a difference may help in pairs only, and then much.
            if (best.free.size() < 2) {
                for (const std::size_t j : best.linear) {
                    for (const std::size_t k : best.linear) {
                        if (j < k) attempt({j, k});
                    }
                }
            }
            best = next;
        }
        return best;
    }

    /// The same from the other end: all free, taking away those that a slope serves as well.
    [[nodiscard]] Split split_backward(const std::vector<std::vector<double>>& z, const Response& response) const {
        Split best;
        best.free = everything();
        const int degree = degree_for(best.free.size());
        Surface surface;
        if (!fit(surface, z, best.free, {}, response, degree)) return best;
        best.evidence = surface.evidence();
        std::vector<std::pair<double, std::size_t>> order;  // the steadiest slopes first
        for (const std::size_t j : best.free) {
            if (!positive(view_.variables[j].values, view_.target.size())) continue;
            const std::vector<double> g = surface.gradient(j);
            double mean = 0, spread = 0;
            for (const double v : g) mean += v;
            mean /= static_cast<double>(g.size());
            for (const double v : g) spread += (v - mean) * (v - mean);
            order.emplace_back(spread, j);
        }
        std::sort(order.begin(), order.end());
        for (const auto& [spread, j] : order) {
            Split trial = best;
            std::erase(trial.free, j);
            trial.linear.push_back(j);
            if (!fit(surface, z, trial.free, trial.linear, response, degree) || surface.evidence() > best.evidence)
                continue;
            trial.evidence = surface.evidence();
            best = trial;
        }
        return best;
    }

    /// ln y = p ln x + h(others): variables whose logarithm may as well enter linearly.
    bool peel() {
        // Of the responses that y has, the one that a surface follows best goes first.
        const std::vector<Response> responses = log_responses();
        std::vector<std::pair<double, std::size_t>> order;
        std::vector<Split> splits;
        for (std::size_t k = 0; k < responses.size(); ++k) {
            const std::vector<std::vector<double>> z = coordinates(Chart::logarithm);
            const Split forward = split_forward(z, responses[k]), backward = split_backward(z, responses[k]);
            const bool first = forward.evidence <= backward.evidence;
            splits.push_back(first ? forward : backward);
            splits.back().degree = degree_for(first ? forward.free.size() : view_.variables.size());
            Surface surface;
            if (splits[k].linear.empty() ||
                !fit(surface, z, splits[k].free, splits[k].linear, responses[k], splits[k].degree)) {
                continue;
            }
            order.emplace_back(1 - surface.r_squared(), k);
        }
        std::sort(order.begin(), order.end());
        return std::any_of(order.begin(), order.end(),
                           [&](const auto& o) { return o.first < 0.5 && peel(responses[o.second], splits[o.second]); });
    }

    bool peel(const Response& response, const Split& split) {
        Surface surface;
        if (!fit(surface, coordinates(Chart::logarithm), split.free, split.linear, response, split.degree))
            return false;
        // Whole powers first, then halves, then thirds: a surface that does not follow the rest bends the slopes, and fewer
        // variables bear one that does.
        std::vector<std::size_t> which;
        std::vector<double> exponents;
        for (const int denominator : {1, 2, 3}) {
            for (std::size_t k = 0; k < split.linear.size(); ++k) {
                const double slope = surface.slope(k), error = surface.slope_error(k);
                const bool none = std::abs(slope) < std::max(4 * error, 1e-6);
                const double p = none ? 0 : std::nearbyint(denominator * slope) / denominator;
                if (!none && std::abs(slope - p) > std::clamp(4 * error, 0.01, 0.12)) continue;
                if (p != 0 && vocabulary_.power(Expression::feature(0), p).nodes.empty()) continue;
                which.push_back(split.linear[k]);
                exponents.push_back(p);
            }
            if (!which.empty()) break;
        }
        if (which.empty()) return false;
        divide_by(which, exponents);
        return true;
    }

    /// y = x^p h(others) where y changes its sign, so that it has no logarithm.
    bool peel_signed() {
        const int degree = degree_for(view_.variables.size());
        const std::vector<std::vector<double>> z = coordinates(Chart::logarithm);
        Surface surface;
        std::vector<double> unit(rows_);
        double best_gain = 0, best_exponent = 0;
        std::size_t best = 0;
        for (std::size_t j = 0; j < view_.variables.size(); ++j) {
            const std::vector<double>& x = view_.variables[j].values;
            if (!in_chart(x, view_.target.size(), Chart::inverse)) continue;
            for (const double p : {1.0, -1.0, 2.0, -2.0, 3.0, -3.0}) {
                // Both surfaces are of y / x^p, weighted so that the residual is that of y.
                Response scaled = plain_response();
                if (scaled.root_weight.empty()) scaled.root_weight.assign(rows_, 1.0);
                eval::apply(Op::Pow, unit.data(), x.data(), p, rows_);
                for (std::size_t i = 0; i < rows_; ++i) {
                    scaled.value[i] /= unit[i];
                    scaled.root_weight[i] *= std::abs(unit[i]);
                }
                std::vector<std::size_t> others = everything();
                if (!fit(surface, z, others, {}, scaled, degree) || surface.r_squared() < 0.5) continue;
                const double all = surface.evidence();
                std::erase(others, j);
                if (!fit(surface, z, others, {}, scaled, degree)) continue;
                // Of several powers that a surface bears, the right one leaves least.
                const double gain = all - surface.evidence();
                if (gain > 0 && (best_gain == 0 || gain > best_gain)) {
                    best_gain = gain;
                    best_exponent = p;
                    best = j;
                }
            }
        }
        if (best_gain <= 0) return false;
        divide_by({best}, {best_exponent});
        return true;
    }

    struct Proposal {
        double misfit;
        Chart chart;
        bool logarithmic;
        std::size_t i, j;
        double ratio;
        bool operator<(const Proposal& o) const {
            return std::tie(misfit, chart, logarithmic, i, j) < std::tie(o.misfit, o.chart, o.logarithmic, o.i, o.j);
        }
    };

    /// h(x_i, x_j) = h(x_i x_j^r) or h(f(x_i) +- f(x_j)): gradients that are proportional everywhere.
    bool merge(std::initializer_list<Chart> charts) {
        const std::size_t d = view_.variables.size();
        if (d < 2) return false;
        const int degree = degree_for(d);
        std::vector<Proposal> proposals;
        const std::vector<Response> logs = log_responses();
        const Response* log_of_y = logs.empty() ? nullptr : &logs[0];
        const Response plain = plain_response();
        std::vector<double> evidence;
        for (const Chart chart : charts) {
            const std::vector<std::vector<double>> z = coordinates(chart);
            for (const bool logarithmic : {true, false}) {
                if (logarithmic && !log_of_y) continue;
                Surface surface;
                const Response& response = logarithmic ? *log_of_y : plain;
                if (!fit(surface, z, everything(), {}, response, degree) || surface.r_squared() < 0.8) continue;
                std::vector<std::vector<double>> g;
                for (std::size_t j = 0; j < d; ++j) g.push_back(surface.gradient(j));
                for (std::size_t i = 0; i < d; ++i) {
                    for (std::size_t j = 0; j < d; ++j) {
                        if (i == j || !in_chart(view_.variables[i].values, view_.target.size(), chart) ||
                            !in_chart(view_.variables[j].values, view_.target.size(), chart)) {
                            continue;
                        }
                        propose(g, i, j, chart, logarithmic, proposals);
                    }
                }
            }
        }
        std::sort(proposals.begin(), proposals.end());
        for (std::size_t k = 0; k < std::min<std::size_t>(proposals.size(), 6); ++k) {
            if (accept(proposals[k], proposals[k].logarithmic ? *log_of_y : plain, degree)) return true;
        }
        return false;
    }

    static void propose(const std::vector<std::vector<double>>& g, std::size_t i, std::size_t j, Chart chart,
                        bool logarithmic, std::vector<Proposal>& proposals) {
        double ii = 0, ij = 0, jj = 0;
        for (std::size_t q = 0; q < g[i].size(); ++q) {
            ii += g[i][q] * g[i][q];
            ij += g[i][q] * g[j][q];
            jj += g[j][q] * g[j][q];
        }
        if (!(ii > 0) || !(jj > 0)) return;
        const double slope = ij / ii;
        double ratio = 0;
        if (chart == Chart::logarithm) {
            ratio = nearest_simple_exponent(slope, 0.2);
            const double size = std::abs(ratio);
            if (!(size == 1 || size == 2 || size == 3 || size == 1.5) || std::abs(slope - ratio) > 0.12 * size) return;
            if (size == 1 && i > j) return;  // the same pair from the other side
        } else {
            if (i > j || std::abs(std::abs(slope) - 1) > 0.15) return;
            ratio = slope < 0 ? -1 : 1;
        }
        double rest = 0;
        for (std::size_t q = 0; q < g[i].size(); ++q) {
            const double e = g[j][q] - ratio * g[i][q];
            rest += e * e;
        }
        const double misfit = std::sqrt(rest / jj);
        if (misfit < kProposal) proposals.push_back({misfit, chart, logarithmic, i, j, ratio});
    }

    bool accept(const Proposal& p, const Response& response, int degree) {
        std::vector<std::vector<double>> z = coordinates(p.chart);
        Surface surface;
        if (!fit(surface, z, everything(), {}, response, degree)) return false;
        const double all = surface.evidence();
        for (std::size_t q = 0; q < rows_; ++q) z[p.i][q] += p.ratio * z[p.j][q];
        std::vector<std::size_t> fewer = everything();
        std::erase(fewer, p.j);
        // Fewer coordinates bear a higher degree: where only the degree limits both surfaces, equal ones would not be fair.
        double merged_evidence = INFINITY;
        for (const int more : {0, 1, 2}) {
            if (fit(surface, z, fewer, {}, response, degree + more)) {
                merged_evidence = std::min(merged_evidence, surface.evidence());
            }
        }
        if (merged_evidence > all) return false;
        const Variable &a = view_.variables[p.i], &b = view_.variables[p.j];
        Variable merged;
        merged.values.resize(view_.target.size());
        if (p.chart == Chart::logarithm) {
            const Power powers[] = {{a.expression, 1}, {b.expression, p.ratio}};
            merged.expression = power_product(1, powers, vocabulary_);
            for (std::size_t q = 0; q < merged.values.size(); ++q) {
                merged.values[q] = a.values[q] * balmer::apply(Op::Pow, b.values[q], p.ratio);
            }
        } else {
            const Expression fa = chart_expression(a.expression, p.chart, vocabulary_),
                             fb = chart_expression(b.expression, p.chart, vocabulary_);
            merged.expression = p.ratio < 0 ? vocabulary_.subtract(fa, fb) : vocabulary_.add(fa, fb);
            for (std::size_t q = 0; q < merged.values.size(); ++q) {
                merged.values[q] = chart_value(a.values[q], p.chart) + p.ratio * chart_value(b.values[q], p.chart);
            }
        }
        if (merged.expression.nodes.empty()) return false;
        merged.expression = simplify(merged.expression, vocabulary_.operators());
        static constexpr std::array<const char*, 4> kNames = {"*", "+", "^2+", "^-1+"};
        view_.name += " [x" + std::to_string(p.i) + kNames[static_cast<std::size_t>(p.chart)] +
                      std::to_string(p.ratio).substr(0, 4) + " x" + std::to_string(p.j) + "]";
        erase({p.i, p.j});
        view_.variables.push_back(std::move(merged));
        return true;
    }
};

}  // namespace

ProbeResult probe(const View& raw, const Vocabulary& vocabulary) { return Prober(raw, vocabulary).run(); }

}  // namespace balmer::search
