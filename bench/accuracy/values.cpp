// Values of the kernels for accuracy.py, so that mpmath can judge them.
//
//   values <set> <operator's enumerator> <f64|f32> < arguments > results
//
// Standard input: pairs a, b of doubles in the machine's bytes. Standard output: one double for each pair.
// `values sets` prints the sets that run here.
#include <cstdio>
#include <cstring>
#include <exception>
#include <string_view>
#include <vector>

#include "balmer/eval/isa.hpp"
#include "balmer/expr/op.hpp"
#include "eval/dispatch.hpp"
#include "eval/kernel_table.hpp"

namespace {

using namespace balmer::eval;

constexpr std::string_view kNames[] = {
#define BALMER_OP(id, ...) #id,
#include "balmer/expr/operators.def"
#undef BALMER_OP
};

template <class T>
void print_values(std::size_t row, const std::vector<double>& pairs) {
    const std::size_t n = pairs.size() / 2, padded = (n + kSumLanes - 1) / kSumLanes * kSumLanes;
    std::vector<T> a(padded, T(1)), b(padded, T(1)), y(padded);
    for (std::size_t i = 0; i < n; ++i) {
        a[i] = static_cast<T>(pairs[2 * i]);
        b[i] = static_cast<T>(pairs[2 * i + 1]);
    }
    {
        const FlushSubnormals flush(kernels());
        kernels_of<T>(kernels()).forward[row][vv](y.data(), a.data(), b.data(), b.data(), padded);
    }
    const std::vector<double> wide(y.begin(), y.begin() + static_cast<std::ptrdiff_t>(n));
    std::fwrite(wide.data(), sizeof(double), n, stdout);
}

int run(int argc, char** argv) {
    if (argc == 2 && std::strcmp(argv[1], "sets") == 0) {
        for (const std::string_view name : balmer::available_isas()) std::printf("%s\n", name.data());
        return 0;
    }
    if (argc != 4) {
        std::fprintf(stderr, "usage: values <set> <operator> <f64|f32>, or values sets\n");
        return 2;
    }
    balmer::force_isa(argv[1]);
    std::size_t row = 0;
    while (row < kTableRows && kNames[row] != argv[2]) ++row;
    if (row == kTableRows) {
        std::fprintf(stderr, "no operator %s\n", argv[2]);
        return 2;
    }
    std::vector<double> pairs;
    double pair[2];
    while (std::fread(pair, sizeof pair, 1, stdin) == 1) pairs.insert(pairs.end(), pair, pair + 2);
    if (std::string_view(argv[3]) == "f32") {
        print_values<float>(row, pairs);
    } else {
        print_values<double>(row, pairs);
    }
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    try {
        return run(argc, argv);
    } catch (const std::exception& error) {
        std::fprintf(stderr, "%s\n", error.what());
        return 1;
    }
}
