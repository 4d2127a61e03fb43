// Closed-form families: millions of formulas a millisecond, each with its constants at their least-squares values.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "search/atoms.hpp"

namespace balmer::search {

/// T(y) = a f + b;  a f + b g + c;  g (a f + b);  (a f + b) / (g + c);  a f g + b f + c g + d.
enum class Family : std::uint8_t { single, pair, product, rational, bilinear };

/// A formula of a family that leaves little of the target.
struct Hit {
    float left = 1;  ///< 1 - R^2 (of T g - a f - b + c T for rationals)
    std::uint32_t
        i = 0,
        j = 0;  ///< atom f (single); atoms f, g (pair, bilinear); formula g of the library, atom f (product, rational)
    std::uint16_t target = 0;  ///< position in the targets that were scanned
    std::uint16_t complexity = 0;
    Family family = Family::single;
};

/// Total order: what is kept never depends on the order in which hits are found.
[[nodiscard]] bool better(const Hit& a, const Hit& b) noexcept;

/// The best `keep` hits of each complexity.
class HitBuckets {
   public:
    static constexpr std::size_t kBuckets = 64;

    explicit HitBuckets(std::size_t keep, float bound);
    /// What a hit of a complexity between these must stay below.
    [[nodiscard]] float bound(std::size_t low, std::size_t high) const noexcept;
    void add(const Hit& hit);
    void merge(const HitBuckets& other);
    /// All hits, bucket after bucket, best first.
    [[nodiscard]] std::vector<Hit> sorted() const;

   private:
    std::size_t keep_;
    std::array<float, kBuckets> bound_;
    std::array<std::vector<Hit>, kBuckets> hits_;

    static void trim(std::vector<Hit>& hits, std::size_t keep);
};

/// What to look for, and how hard.
struct ScanOptions {
    std::size_t keep = 40;  ///< hits of each complexity and target
    float bound = 0.5F;     ///< largest 1 - R^2
    int max_complexity = 30;
    int n_threads = 1;
};

/// The targets of one scan: columns that share their row weights.
struct ScanTargets {
    std::vector<std::vector<double>> values;  ///< T(y) on the screen rows
    std::vector<double> root_weight;          ///< empty: 1
    std::vector<int> overhead;                ///< complexity that T^-1 and the constants add to the sum of f's and g's
};

/// Singles and pairs of `atoms` (with their panel under the targets' weights). Result: hits of all targets.
[[nodiscard]] std::vector<Hit> scan_pairs(const Panel& panel, std::span<const Atom> atoms, const ScanTargets& targets,
                                          const ScanOptions& options);

/// Products of a factor g of `factors` (formulas of the library) and an affine function of an atom.
[[nodiscard]] std::vector<Hit> scan_products(const Library& library, std::span<const std::uint32_t> factors,
                                             std::span<const Atom> atoms, const ScanTargets& targets,
                                             const ScanOptions& options);

/// Rationals with denominator g + c, g of `factors`.
[[nodiscard]] std::vector<Hit> scan_rationals(const Library& library, std::span<const std::uint32_t> factors,
                                              std::span<const Atom> atoms, const ScanTargets& targets,
                                              const ScanOptions& options);

/// Products of two atoms with offsets, a (f + p) (g + q) + r, of the first `count` atoms of the panel.
[[nodiscard]] std::vector<Hit> scan_bilinear(const Panel& panel, std::span<const Atom> atoms, std::size_t count,
                                             const ScanTargets& targets, const ScanOptions& options);

}  // namespace balmer::search
