#include "harness.hpp"

#include <algorithm>
#include <cstdio>
#include <ctime>

#include "balmer/expr/print.hpp"

namespace balmer::bench {
namespace {

double cpu_seconds() {
    std::timespec now{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

}  // namespace

Timing measure(double seconds, const std::function<void()>& body) {
    body();
    std::vector<double> times;
    double total = 0;
    while (total < seconds || times.size() < 5) {
        const double start = cpu_seconds();
        body();
        times.push_back(cpu_seconds() - start);
        total += times.back();
    }
    std::sort(times.begin(), times.end());
    const std::size_t n = times.size();
    return {times[0], times[n / 2], (times[3 * n / 4] - times[n / 4]) / times[n / 2], n};
}

Line::Line(std::string_view bench) { text_ = "{\"bench\": \"" + std::string(bench) + "\""; }

Line& Line::add(std::string_view name, double value) {
    text_ += ", \"" + std::string(name) + "\": " + number_text(value, 6);
    return *this;
}

Line& Line::add(std::string_view name, std::string_view value) {
    text_ += ", \"" + std::string(name) + "\": \"" + std::string(value) + "\"";
    return *this;
}

Line& Line::add(const Timing& timing) {
    return add("best_s", timing.best)
        .add("median_s", timing.median)
        .add("spread", timing.spread)
        .add("calls", static_cast<double>(timing.calls));
}

void Line::print() const {
    std::puts((text_ + "}").c_str());
    std::fflush(stdout);
}

}  // namespace balmer::bench
