#include "eval/dot.hpp"

#include "balmer/core/aligned.hpp"
#include "eval/dispatch.hpp"
#include "eval/row_sum.hpp"

namespace balmer::eval {

double dot(const double* a, const double* b, std::size_t n) noexcept {
    alignas(kAlignment) double lanes[kSumLanes];
    kernels().dot(a, b, n, lanes);
    return sum_lanes(lanes);
}

void subtract_multiple(double* y, double factor, const double* x, std::size_t n) noexcept {
    kernels().subtract_multiple(y, factor, x, n);
}

}  // namespace balmer::eval
