// The numbers among the options of a search, by name: for languages that cannot see the structs.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "balmer/search/options.hpp"

namespace balmer {

/// A number, a whole number or a switch (0 or 1) of SearchOptions. The name is that of the member; mutation weights are
/// called weight_<name>, switches of the stages with_<name>.
struct NamedOption {
    enum class Kind : std::uint8_t { real, whole, boolean };

    std::string_view name;
    Kind kind;
    double (*get)(const SearchOptions& options);
    void (*set)(SearchOptions& options, double value);  ///< takes any value of that kind; `validate` judges it later
    /// The same without rounding, and what the member holds; for whole numbers alone, else null.
    std::int64_t (*get_whole)(const SearchOptions& options) = nullptr;
    void (*set_whole)(SearchOptions& options, std::int64_t value) = nullptr;
    std::int64_t least = 0, largest = 0;
};

/// All of them. Lives for ever.
[[nodiscard]] std::span<const NamedOption> named_options() noexcept;

/// Throws std::invalid_argument for a name that no option has (the nearest is suggested), and for a value that is not of
/// its kind. A whole number as a double may be at most 2^53 in size: others have neighbours that no double holds.
void set_option(SearchOptions& options, std::string_view name, double value);
/// The same for a whole number of any size.
void set_whole_option(SearchOptions& options, std::string_view name, std::int64_t value);
[[nodiscard]] double get_option(const SearchOptions& options, std::string_view name);

}  // namespace balmer
