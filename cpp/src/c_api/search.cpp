// The C interface: options and the search.
#include <cmath>

#include "balmer/fit/loss.hpp"
#include "balmer/search/named_options.hpp"
#include "c_api/handles.hpp"

using namespace balmer;
using namespace balmer::c_api;

namespace {

static_assert(BALMER_STOP_ITERATIONS == static_cast<int>(StopReason::iterations));
static_assert(BALMER_STOP_EARLY_STOP == static_cast<int>(StopReason::early_stop));
static_assert(BALMER_STOP_EXACT == static_cast<int>(StopReason::exact));
static_assert(BALMER_STOP_TIMEOUT == static_cast<int>(StopReason::timeout));
static_assert(BALMER_STOP_MAX_EVALS == static_cast<int>(StopReason::max_evals));
static_assert(BALMER_STOP_INTERRUPTED == static_cast<int>(StopReason::interrupted));
static_assert(BALMER_STOP_SETTLED == static_cast<int>(StopReason::settled));

std::vector<Op> operators_named(std::string_view names, const OperatorSet& operators) {
    constexpr std::string_view kBlanks = " \t\n,";
    std::vector<Op> found;
    for (std::size_t at = names.find_first_not_of(kBlanks); at != names.npos;
         at = names.find_first_not_of(kBlanks, at)) {
        const std::size_t end = std::min(names.find_first_of(kBlanks, at), names.size());
        const std::string_view name = names.substr(at, end - at);
        // "-" is subtraction: the sign has a name of its own, neg.
        found.push_back(name == "-" ? operator_named(name, operators, 2) : operator_named(name, operators));
        at = end;
    }
    return found;
}

/// The rows once more, in the order that a search wants.
Dataset<double> ladder_of(const balmer_dataset& dataset) {
    const Dataset<double>& rows = dataset.rows;
    if (rows.target() == nullptr) {
        throw std::invalid_argument("the dataset has no target; give balmer_table one");
    }
    const std::size_t n = rows.n_rows(), d = rows.n_features();
    const auto stride = d > 1 ? static_cast<std::size_t>(rows.column(1) - rows.column(0)) : n;
    const std::span<const double> weights =
        rows.weights() == nullptr ? std::span<const double>{} : std::span<const double>{rows.weights(), n};
    return Dataset<double>(MatrixView<double>{rows.column(0), n, d, 1, stride}, {rows.target(), n}, weights,
                           RowOrder::ladder);
}

const FrontEntry& entry_at(const balmer_search& search, std::size_t index) {
    if (index >= search.front.size()) {
        throw std::invalid_argument("index is " + std::to_string(index) + ", the front has " +
                                    std::to_string(search.front.size()) + " formulas; balmer_search_run makes it");
    }
    return search.front[index];
}

}  // namespace

extern "C" {

balmer_options* balmer_options_create(balmer_error* error) {
    return guarded(error, static_cast<balmer_options*>(nullptr), [] { return new balmer_options; });
}

void balmer_options_free(balmer_options* options) { delete options; }

balmer_status balmer_options_set(balmer_options* options, const char* name, double value, balmer_error* error) {
    return guarded(error, [&] { set_option(given(options, "options").options, &given(name, "name"), value); });
}

balmer_status balmer_options_set_operators(balmer_options* options, const char* names, balmer_error* error) {
    return guarded(error, [&] { given(options, "options").operators = &given(names, "names"); });
}

balmer_status balmer_options_set_loss(balmer_options* options, const char* loss, balmer_error* error) {
    return guarded(error, [&] { given(options, "options").loss = &given(loss, "loss"); });
}

balmer_search* balmer_search_create(const balmer_dataset* dataset, const balmer_operators* operators,
                                    const balmer_options* options, balmer_error* error) {
    return guarded(error, static_cast<balmer_search*>(nullptr), [&] {
        const balmer_dataset& data = given(dataset, "dataset");
        const balmer_options& wanted = given(options, "options");
        auto words = std::make_shared<const Context>(Context{operators_of(operators), data.names});
        SearchOptions chosen = wanted.options;
        chosen.operators = operators_named(wanted.operators, words->operators);
        if (!wanted.loss.empty()) chosen.evolution.loss = Loss(wanted.loss, words->operators);
        return new balmer_search(std::move(words), ladder_of(data), chosen);
    });
}

void balmer_search_free(balmer_search* search) { delete search; }

balmer_status balmer_search_run(balmer_search* search, balmer_progress_function progress, void* user,
                                balmer_stop* reason, balmer_error* error) {
    return guarded(error, [&] {
        balmer_search& s = given(search, "search");
        std::function<bool(const Progress&)> report;
        if (progress != nullptr) {
            report = [&](const Progress& now) {
                s.front.assign(now.front.begin(), now.front.end());
                const balmer_progress p{now.iteration, now.iterations, now.evaluations, now.seconds, &s};
                return progress(&p, user) != 0;
            };
        }
        SearchResult result = s.search.run(report);
        s.front = std::move(result.front);
        if (reason != nullptr) *reason = static_cast<balmer_stop>(result.reason);
    });
}

void balmer_search_interrupt(balmer_search* search) {
    if (search != nullptr) search->search.interrupt();
}

size_t balmer_search_front_size(const balmer_search* search) { return search == nullptr ? 0 : search->front.size(); }

balmer_status balmer_search_front_entry(const balmer_search* search, size_t index, balmer_entry* entry,
                                        balmer_error* error) {
    return guarded(error, [&] {
        const FrontEntry& e = entry_at(given(search, "search"), index);
        given(entry, "entry") = {e.complexity, e.loss, e.description_length};
    });
}

balmer_expression* balmer_search_front_expression(const balmer_search* search, size_t index, balmer_error* error) {
    return guarded(error, static_cast<balmer_expression*>(nullptr), [&] {
        const balmer_search& s = given(search, "search");
        return new balmer_expression{entry_at(s, index).expression, s.context};
    });
}

ptrdiff_t balmer_search_best(const balmer_search* search) {
    if (search == nullptr) return -1;
    const FrontEntry* const entry = best(search->front);
    return entry == nullptr ? -1 : entry - search->front.data();
}

ptrdiff_t balmer_search_save(const balmer_search* search, void* buffer, size_t capacity, balmer_error* error) {
    return guarded(error, ptrdiff_t{-1}, [&] {
        const std::string state = given(search, "search").search.save();
        if (state.size() <= capacity)
            std::memcpy(&given(static_cast<char*>(buffer), "buffer"), state.data(), state.size());
        return static_cast<ptrdiff_t>(state.size());
    });
}

balmer_status balmer_search_load(balmer_search* search, const void* state, size_t size, balmer_error* error) {
    return guarded(error, [&] {
        balmer_search& s = given(search, "search");
        s.search.load({&given(static_cast<const char*>(state), "state"), size});
    });
}

}  // extern "C"
