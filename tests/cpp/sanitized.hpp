// How much a test does where the address sanitizer makes each step ten times as slow.
#pragma once

namespace balmer::test {

#if defined(__SANITIZE_ADDRESS__)  // GCC's way to tell
inline constexpr bool kSanitized = true;
#elif defined(__has_feature)  // Clang's
inline constexpr bool kSanitized = __has_feature(address_sanitizer);
#else
inline constexpr bool kSanitized = false;
#endif

/// `usual`, or `sanitized` under that sanitizer: what it finds depends on which code runs, not on how often.
template <class T>
constexpr T repeats(T usual, T sanitized) noexcept {
    return kSanitized ? sanitized : usual;
}

}  // namespace balmer::test
