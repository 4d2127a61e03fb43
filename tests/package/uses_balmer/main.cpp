// Uses each module of the installed library: reads a formula, fits its constants, prints it.
#include <balmer/core/error.hpp>
#include <balmer/eval/isa.hpp>
#include <balmer/expr/parse.hpp>
#include <balmer/expr/print.hpp>
#include <balmer/fit/fit.hpp>
#include <balmer/version.hpp>

#include <cmath>
#include <cstdio>
#include <vector>

int main() {
    // The planets that Kepler knew: distance from the sun in astronomical units, period in years.
    const std::vector<double> distance{0.387, 0.723, 1.0, 1.524, 5.203, 9.537};
    const std::vector<double> period{0.241, 0.615, 1.0, 1.881, 11.862, 29.457};

    const balmer::MatrixView<double> X{distance.data(), distance.size(), 1};
    const balmer::Dataset<double> data(X, period);
    const balmer::Evaluator<double> evaluator(data);
    balmer::FitWorkspace<double> workspace;
    balmer::Expression law = balmer::parse("2 * x0 ^ 1.2");
    const balmer::FitResult fit = balmer::fit_constants(law, evaluator, {}, workspace);

    const std::string text = balmer::to_text(law);
    std::printf("balmer %s (%.*s): %s, loss %.2e\n", BALMER_VERSION, static_cast<int>(balmer::isa().size()),
                balmer::isa().data(), text.c_str(), fit.loss);
    try {
        (void)balmer::parse("sine(x0)");
        return 1;
    } catch (const balmer::ParseError&) {  // crosses the border of the library
    }
    return std::abs(law.constants[1] - 1.5) < 0.01 && fit.loss < 1e-3 ? 0 : 1;
}
