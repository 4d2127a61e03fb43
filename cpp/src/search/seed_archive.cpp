#include "search/seed_archive.hpp"

#include <algorithm>
#include <cmath>
#include <tuple>
#include <utility>

namespace balmer::search {
namespace {

constexpr std::size_t kFewConstants = 5;

/// Total order, so that the archive does not depend on the order of equal offers.
bool before(const Found& a, const Found& b) noexcept {
    const std::uint64_t ha = exact_hash(a.expression), hb = exact_hash(b.expression);
    return std::tie(a.description, a.loss, ha) < std::tie(b.description, b.loss, hb);
}

}  // namespace

void SeedArchive::offer(Found found) { insert(std::move(found), false); }

void SeedArchive::put_in_place_of_twin(Found found) { insert(std::move(found), true); }

void SeedArchive::insert(Found found, bool in_place) {
    if (found.expression.nodes.empty() || !std::isfinite(found.loss) || found.complexity < 0) return;
    found.description = description_length(found.expression, std::max(found.loss, exact_loss_), scale_);
    const auto c = static_cast<std::size_t>(found.complexity);
    if (entries_.size() <= c) entries_.resize(c + 1);
    std::vector<Found>& entries = entries_[c];
    const std::uint64_t structure = structural_hash(found.expression);
    const auto twin = std::find_if(entries.begin(), entries.end(),
                                   [&](const Found& other) { return structural_hash(other.expression) == structure; });
    if (twin != entries.end()) {
        if (!in_place && !before(found, *twin)) return;
        // What was rounded because of its standard errors is no worse for it.
        found.description = std::min(found.description, twin->description);
        entries.erase(twin);
    }
    entries.insert(std::upper_bound(entries.begin(), entries.end(), found, before), std::move(found));
    if (entries.size() > kPerComplexity) entries.pop_back();
}

const Found* SeedArchive::best() const noexcept {
    const Found* best = nullptr;
    for (const std::vector<Found>& entries : entries_) {
        if (!entries.empty() && (!best || entries[0].description < best->description)) best = &entries[0];
    }
    return best;
}

const Found* SeedArchive::exact() const noexcept {
    for (const std::vector<Found>& entries : entries_) {
        for (const Found& found : entries) {
            const std::size_t constants = found.expression.constants.size();
            // As many constants as half the rows can reproduce anything.
            if (2 * static_cast<double>(constants) >= scale_.rows) continue;
            const bool forgiven = forgiving_ && constants <= kFewConstants;
            if (found.loss <= (forgiven ? exact_loss_ : rounding_loss_)) return &found;
        }
    }
    return nullptr;
}

}  // namespace balmer::search
