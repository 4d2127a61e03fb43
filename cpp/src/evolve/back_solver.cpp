#include "balmer/evolve/back_solver.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "eval/columns.hpp"
#include "evolve/assembly.hpp"

namespace balmer {

namespace {

constexpr std::size_t kRows = 64, kFewestRows = 20;
constexpr std::size_t kPool = 256;          // with their squares, a quarter of a megabyte
constexpr std::size_t kTrials = 4 * kPool;  // formulas that are looked at for it
constexpr std::uint32_t kTried = 64;        // pieces of it, in one mutation
constexpr double kUsableShare = 0.5;        // of the rows, on which the part has a value
constexpr double kWorthOffset = 0.9;        // of the error without one
constexpr double kConstant = 1e-12;         // spread of values that are all the same
constexpr double kSameValues = 1e-10;       // of two columns

double value(Op op, double x) { return balmer::apply(op, x); }

bool holds(const Expression& e, std::size_t root, std::size_t node) { return e.begin_of(root) <= node && node <= root; }

}  // namespace

void Wanted::set(std::size_t row, double v, double s) {
    const bool usable = std::isfinite(v) && std::isfinite(s) && s > 0;
    value[row] = usable ? v : 0;
    slope[row] = usable ? s : 0;
}

bool is_invertible(Op op, std::size_t k) noexcept {
    switch (op) {
        case Op::Add:
        case Op::Sub:
        case Op::Mul:
        case Op::Div:
        case Op::Neg:
        case Op::Inv:
        case Op::Sqrt:
        case Op::Square:
        case Op::Cube:
        case Op::Exp:
        case Op::Log:
            return true;
        case Op::Pow:
            return k == 0;
        default:
            return false;
    }
}

Wanted wanted_of_operand(Op op, std::size_t k, const Wanted& wanted, std::span<const double> other,
                         std::span<const double> now) {
    const std::size_t n = wanted.value.size();
    Wanted inside{std::vector<double>(n), std::vector<double>(n)};
    for (std::size_t i = 0; i < n; ++i) {
        const double t = wanted.value[i], s = wanted.slope[i], b = other.empty() ? 0 : other[i];
        switch (op) {
            case Op::Add:
                inside.set(i, t - b, s);
                break;
            case Op::Sub:
                inside.set(i, k == 0 ? t + b : b - t, s);
                break;
            case Op::Mul:
                inside.set(i, t / b, s * std::abs(b));
                break;
            case Op::Div:
                if (k == 0) {
                    inside.set(i, t * b, s / std::abs(b));
                } else {
                    inside.set(i, b / t, s * std::abs(t * t / b));
                }
                break;
            case Op::Pow: {
                const double root = t > 0 ? value(Op::Exp, value(Op::Log, t) / b) : NAN;
                inside.set(i, root, s * std::abs(b * t / root));
                break;
            }
            case Op::Neg:
                inside.set(i, -t, s);
                break;
            case Op::Inv:
                inside.set(i, 1 / t, s * t * t);
                break;
            case Op::Sqrt:
                inside.set(i, t > 0 ? t * t : NAN, s / (2 * t));
                break;
            case Op::Square: {
                const double root = std::copysign(std::sqrt(t), now[i]);
                inside.set(i, root, s * 2 * std::abs(root));
                break;
            }
            case Op::Cube: {
                const double root = value(Op::Cbrt, t);
                inside.set(i, root, s * 3 * root * root);
                break;
            }
            case Op::Exp:
                inside.set(i, value(Op::Log, t), s * t);
                break;
            case Op::Log: {
                const double power = value(Op::Exp, t);
                inside.set(i, power, s / power);
                break;
            }
            default:
                inside.set(i, NAN, 0);
                break;
        }
    }
    return inside;
}

BackSolver::BackSolver(const SearchSpace& space, const Dataset<double>& data)
    : space_(&space), rows_(std::min(kRows, data.n_rows())) {
    const std::span<const Op> operators = space.operators();
    const auto allowed = [&](Op op) { return std::ranges::find(operators, op) != operators.end(); };
    if (rows_ < kFewestRows || data.target() == nullptr || !allowed(Op::Add) || !allowed(Op::Mul)) return;
    for (std::size_t j = 0; j < data.n_features(); ++j) {
        columns_.insert(columns_.end(), data.column(j), data.column(j) + rows_);
    }
    target_.assign(data.target(), data.target() + rows_);
    if (data.weights() != nullptr) weight_.assign(data.weights(), data.weights() + rows_);
    sample_ = Dataset<double>::view({columns_.data(), rows_, data.n_features(), 1, rows_});
    Workspace<double> workspace;
    fill_pool(workspace);
}

/// Features, functions of one, operations on two, and functions of those, the smaller first.
void BackSolver::fill_pool(Workspace<double>& workspace) {
    for (std::uint32_t j = 0; j < std::min(space_->n_features(), kPool); ++j) {
        add_piece(Expression::feature(j), workspace);
    }
    const std::size_t features = pool_.size();
    std::size_t trials = 0;
    const auto wants_more = [&] { return pool_.size() < kPool && trials++ < kTrials; };
    const auto add_functions = [&](std::size_t first, std::size_t last) {
        for (std::size_t i = first; i < last; ++i) {
            for (const Op op : space_->operators_of_arity(1)) {
                if (!wants_more()) return;
                add_piece(Expression::apply(op, pool_[i].expression), workspace);
            }
        }
    };
    const auto add_pairs = [&] {
        for (std::size_t i = 0; i < features; ++i) {
            for (std::size_t j = 0; j < features; ++j) {
                for (const Op op : space_->operators_of_arity(2)) {
                    if (!wants_more()) return;
                    add_piece(Expression::apply(op, pool_[i].expression, pool_[j].expression), workspace);
                }
            }
        }
    };
    add_functions(0, features);
    const std::size_t pairs = pool_.size();
    add_pairs();
    add_functions(pairs, pool_.size());
}

void BackSolver::add_piece(Expression expression, Workspace<double>& workspace) {
    Piece piece{std::move(expression), {}, std::vector<double>(rows_)};
    piece.value = values_of(piece.expression, piece.expression.root(), workspace);
    double low = piece.value[0], high = piece.value[0];
    for (std::size_t i = 0; i < rows_; ++i) {
        const double v = piece.value[i];
        piece.square[i] = v * v;
        if (!std::isfinite(piece.square[i])) return;
        low = std::min(low, v);
        high = std::max(high, v);
    }
    const double size = std::max(std::abs(low), std::abs(high));
    if (high - low <= kConstant * size) return;
    const bool known = std::ranges::any_of(pool_, [&](const Piece& other) {
        return std::ranges::equal(other.value, piece.value,
                                  [&](double a, double b) { return std::abs(a - b) <= kSameValues * size; });
    });
    if (!known) pool_.push_back(std::move(piece));
}

std::vector<double> BackSolver::values_of(const Expression& e, std::size_t node, Workspace<double>& workspace) const {
    std::vector<double> values(rows_);
    const Evaluator<double> evaluator(sample_, space_->operator_set());
    if (node == e.root()) {
        evaluator.evaluate(e, values, workspace);
    } else {
        evaluator.evaluate(e.subtree(node), values, workspace);
    }
    return values;
}

std::optional<Wanted> BackSolver::wanted_at(const Expression& e, std::size_t node, Workspace<double>& workspace) const {
    Wanted wanted{target_, std::vector<double>(rows_, 1.0)};
    for (std::size_t at = e.root(); at != node;) {
        const Op op = e.nodes[at].op;
        std::size_t k = 0;
        while (!holds(e, e.operand(at, k), node)) ++k;
        if (OperatorSet::is_user(op) || !is_invertible(op, k)) return std::nullopt;
        const std::size_t inner = e.operand(at, k);
        std::vector<double> other, now;
        if (e.nodes[at].arity == 2) other = values_of(e, e.operand(at, 1 - k), workspace);
        if (op == Op::Square) now = values_of(e, inner, workspace);
        wanted = wanted_of_operand(op, k, wanted, other, now);
        at = inner;
    }
    return wanted;
}

BackSolver::Choice BackSolver::nearest(const Wanted& wanted, Rng& rng) const {
    // Least squares of the formula, to first order in the part: rows weigh as the square of its slope there.
    std::vector<double> w(rows_), wd(rows_);
    std::size_t usable = 0;
    for (std::size_t i = 0; i < rows_; ++i) {
        usable += wanted.slope[i] > 0 ? 1 : 0;
        w[i] = wanted.slope[i] * wanted.slope[i] * (weight_.empty() ? 1 : weight_[i]);
        wd[i] = w[i] * wanted.value[i];
    }
    Choice best;
    if (static_cast<double>(usable) < kUsableShare * static_cast<double>(rows_)) return best;
    const std::vector<double> ones(rows_, 1.0);
    const double sum = eval::dot(w.data(), ones.data(), rows_), sum_d = eval::dot(wd.data(), ones.data(), rows_),
                 sum_dd = eval::dot(wd.data(), wanted.value.data(), rows_);
    double least = std::numeric_limits<double>::infinity();
    const auto count = static_cast<std::uint32_t>(pool_.size());
    const std::uint32_t first = rng.below(count);
    for (std::uint32_t k = 0; k < std::min(kTried, count); ++k) {
        const Piece& piece = pool_[(first + k) % count];
        const double sum_g = eval::dot(w.data(), piece.value.data(), rows_),
                     sum_gg = eval::dot(w.data(), piece.square.data(), rows_),
                     sum_gd = eval::dot(wd.data(), piece.value.data(), rows_);
        const double alone = sum_dd - sum_gd * sum_gd / sum_gg;
        const double spread = sum_gg - sum_g * sum_g / sum, together = sum_gd - sum_g * sum_d / sum;
        const double shifted = sum_dd - sum_d * sum_d / sum - together * together / spread;
        const bool offset = shifted < kWorthOffset * alone;
        const double error = offset ? shifted : alone;
        if (!(error < least)) continue;  // NaN where the part hangs on no row
        least = error;
        const double factor = offset ? together / spread : sum_gd / sum_gg;
        best = {&piece, factor, offset ? (sum_d - factor * sum_g) / sum : 0};
    }
    return best;
}

bool BackSolver::apply(const Expression& parent, Rng& rng, Expression& child, Workspace<double>& workspace) const {
    if (parent.size() < 2) return false;
    const std::size_t node = rng.below(static_cast<std::uint32_t>(parent.size() - 1));  // not the root
    const std::optional<Wanted> wanted = wanted_at(parent, node, workspace);
    if (!wanted) return false;
    const auto [piece, factor, offset] = nearest(*wanted, rng);
    if (piece == nullptr || !std::isfinite(factor) || !std::isfinite(offset) || factor == 0) return false;
    Assembly out(child, parent.size() + piece->expression.size() + 4);
    out.before(parent, node);
    out.constant(factor);
    out.subtree(piece->expression, piece->expression.root());
    out.op(Op::Mul, 2);
    if (offset != 0) {
        out.constant(offset);
        out.op(Op::Add, 2);
    }
    out.after(parent, node);
    return true;
}

}  // namespace balmer
