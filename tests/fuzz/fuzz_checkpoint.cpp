// Bytes that claim to be a saved search. An input that begins with a digit changes a true state: triples of bytes say where and
// to what.
#include <cmath>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "balmer/search/search.hpp"
#include "check.hpp"

namespace {

using namespace balmer;

struct Fixture {
    std::vector<double> x, y;
    std::unique_ptr<Dataset<double>> data;
    std::unique_ptr<Search> search;
    std::string state;

    Fixture() {
        for (int i = 1; i <= 40; ++i) {
            x.push_back(0.25 * i);
            y.push_back(x.back() * x.back() + 1 / x.back() + 0.01 * (i * 7 % 5));
        }
        data = std::make_unique<Dataset<double>>(MatrixView<double>{x.data(), x.size(), 1}, y,
                                                 std::span<const double>{}, RowOrder::ladder);
        SearchOptions options;
        for (const char* name : {"+", "*"}) options.operators.push_back(operator_named(name, OperatorSet::builtin()));
        options.seeding = false;
        options.evolution.populations = 2;
        options.evolution.population_size = 5;
        options.evolution.tournament_selection_n = 3;
        options.evolution.ncycles_per_iteration = 5;
        options.evolution.niterations = 1;
        search = std::make_unique<Search>(*data, OperatorSet::builtin(), options);
        (void)search->run();
        state = search->save();
    }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    static Fixture fixture;
    std::string candidate(test::text_of(bytes, size));
    if (size > 0 && bytes[0] >= '0' && bytes[0] <= '9') {
        candidate = fixture.state;
        for (std::size_t k = 1; k + 2 < size; k += 3) {
            candidate[(bytes[k] * 256u + bytes[k + 1]) % candidate.size()] = static_cast<char>(bytes[k + 2]);
        }
    }
    try {
        fixture.search->load(candidate);
        test::require(candidate == fixture.state, "a state that was changed is refused");
    } catch (const std::invalid_argument&) {
        test::require(fixture.search->save() == fixture.state, "a search that refused a state is as it was");
    }
    return 0;
}
