// Formulas of a library as columns that the families combine: one for each class of f ~ a f + b.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "balmer/core/aligned.hpp"
#include "search/library.hpp"

namespace balmer::search {

/// A formula of the library, or the logarithm of its magnitude.
struct Atom {
    std::uint32_t node = 0;
    bool logarithm = false;
    std::uint16_t complexity = 0;
};

/// The values of an atom on the screen rows (padded).
void atom_values(const Library& library, const Atom& atom, double* out);

/// The first `limit` atoms among the first `nodes` formulas of the library, by rising size; of atoms that are affine functions of
/// each other on the screen rows only the first. With `logarithms`, ln|f| stands before f.
[[nodiscard]] std::vector<Atom> select_atoms(const Library& library, std::size_t nodes, std::size_t limit,
                                             bool logarithms);

/// Columns of floats in two layouts: as vectors, and in blocks of kPanelLanes side by side.
class Panel {
   public:
    Panel(std::size_t columns, std::size_t rows);

    [[nodiscard]] std::size_t columns() const noexcept { return columns_; }
    [[nodiscard]] std::size_t rows() const noexcept { return rows_; }
    [[nodiscard]] std::size_t blocks() const noexcept { return blocks_; }
    [[nodiscard]] float* column(std::size_t j) noexcept { return &vectors_[j * rows_]; }
    [[nodiscard]] const float* column(std::size_t j) const noexcept { return &vectors_[j * rows_]; }
    [[nodiscard]] const float* block(std::size_t b) const noexcept { return &blocked_[b * rows_ * kLanesOfBlock]; }
    /// Brings the blocks up to date with the columns.
    void arrange();

   private:
    static constexpr std::size_t kLanesOfBlock = 32;
    std::size_t columns_, rows_, blocks_;
    AlignedVector<float> vectors_, blocked_;
};

/// Shifts `values` to weighted mean 0, multiplies by the root weights (empty: 1) and scales to norm 1. False, and all
/// zeros, if they are not finite where the weight is positive, or constant to 1e-7.
bool standardise(const double* values, std::span<const double> root_weight, std::size_t rows, float* out);

/// All atoms, standardised with these weights.
[[nodiscard]] Panel standard_panel(const Library& library, std::span<const Atom> atoms,
                                   std::span<const double> root_weight);

}  // namespace balmer::search
