// Timing and JSON lines for the micro-benchmarks.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace balmer::bench {

/// CPU seconds of one call: on a shared machine wall time is noise.
struct Timing {
    double best = 0, median = 0;
    double spread = 0;  ///< (third quartile - first) / median
    std::size_t calls = 0;
};

/// Calls `body` for about `seconds`, at least five times, after one call that is not counted.
[[nodiscard]] Timing measure(double seconds, const std::function<void()>& body);

/// One line of JSON; fields in the order given.
class Line {
   public:
    explicit Line(std::string_view bench);
    Line& add(std::string_view name, double value);
    Line& add(std::string_view name, std::string_view value);
    Line& add(const Timing& timing);
    /// Prints to standard output.
    void print() const;

   private:
    std::string text_;
};

/// What a run needs to know: how long to time, and which benches.
struct Settings {
    double seconds = 0.3;
    std::string commit;
};

void bench_evaluation(const Settings& settings);
void bench_derivatives(const Settings& settings);
void bench_fits(const Settings& settings);
void bench_polish(const Settings& settings);

/// Fixed work without clocks, for counting instructions. Returns a checksum.
double work_evaluation();
double work_derivatives();
double work_fits();

}  // namespace balmer::bench
