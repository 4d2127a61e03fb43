#include "eval/dispatch.hpp"

#if defined(__x86_64__)
#include <cpuid.h>
#endif

#include <array>
#include <atomic>
#include <cstdlib>
#include <stdexcept>
#include <string>

#include "balmer/eval/isa.hpp"

namespace balmer::eval {

namespace baseline {
const KernelTable& table() noexcept;
}
#if defined(__x86_64__)
namespace x86_v3 {
const KernelTable& table() noexcept;
}
namespace x86_v4 {
const KernelTable& table() noexcept;
}
#elif defined(__aarch64__)
namespace neon {
const KernelTable& table() noexcept;
}
#endif

namespace {

struct Candidate {
    const KernelTable& table;
    bool runs_here;
};

#if defined(__x86_64__)
/// Those of x86-64-v3 that Clang's __builtin_cpu_supports has no name for.
bool has_f16c_movbe_lzcnt() noexcept {
    unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
    constexpr unsigned kMovbe = 1u << 22, kF16c = 1u << 29, kLzcnt = 1u << 5;
    if (__get_cpuid(1, &eax, &ebx, &ecx, &edx) == 0 || (ecx & kMovbe) == 0 || (ecx & kF16c) == 0) return false;
    return __get_cpuid(0x80000001u, &eax, &ebx, &ecx, &edx) != 0 && (ecx & kLzcnt) != 0;
}

bool has_x86_v3() noexcept {
    return __builtin_cpu_supports("avx") && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") &&
           __builtin_cpu_supports("bmi2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("popcnt") &&
           has_f16c_movbe_lzcnt();
}

bool has_x86_v4() noexcept {
    return has_x86_v3() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") &&
           __builtin_cpu_supports("avx512vl");
}
#endif

/// The sets of this build, best first.
auto candidates() noexcept {
#if defined(__x86_64__)
    return std::array{Candidate{x86_v4::table(), has_x86_v4()}, Candidate{x86_v3::table(), has_x86_v3()},
                      Candidate{baseline::table(), true}};
#elif defined(__aarch64__)
    return std::array{Candidate{neon::table(), true}, Candidate{baseline::table(), true}};
#else
    return std::array{Candidate{baseline::table(), true}};
#endif
}

const KernelTable& find(std::string_view name) {
    for (const Candidate& candidate : candidates()) {
        if (name != candidate.table.isa) continue;
        if (candidate.runs_here) return candidate.table;
        throw std::invalid_argument("this processor lacks the instruction set '" + std::string(name) + "'");
    }
    std::string known;
    for (const Candidate& candidate : candidates())
        known += std::string(known.empty() ? "" : ", ") + candidate.table.isa;
    throw std::invalid_argument("unknown instruction set '" + std::string(name) + "' (this build has " + known + ")");
}

const KernelTable& choose() {
    if (const char* forced = std::getenv("BALMER_FORCE_ISA"); forced != nullptr && *forced != 0) return find(forced);
    for (const Candidate& candidate : candidates()) {
        if (candidate.runs_here) return candidate.table;
    }
    return baseline::table();
}

/// The one global state of the library. Two threads that choose at once choose the same.
std::atomic<const KernelTable*> table_in_use{nullptr};

}  // namespace

const KernelTable& kernels() {
    const KernelTable* table = table_in_use.load(std::memory_order_acquire);
    if (table == nullptr) {
        const KernelTable* chosen = &choose();
        // Another thread may have chosen, or forced, meanwhile: its choice stands.
        table = table_in_use.compare_exchange_strong(table, chosen) ? chosen : table;
    }
    return *table;
}

}  // namespace balmer::eval

namespace balmer {

std::string_view isa() { return eval::kernels().isa; }

std::vector<std::string_view> available_isas() {
    std::vector<std::string_view> names;
    for (const eval::Candidate& candidate : eval::candidates()) {
        if (candidate.runs_here) names.emplace_back(candidate.table.isa);
    }
    return names;
}

void force_isa(std::string_view name) { eval::table_in_use.store(&eval::find(name), std::memory_order_release); }

}  // namespace balmer
