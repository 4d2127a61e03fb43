// Which instruction set evaluates.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace balmer {

/// Name of the instruction set in use: "baseline", "x86-64-v3" (AVX2, FMA), "x86-64-v4" (AVX-512) or "neon". Chosen at the
/// first call: the best that this processor has, or what the environment variable BALMER_FORCE_ISA names.
/// Throws std::invalid_argument if that variable names a set that is unknown or that this processor lacks.
[[nodiscard]] std::string_view isa();

/// The sets that this build has and this processor can run, best first.
[[nodiscard]] std::vector<std::string_view> available_isas();

/// Forces a set for the rest of the process (tests, benches). Not to be called while expressions are evaluated.
/// Throws std::invalid_argument as `isa` does.
void force_isa(std::string_view name);

}  // namespace balmer
