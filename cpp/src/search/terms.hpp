// Columns of simple terms: what sparse sums and quotients are made of.
#pragma once

#include <cstddef>
#include <vector>

#include "search/view.hpp"
#include "search/vocabulary.hpp"

namespace balmer::search {

/// A column with the formula it stands for; `is_log`: it is the logarithm of that formula.
struct Term {
    Expression e;
    std::vector<double> values;
    bool is_log = false;
    double nodes = 1;
    std::vector<int> exponents{};  ///< of the variables, if it is a monomial
    bool below = false;            ///< a term of the denominator: its values are -T times those of the formula
};

/// Whether a column is finite, of usual size and not constant.
[[nodiscard]] bool usable(const std::vector<double>& values);

/// Nested dictionaries over the first `rows` rows of a view: the logarithms of the variables; monomials up to ever higher degree;
/// powers; monomials of degree 2 and functions of one variable; the same times variables and, of at most 3 variables, times each
/// other; sines and cosines. None is larger than `limit`.
[[nodiscard]] std::vector<std::vector<Term>> dictionaries(const View& view, const Vocabulary& vocabulary,
                                                          std::size_t rows, std::size_t limit);

}  // namespace balmer::search
