// Which known name did the user mean?
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace balmer::detail {

/// Letters to insert, delete, replace or swap with their neighbour to turn `a` into `b` (optimal string alignment), not
/// counting upper against lower case; or `limit` + 1 if that is more than `limit`.
[[nodiscard]] std::size_t edit_distance(std::string_view a, std::string_view b, std::size_t limit);

/// Keeps the nearest of the names that it is shown; of equally near ones the first.
class NearestName {
   public:
    /// `wanted` must outlive this object.
    explicit NearestName(std::string_view wanted);

    void consider(std::string_view candidate);

    /// The nearest name, empty if none was near: up to a third of the letters may differ, at least one.
    [[nodiscard]] const std::string& result() const noexcept { return best_; }

   private:
    std::string_view wanted_;
    std::size_t limit_;  // distance below which a candidate is better than best_
    std::string best_;
};

}  // namespace balmer::detail
