// Sums of many simple terms: a full fit over a dictionary, then backward elimination.
#pragma once

#include "search/polisher.hpp"
#include "search/view.hpp"

namespace balmer::search {

/// T(y) as a sparse sum over nested dictionaries: logarithms of the variables; monomials; monomials and functions of one
/// variable; the same times variables. Terms go one by one while the description length falls, with noise and without.
///
/// `noise`: standard deviation of the target about the law, for the weights of the transforms. What is found goes to the archive.
void dictionary(const View& view, Polisher& polisher, double noise);

/// The quotients of the dictionary again, for denominators with neither a constant nor a variable alone, as in
/// (a x + b y^2) / (c x^3 + d y^4): slower. Exact data only.
void dictionary_of_any_denominator(const View& view, Polisher& polisher);

/// Quotients of sparse sums of at most 30 terms each, under noise: a Gauss-Newton step on all coefficients is a linear fit, so
/// that terms can go by backward elimination in each step. `noise` as above.
void noisy_quotients(const View& view, Polisher& polisher, double noise);

}  // namespace balmer::search
