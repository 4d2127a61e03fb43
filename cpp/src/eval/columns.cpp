#include "eval/columns.hpp"

#include <algorithm>

#include "balmer/core/aligned.hpp"
#include "eval/dispatch.hpp"
#include "eval/row_sum.hpp"

namespace balmer::eval {
namespace {

/// Kernels take whole multiples of kLanes rows, so what is left goes through a buffer.
void apply(Op op, Form form, double* out, const double* a, const double* b, std::size_t n) noexcept {
    const KernelTable& table = kernels();
    const FlushSubnormals guard(table);
    const ForwardKernel<double> kernel = table.f64.forward[static_cast<std::size_t>(op) - kFirstOp][form];
    const std::size_t whole = n - n % kLanes;
    if (whole > 0) kernel(out, a, b, nullptr, whole);
    if (whole == n) return;
    alignas(kAlignment) double rest[kLanes] = {};
    std::copy(a + whole, a + n, rest);
    kernel(rest, rest, b, nullptr, kLanes);
    std::copy_n(rest, n - whole, out + whole);
}

}  // namespace

double dot(const double* a, const double* b, std::size_t n) noexcept {
    alignas(kAlignment) double lanes[kSumLanes];
    kernels().dot(a, b, n, lanes);
    return sum_lanes(lanes);
}

void subtract_multiple(double* y, double factor, const double* x, std::size_t n) noexcept {
    kernels().subtract_multiple(y, factor, x, n);
}

void apply(Op op, double* out, const double* a, std::size_t n) noexcept { apply(op, vv, out, a, nullptr, n); }

void apply(Op op, double* out, const double* a, double b, std::size_t n) noexcept { apply(op, vs, out, a, &b, n); }

}  // namespace balmer::eval
