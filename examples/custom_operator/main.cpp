// A search with an operator of one's own: Planck's occupation number n(u) = 1 / (exp(u) - 1), in y = 3 n(x / 2).
#include <balmer/balmer.hpp>

#include <cmath>
#include <cstdio>
#include <vector>

int main() {
    std::vector<double> x, y;
    for (int i = 1; i <= 60; ++i) {
        x.push_back(0.1 * i);
        y.push_back(3 / std::expm1(0.5 * x.back()));
    }
    const balmer::Dataset<double> data(balmer::MatrixView<double>{x.data(), x.size(), 1}, y, {},
                                       balmer::RowOrder::ladder);

    // Written in balmer's own language, an operator is differentiated and runs as fast as those of the table.
    balmer::OperatorSet operators;
    balmer::SearchOptions options;
    options.operators = {operators.define("occupation(u) = 1 / (exp(u) - 1)"), balmer::operator_named("*", operators)};
    const balmer::SearchResult result = balmer::Search(data, operators, options).run();

    const balmer::FrontEntry* const found = balmer::best(result.front);
    if (found == nullptr) return 1;
    const std::vector<std::string> names{"x"};
    std::printf("y = %s, loss %.1e\n", balmer::to_text(found->expression, names, operators, {6}).c_str(), found->loss);
    return found->loss < 1e-20 ? 0 : 1;
}
