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

}  // namespace balmer::search
