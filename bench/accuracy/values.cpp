// Values of the kernels for accuracy.py, so that mpmath can judge them.
//
//   balmer_accuracy <set> <operator's enumerator> <f64|f32> < arguments > results
//
// Standard input: pairs a, b of doubles in the machine's bytes. Standard output: one double for each pair.
// `balmer_accuracy sets` prints the sets that run here; `balmer_accuracy exhaustive <operator>` the worst error in single
// precision over all arguments, where it is, and how many there are.
#include <cstdio>
#include <cstring>
#include <exception>
#include <string>
#include <string_view>
#include <vector>

#include "balmer/eval/isa.hpp"
#include "balmer/expr/op.hpp"
#include "eval/dispatch.hpp"
#include "eval/kernel_table.hpp"
#include "exhaustive.hpp"

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

/// The row of an enumerator, kTableRows if there is none.
std::size_t row_of(std::string_view name) {
    std::size_t row = 0;
    while (row < kTableRows && kNames[row] != name) ++row;
    if (row == kTableRows) std::fprintf(stderr, "no operator %s\n", std::string(name).c_str());
    return row;
}

int run(int argc, char** argv) {
    if (argc == 2 && std::strcmp(argv[1], "sets") == 0) {
        for (const std::string_view name : balmer::available_isas()) std::printf("%s\n", name.data());
        return 0;
    }
    if (argc == 3 && std::string_view(argv[1]) == "exhaustive") {
        const std::size_t row = row_of(argv[2]);
        if (row == kTableRows) return 2;
        const balmer::bench::WorstError worst = balmer::bench::exhaustive_error(row);
        std::printf("%.17g %.9g %llu\n", worst.ulps, static_cast<double>(worst.at),
                    static_cast<unsigned long long>(worst.count));
        return 0;
    }
    if (argc != 4) {
        std::fprintf(stderr, "usage: balmer_accuracy <set> <operator> <f64|f32>, exhaustive <operator>, or sets\n");
        return 2;
    }
    balmer::force_isa(argv[1]);
    const std::size_t row = row_of(argv[2]);
    if (row == kTableRows) return 2;
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
