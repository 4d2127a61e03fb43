// A formula that came out of a search somewhere else, put to work: values and slopes over many rows, with no search.
#include <balmer/balmer.hpp>

#include <cmath>
#include <cstdio>
#include <vector>

int main() {
    // Hydrogen's lines, in nanometres: Balmer's formula of 1885, for the upper level n.
    const std::vector<std::string> names{"n"};
    const balmer::Expression law = balmer::parse("364.50682 * n^2 / (n^2 - 4)", names);

    std::vector<double> n;
    for (int level = 3; level < 100'003; ++level) n.push_back(level);
    const auto rows = balmer::Dataset<double>::view({n.data(), n.size(), 1, 1, n.size()});  // refers to n

    std::vector<double> wavelength(n.size()), slope(n.size());
    balmer::Workspace<double> workspace;  // reused, it allocates nothing
    balmer::Evaluator<double>(rows).evaluate_with_gradient(law, wavelength, slope, workspace);

    for (std::size_t i = 0; i < 4; ++i) {
        std::printf("%.0f -> 2: %.2f nm, d/dn = %.2f nm\n", n[i], wavelength[i], slope[i]);
    }
    return std::abs(wavelength[0] - 656.11) < 0.01 ? 0 : 1;
}
