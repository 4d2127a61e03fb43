// How often a test repeats itself.
#pragma once

namespace balmer::test {

/// `usual`, or `sanitized` where the address sanitizer makes each step ten times as slow: what it finds depends on which
/// code runs, not on how often.
template <class T>
constexpr T repeats([[maybe_unused]] T usual, [[maybe_unused]] T sanitized) noexcept {
#if defined(__SANITIZE_ADDRESS__)
    return sanitized;
#else
    return usual;
#endif
}

}  // namespace balmer::test
