#include "search/atoms.hpp"

#include <algorithm>
#include <cmath>

#include "eval/dispatch.hpp"
#include "search/scan_kernels.hpp"

namespace balmer::search {
namespace {

constexpr double kConstant = 1e-7;
constexpr double kGrid = 2e5;  // standardised values are compared in steps of 1 / kGrid

/// Equal for columns that are affine functions of each other: the signs are taken from the first entry that is not small.
std::uint64_t class_key(const float* unit, std::size_t rows) noexcept {
    std::size_t first = 0;
    while (first + 1 < rows && std::abs(unit[first]) < 1e-3F) ++first;
    const float sign = unit[first] < 0 ? -1.0F : 1.0F;
    std::uint64_t h = 0, multiplier = 0x9e3779b97f4a7c15u;
    for (std::size_t k = 0; k < std::min<std::size_t>(rows, 24); ++k) {
        const auto step = static_cast<std::int64_t>(std::nearbyint(static_cast<double>(sign * unit[k]) * kGrid));
        h += static_cast<std::uint64_t>(step) * multiplier;
        multiplier = multiplier * 0xd6e8feb86659fd93u + 2 * k + 1;
    }
    return h ^ (h >> 29);
}

}  // namespace

void atom_values(const Library& library, const Atom& atom, double* out) {
    const std::size_t n = library.n_screen_padded();
    const double* values = library.screen(atom.node);
    if (!atom.logarithm) {
        std::copy_n(values, n, out);
        return;
    }
    const auto& forward = eval::kernels().f64.forward;
    forward[static_cast<std::size_t>(Op::Abs) - kFirstOp][eval::vv](out, values, nullptr, nullptr, n);
    forward[static_cast<std::size_t>(Op::Log) - kFirstOp][eval::vv](out, out, nullptr, nullptr, n);
}

bool standardise(const double* values, std::span<const double> root_weight, std::size_t rows, float* out) {
    std::fill_n(out, rows, 0.0F);
    double sum = 0, weight_sum = 0, largest = 0;
    for (std::size_t k = 0; k < rows; ++k) {
        const double w = root_weight.empty() ? 1 : root_weight[k] * root_weight[k];
        if (w == 0) continue;
        if (!std::isfinite(values[k])) return false;
        sum += w * values[k];
        weight_sum += w;
        largest = std::max(largest, w * values[k] * values[k]);
    }
    const double mean = sum / weight_sum;
    double norm = 0;
    for (std::size_t k = 0; k < rows; ++k) {
        const double w = root_weight.empty() ? 1 : root_weight[k];
        if (w != 0) norm += w * (values[k] - mean) * (w * (values[k] - mean));
    }
    norm = std::sqrt(norm);
    if (!(norm > kConstant * std::sqrt(largest * static_cast<double>(rows))) || !std::isfinite(norm)) return false;
    for (std::size_t k = 0; k < rows; ++k) {
        const double w = root_weight.empty() ? 1 : root_weight[k];
        if (w != 0) out[k] = static_cast<float>(w * (values[k] - mean) / norm);
    }
    return true;
}

std::vector<Atom> select_atoms(const Library& library, std::size_t nodes, std::size_t limit, bool logarithms) {
    std::vector<Atom> atoms;
    std::vector<std::uint64_t> table(4096, 0);
    std::size_t used = 0;
    const std::size_t rows = library.n_screen();
    std::vector<float> unit(library.n_screen_padded());
    AlignedVector<double> values(library.n_screen_padded());
    const auto is_new = [&](std::uint64_t key) {
        key |= 1;
        if (2 * (used + 1) > table.size()) {
            std::vector<std::uint64_t> larger(2 * table.size(), 0);
            for (const std::uint64_t k : table) {
                if (k == 0) continue;
                std::size_t place = (k >> 1) & (larger.size() - 1);
                while (larger[place] != 0) place = (place + 1) & (larger.size() - 1);
                larger[place] = k;
            }
            table.swap(larger);
        }
        std::size_t place = (key >> 1) & (table.size() - 1);
        for (; table[place] != 0; place = (place + 1) & (table.size() - 1)) {
            if (table[place] == key) return false;
        }
        table[place] = key;
        ++used;
        return true;
    };
    for (std::size_t i = 0; i < std::min(nodes, library.size()) && atoms.size() < limit; ++i) {
        if (library.is_constant(i)) continue;
        for (const bool logarithm : {true, false}) {
            if (logarithm && (!logarithms || library.op(i) == Op::Exp)) continue;
            const Atom atom{static_cast<std::uint32_t>(i), logarithm,
                            static_cast<std::uint16_t>(library.complexity(i) + (logarithm ? 1 : 0))};
            atom_values(library, atom, values.data());
            if (!standardise(values.data(), {}, rows, unit.data())) continue;
            if (is_new(class_key(unit.data(), rows))) atoms.push_back(atom);
        }
    }
    return atoms;
}

Panel::Panel(std::size_t columns, std::size_t rows)
    : columns_(columns),
      rows_(rows),
      blocks_((columns + kLanesOfBlock - 1) / kLanesOfBlock),
      vectors_(columns * rows, 0.0F),
      blocked_(blocks_ * kLanesOfBlock * rows, 0.0F) {
    static_assert(kLanesOfBlock == kPanelLanes);
}

void Panel::arrange() {
    for (std::size_t j = 0; j < columns_; ++j) {
        float* block = &blocked_[j / kLanesOfBlock * kLanesOfBlock * rows_];
        for (std::size_t k = 0; k < rows_; ++k) block[k * kLanesOfBlock + j % kLanesOfBlock] = vectors_[j * rows_ + k];
    }
}

Panel standard_panel(const Library& library, std::span<const Atom> atoms, std::span<const double> root_weight) {
    Panel panel(atoms.size(), library.n_screen());
    AlignedVector<double> values(library.n_screen_padded());
    for (std::size_t j = 0; j < atoms.size(); ++j) {
        atom_values(library, atoms[j], values.data());
        standardise(values.data(), root_weight, library.n_screen(), panel.column(j));
    }
    panel.arrange();
    return panel;
}

}  // namespace balmer::search
