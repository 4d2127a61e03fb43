// To tell whether a saved search belongs to these data and options.
#pragma once

#include <cstdint>
#include <string_view>

#include "balmer/eval/dataset.hpp"
#include "balmer/search/options.hpp"

namespace balmer {

/// FNV-1a over bytes: for checksums and fingerprints, on every machine the same.
class Fingerprint {
   public:
    void add(std::string_view text) noexcept;
    void add(std::uint64_t value) noexcept;
    void add(double value) noexcept;
    void add(int value) noexcept { add(static_cast<std::uint64_t>(value)); }
    [[nodiscard]] std::uint64_t value() const noexcept { return hash_; }

   private:
    void byte(std::uint64_t b) noexcept { hash_ = (hash_ ^ b) * 0x100000001b3U; }
    std::uint64_t hash_ = 0xcbf29ce484222325U;
};

[[nodiscard]] std::uint64_t fingerprint(const Dataset<double>& data);

/// Of all options that steer what the islands do. How long a search goes on may change between two runs.
[[nodiscard]] std::uint64_t fingerprint(const SearchOptions& options, const OperatorSet& operators);

}  // namespace balmer
