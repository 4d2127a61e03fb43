// embed data.csv [seconds]: the formulas for the last column of a table in terms of the others; for planets.csv,
// P = 365.2 * a ^ 1.5. Enter stops the search.
#include <balmer/balmer.hpp>

#include <cstdio>
#include <fstream>
#include <iostream>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

int main(int argc, char** argv) try {
    std::ifstream file(argc > 1 ? argv[1] : "");
    std::vector<std::string> names;
    std::vector<double> X, y;
    std::string line, cell;
    std::getline(file, line);
    for (std::istringstream cells(line); std::getline(cells, cell, ',');) names.push_back(cell);
    while (std::getline(file, line)) {
        std::istringstream cells(line);
        for (std::size_t k = 0; k + 1 < names.size() && std::getline(cells, cell, ','); ++k)
            X.push_back(std::stod(cell));
        if (std::getline(cells, cell, ',')) y.push_back(std::stod(cell));
    }
    if (names.size() < 2 || y.empty()) throw std::invalid_argument("usage: embed data.csv [seconds]");
    const std::string target = names.back();
    names.pop_back();

    const balmer::MatrixView<double> rows{X.data(), y.size(), names.size(), names.size(), 1};
    const balmer::Dataset<double> data(rows, y, {}, balmer::RowOrder::ladder);
    balmer::SearchOptions options;
    for (const char* name : {"+", "*", "/", "^", "sqrt", "exp", "log"}) {
        options.operators.push_back(balmer::operator_named(name, balmer::OperatorSet::builtin()));
    }
    options.n_threads = 2;
    options.timeout_in_seconds = argc > 2 ? std::stod(argv[2]) : 30;

    balmer::Search search(data, balmer::OperatorSet::builtin(), options);
    std::thread([&search] {
        if (std::cin.get() == '\n') search.interrupt();  // at the end of the input nobody is there to press it
    }).detach();
    const auto progress = [](const balmer::Progress& now) {
        std::fprintf(stderr, "\r%d of %d, loss %.3g ", now.iteration, now.iterations, now.front.back().loss);
        return true;
    };
    const balmer::SearchResult result = search.run(progress);

    const balmer::FrontEntry* const chosen = balmer::best(result.front);
    std::fprintf(stderr, "\n");
    for (const balmer::FrontEntry& entry : result.front) {
        const std::string formula = balmer::to_text(entry.expression, names, balmer::OperatorSet::builtin(), {4});
        std::printf("%s %3d  %.3e  %s = %s\n", &entry == chosen ? ">>>" : "   ", entry.complexity, entry.loss,
                    target.c_str(), formula.c_str());
    }
} catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
}
