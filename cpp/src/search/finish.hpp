// The last stage: takes away from a formula what the data do not ask for, and writes its constants as simply as they allow.
#pragma once

#include "search/polisher.hpp"

namespace balmer::search {

/// Improves the best formulas of the archive until their description length no longer falls:
///
/// - a term, a factor or a constant that can go, goes (the others are fitted anew);
/// - a constant becomes a small integer or fraction that lies within its error, exponents first, the others fitted anew;
/// - a power with a simple exponent is written with squares and roots where that is shorter.
///
/// What comes out is added to the archive beside what was there. At most `count` formulas are taken.
void finish(Polisher& polisher, std::size_t count);

/// The whole number or fraction of small denominator within three times `error` of `c` that is no coincidence; `c` if there is
/// none. Halves are expected of exponents.
[[nodiscard]] double simple_number(double c, double error, bool exponent);

/// Whether `c` is a whole number or a fraction with such a denominator, to its rounding.
[[nodiscard]] bool is_simple(double c);

}  // namespace balmer::search
