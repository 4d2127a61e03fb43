#include "search/description_length.hpp"

#include <algorithm>
#include <cmath>

namespace balmer::search {
namespace {

constexpr double kLn2 = 0.6931471805599453;

/// q <= 12 such that c = p / q with a whole p below a million; 0 if there is none.
int small_denominator(double c) {
    for (int q = 1; q <= 12; ++q) {
        const double p = std::nearbyint(c * q);
        if (p < 1e6 && c == p / q) return q;
    }
    return 0;
}

constexpr double kEnoughRows = 8;
constexpr double kUncommon = 1.5, kRare = 3;

/// Nats by which an operator is rarer in laws than arithmetic, squares and roots. (Guimera et al. 2020 count operators in
/// formulas; these are round figures for the same ranking.)
double rarity_of(Op op) {
    switch (op) {
        case Op::Exp:
        case Op::Log:
        case Op::Sin:
        case Op::Cos:
            return kUncommon;
        default:
            return info(op).units == Units::pure ? kRare : 0;
    }
}

double ln(double x) { return balmer::apply(Op::Log, x); }

/// Variance of rounding if every value is a multiple of the same power of ten (relative to the largest), else 0.
double rounding_variance(std::span<const double> y) {
    double largest = 0;
    for (const double v : y) largest = std::max(largest, std::abs(v));
    if (!(largest > 0) || !std::isfinite(largest)) return 0;
    double unit = 1;
    while (unit > largest) unit /= 10;
    while (unit * 10 <= largest) unit *= 10;
    for (int digits = 0; digits < 7; ++digits, unit /= 10) {
        const bool all = std::all_of(y.begin(), y.end(), [&](double v) {
            const double multiple = v / unit;
            return std::abs(multiple - std::nearbyint(multiple)) < 1e-9 * std::max(1.0, std::abs(multiple));
        });
        // Integers are counts as often as rounded numbers: only decimals are taken as a sign of rounding.
        if (all) return unit < 1 && y.size() >= 8 ? unit * unit / 12 : 0;
    }
    return 0;
}

/// What fitting p constants to n rows flatters the fit by, beyond the large-sample figure (Hurvich & Tsai 1989); infinite
/// where the constants can follow the rows.
double flattery(double p, double n) {
    if (p < 2) return 0;
    return n - p - 1 > 0 ? p * (p + 1) / (n - p - 1) : INFINITY;
}

}  // namespace

DescriptionScale description_scale(std::span<const double> y, double symbols) {
    double mean = 0, variance = 0;
    for (const double v : y) mean += v;
    mean /= static_cast<double>(y.size());
    for (const double v : y) variance += (v - mean) * (v - mean);
    variance /= static_cast<double>(y.size());
    return {.rows = static_cast<double>(y.size()),
            .quantum = std::max(rounding_variance(y), 1e-16 * variance),
            .symbols = std::max(symbols, 2.0),
            .structure = 1 + std::clamp((kEnoughRows - static_cast<double>(y.size())) / 2, 0.0, 1.0)};
}

double description_length(double nodes, double constants, double mse, const DescriptionScale& scale) {
    if (!std::isfinite(mse)) return INFINITY;
    const double floor = std::max(scale.quantum, 1e-300);
    return 0.5 * scale.rows * ln(std::max(mse, floor)) + scale.structure * nodes * ln(scale.symbols) +
           0.5 * constants * ln(scale.rows + 1) + flattery(constants, scale.rows);
}

double description_length(const Expression& e, double mse, const DescriptionScale& scale,
                          std::span<const double> errors) {
    double constants = 0, fitted = 0;
    for (std::size_t k = 0; k < e.constants.size(); ++k) {
        const double c = std::abs(e.constants[k]);
        const int denominator = small_denominator(c);
        if (denominator > 0) {
            constants += ln(c * denominator + 1) + ln(denominator) + kLn2;
            continue;
        }
        ++fitted;
        if (k < errors.size() && errors[k] > 0) {
            constants += std::clamp(ln(c / errors[k]) - 0.5493061443340548, 0.0, 20.0) + kLn2;
        } else {
            constants += 0.5 * ln(scale.rows + 1) + kLn2;
        }
    }
    double rarity = 0;
    for (const Node& node : e.nodes) {
        if (!node.is_leaf() && !OperatorSet::is_user(node.op)) rarity += rarity_of(node.op);
    }
    // A number to the power of a formula is an exponential in disguise.
    for (std::size_t i = 1; i < e.size(); ++i) {
        if (e.nodes[i].op == Op::Pow && e.nodes[i - 1].op != Op::Constant) rarity += kRare;
    }
    return description_length(static_cast<double>(e.size()), 0, mse, scale) + constants + flattery(fitted, scale.rows) +
           scale.structure * rarity;
}

}  // namespace balmer::search
