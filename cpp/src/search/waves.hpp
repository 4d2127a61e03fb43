// Sines of any frequency.
#pragma once

#include <cstdint>
#include <span>

#include "search/polisher.hpp"
#include "search/view.hpp"

namespace balmer::search {

/// Looks for target = c + sum d_j x_j + h sin(w g + p) with g a variable, a square or a product of two, h a variable or 1, and
/// w up to 200 periods over the range of g: the least-squares periodogram (Lomb 1976; Scargle 1982) of what the variables
/// leave of the target on the given rows. The best are polished on all rows and offered to the archive. Nothing if
/// neither sine nor cosine is allowed, or for fewer than 12 rows.
void waves(const View& view, Polisher& polisher, std::span<const std::uint32_t> rows);

/// Looks for target = c + sum d_j x_j + h sin(u x_i + v x_k + p), and with sin(u x_i + p) sin(v x_k + q) instead, of at most 6
/// variables: the periodogram over two frequencies, all of it by matrix products.
void plane_waves(const View& view, Polisher& polisher, std::span<const std::uint32_t> rows);

}  // namespace balmer::search
