#include <doctest/doctest.h>

#include <atomic>
#include <cmath>
#include <cstring>
#include <limits>
#include <string>
#include <thread>
#include <vector>

#include "balmer/c_api.h"
#include "balmer/expr/parse.hpp"
#include "balmer/expr/print.hpp"

namespace {

/// A handle that frees itself.
template <class T, void (*kFree)(T*)>
struct Handle {
    T* pointer;
    explicit Handle(T* p) : pointer(p) {}
    Handle(const Handle&) = delete;
    Handle& operator=(const Handle&) = delete;
    ~Handle() { kFree(pointer); }
    operator T*() const { return pointer; }  // NOLINT: the point of it
};
using Operators = Handle<balmer_operators, balmer_operators_free>;
using Data = Handle<balmer_dataset, balmer_dataset_free>;
using Formula = Handle<balmer_expression, balmer_expression_free>;
using Options = Handle<balmer_options, balmer_options_free>;
using Search = Handle<balmer_search, balmer_search_free>;

const std::vector<double> kAxis{0.389, 0.724, 1.0, 1.524, 5.2, 9.51};
const std::vector<double> kPeriod{87.77, 224.7, 365.25, 686.95, 4332.62, 10759.2};
const char* const kNames[] = {"a"};

balmer_table kepler() {
    balmer_table table{};
    table.X = kAxis.data();
    table.n_rows = kAxis.size();
    table.n_features = 1;
    table.target = kPeriod.data();
    table.names = kNames;
    return table;
}

std::string text(const balmer_expression* e, balmer_format format = BALMER_TEXT, int precision = 17) {
    balmer_error error;
    const std::ptrdiff_t length = balmer_expression_text(e, format, precision, nullptr, 0, &error);
    REQUIRE_MESSAGE(length >= 0, error.message);
    std::string buffer(static_cast<std::size_t>(length) + 1, '?');
    CHECK(balmer_expression_text(e, format, precision, buffer.data(), buffer.size(), &error) == length);
    CHECK(buffer.back() == '\0');
    buffer.pop_back();
    return buffer;
}

std::string front_text(const balmer_search* search) {
    std::string all;
    for (std::size_t k = 0; k < balmer_search_front_size(search); ++k) {
        const Formula law(balmer_search_front_expression(search, k, nullptr));
        all += text(law) + "\n";
    }
    return all;
}

TEST_CASE("versions and the instruction set are told") {
    CHECK(balmer_c_api_version() == BALMER_C_API_VERSION);
    CHECK(std::string(balmer_version()).find('.') != std::string::npos);
    balmer_error error;
    const char* const isa = balmer_isa(&error);
    REQUIRE(isa != nullptr);
    CHECK(error.status == BALMER_OK);
    CHECK(std::strlen(isa) >= 4);
}

TEST_CASE("a formula is read, printed in three forms, copied, and its constants change") {
    const Formula law(balmer_parse("365.25 * a ^ 1.5", kNames, 1, nullptr, nullptr));
    REQUIRE(law.pointer != nullptr);
    CHECK(text(law) == "365.25 * a ^ 1.5");
    CHECK(text(law, BALMER_TEXT, 2) == "370 * a ^ 1.5");
    CHECK(text(law, BALMER_LATEX).find("^{1.5}") != std::string::npos);
    CHECK(text(law, BALMER_SYMPY).find("a") != std::string::npos);
    CHECK(balmer_expression_complexity(law) == 5);
    REQUIRE(balmer_expression_n_constants(law) == 2);
    const Formula copy(balmer_expression_copy(law, nullptr));
    const double changed[] = {1, 2};
    balmer_expression_set_constants(copy, changed);
    double read[2] = {};
    balmer_expression_get_constants(copy, read);
    CHECK(read[1] == 2);
    balmer_expression_get_constants(law, read);
    CHECK(read[0] == 365.25);  // the copy is another formula
    char small[7];
    CHECK(balmer_expression_text(law, BALMER_TEXT, 17, small, sizeof small, nullptr) == 16);
    CHECK(std::string(small) == "365.25");
}

TEST_CASE("values and slopes are those of the table, whatever its strides") {
    // Two features, row after row.
    const std::vector<double> rows{1, 10, 2, 20, 3, 30};
    balmer_table table{};
    table.X = rows.data();
    table.n_rows = 3;
    table.n_features = 2;
    const Data by_rows(balmer_dataset_create(&table, nullptr));
    const std::vector<double> columns{1, 2, 3, 10, 20, 30};
    table.X = columns.data();
    table.row_stride = 1;
    table.column_stride = 3;
    const Data by_columns(balmer_dataset_create(&table, nullptr));
    const Data view(balmer_dataset_view(&table, nullptr));
    const Formula product(balmer_parse("x0 * x1", nullptr, 0, nullptr, nullptr));
    const Formula square(balmer_parse("square(x0) + 1", nullptr, 0, nullptr, nullptr));
    const balmer_expression* const both[] = {product, square};
    for (const balmer_dataset* data : {by_rows.pointer, by_columns.pointer, view.pointer}) {
        REQUIRE(data != nullptr);
        CHECK(balmer_dataset_n_rows(data) == 3);
        CHECK(balmer_dataset_n_features(data) == 2);
        std::vector<double> values(6), gradient(6);
        CHECK(balmer_evaluate(both, 2, data, values.data(), 2, nullptr) == BALMER_OK);
        CHECK(values == std::vector<double>{10, 40, 90, 2, 5, 10});
        CHECK(balmer_evaluate_gradient(product, data, values.data(), gradient.data(), nullptr) == BALMER_OK);
        CHECK(gradient == std::vector<double>{10, 20, 30, 1, 2, 3});
    }
}

TEST_CASE("constants are fitted by least squares and by other losses") {
    const balmer_table table = kepler();
    const Data data(balmer_dataset_create(&table, nullptr));
    const Formula law(balmer_parse("300 * a ^ 1.2", kNames, 1, nullptr, nullptr));
    balmer_fit fit;
    double errors[2] = {};
    balmer_error error;
    REQUIRE(balmer_fit_constants(law, data, nullptr, 50, &fit, errors, &error) == BALMER_OK);
    double constants[2];
    balmer_expression_get_constants(law, constants);
    CHECK(std::abs(constants[1] - 1.5) < 0.01);
    CHECK(fit.converged == 1);
    CHECK(errors[1] > 0);
    CHECK(errors[1] < 0.01);
    CHECK(balmer_fit_constants(law, data, "L1DistLoss", 50, &fit, nullptr, &error) == BALMER_OK);
    CHECK(balmer_fit_constants(law, data, "L1DistLoss", 50, &fit, errors, &error) == BALMER_INVALID_ARGUMENT);
    CHECK(std::string(error.message).find("standard errors") != std::string::npos);
    CHECK(balmer_fit_constants(law, data, "L3Dist", 50, &fit, nullptr, &error) == BALMER_INVALID_ARGUMENT);
    CHECK(std::string(error.message).find("L3Dist") != std::string::npos);
}

void times_user(double* out, const double* a, const double*, std::size_t n, void* user) {
    for (std::size_t i = 0; i < n; ++i) out[i] = *static_cast<const double*>(user) * a[i];
}
void slope_of_times(double* out, const double*, const double*, std::size_t n, void* user) {
    for (std::size_t i = 0; i < n; ++i) out[i] = *static_cast<const double*>(user);
}

TEST_CASE("operators of the user may be compiled code") {
    const Operators operators(balmer_operators_create(nullptr));
    balmer_error error;
    double factor = 7;
    const balmer_block_function slope = slope_of_times;
    REQUIRE(balmer_operators_define_compiled(operators, "times", 1, times_user, &slope, &factor, 1, &error) ==
            BALMER_OK);
    CHECK(balmer_operators_define_compiled(operators, "none", 1, nullptr, nullptr, nullptr, 1, &error) ==
          BALMER_INVALID_ARGUMENT);
    CHECK(std::string(error.message).find("'none' has an empty function") != std::string::npos);
    CHECK(balmer_operators_define_compiled(operators, "less", -1, times_user, nullptr, nullptr, 1, &error) ==
          BALMER_INVALID_ARGUMENT);
    const balmer_table table = kepler();
    const Data data(balmer_dataset_create(&table, nullptr));
    const Formula law(balmer_parse("times(a) + 1", kNames, 1, operators, nullptr));
    std::vector<double> values(kPeriod.size()), gradient(kPeriod.size());
    REQUIRE(balmer_evaluate_gradient(law, data, values.data(), gradient.data(), &error) == BALMER_OK);
    for (std::size_t i = 0; i < values.size(); ++i) {
        CHECK(values[i] == 7 * table.X[i] + 1);
        CHECK(gradient[i] == 7);
    }
}

TEST_CASE("a search finds the law, twice the same, with operators of the user") {
    const balmer_table table = kepler();
    const Data data(balmer_dataset_create(&table, nullptr));
    const Operators operators(balmer_operators_create(nullptr));
    balmer_error error;
    REQUIRE(balmer_operators_define(operators, "root(x) = sqrt(x)", 1, &error) == BALMER_OK);
    std::string fronts[2];
    for (int threads = 1; threads <= 2; ++threads) {
        const Options options(balmer_options_create(nullptr));
        CHECK(balmer_options_set_operators(options, "+ * / root", &error) == BALMER_OK);
        CHECK(balmer_options_set(options, "niterations", 10, &error) == BALMER_OK);
        CHECK(balmer_options_set(options, "populations", 4, &error) == BALMER_OK);
        CHECK(balmer_options_set(options, "n_threads", threads, &error) == BALMER_OK);
        const Search search(balmer_search_create(data, operators, options, &error));
        REQUIRE_MESSAGE(search.pointer != nullptr, error.message);
        CHECK(balmer_search_best(search) == -1);  // before it has run
        balmer_stop reason{};
        REQUIRE(balmer_search_run(search, nullptr, nullptr, &reason, &error) == BALMER_OK);
        CHECK(reason == BALMER_STOP_SETTLED);
        fronts[threads - 1] = front_text(search);
        balmer_entry law{}, last{};
        REQUIRE(balmer_search_best(search) >= 0);
        const auto best = static_cast<std::size_t>(balmer_search_best(search));
        CHECK(balmer_search_front_entry(search, best, &law, &error) == BALMER_OK);
        CHECK(law.complexity == 6);
        CHECK(law.loss < 50);  // of a variance of 1.5e7: P^2 ~ a^3
        const std::size_t size = balmer_search_front_size(search);
        CHECK(balmer_search_front_entry(search, size - 1, &last, &error) == BALMER_OK);
        CHECK(last.loss >= 0);
        CHECK(balmer_search_front_entry(search, size, &last, &error) == BALMER_INVALID_ARGUMENT);
    }
    CHECK(fronts[0] == fronts[1]);
    INFO(fronts[0]);
    CHECK(fronts[0].find("root(") != std::string::npos);
}

TEST_CASE("a search is stopped by its progress function and from another thread, saved and gone on with") {
    std::vector<double> x, y;
    for (int i = 0; i < 200; ++i) {
        x.push_back(0.1 * i);
        y.push_back(std::sin(1.7 * x.back()) * std::sqrt(x.back()) + 0.01 * (i * 37 % 11));
    }
    balmer_table table{};
    table.X = x.data();
    table.n_rows = x.size();
    table.n_features = 1;
    table.target = y.data();
    const Data data(balmer_dataset_create(&table, nullptr));
    const auto make = [&](int iterations) {
        const Options options(balmer_options_create(nullptr));
        balmer_options_set_operators(options, "+ - * sin sqrt", nullptr);
        balmer_options_set(options, "niterations", iterations, nullptr);
        balmer_options_set(options, "populations", 2, nullptr);
        balmer_options_set(options, "seeding", 0, nullptr);
        return balmer_search_create(data, nullptr, options, nullptr);
    };
    const Search whole(make(4));
    CHECK(balmer_search_run(whole, nullptr, nullptr, nullptr, nullptr) == BALMER_OK);

    const Search first(make(4));
    const auto stop_after_two = [](const balmer_progress* now, void* user) {
        ++*static_cast<int*>(user);
        CHECK(balmer_search_front_size(now->search) > 0);
        return now->iteration < 2 ? 1 : 0;
    };
    int calls = 0;
    balmer_stop reason{};
    CHECK(balmer_search_run(first, stop_after_two, &calls, &reason, nullptr) == BALMER_OK);
    CHECK(calls == 2);
    CHECK(reason == BALMER_STOP_EARLY_STOP);
    const std::ptrdiff_t size = balmer_search_save(first, nullptr, 0, nullptr);
    REQUIRE(size > 0);
    std::vector<char> state(static_cast<std::size_t>(size));
    CHECK(balmer_search_save(first, state.data(), state.size(), nullptr) == size);
    const Search second(make(4));
    balmer_error error;
    CHECK(balmer_search_load(second, state.data(), state.size() / 2, &error) == BALMER_INVALID_ARGUMENT);
    REQUIRE(balmer_search_load(second, state.data(), state.size(), &error) == BALMER_OK);
    CHECK(balmer_search_run(second, nullptr, nullptr, nullptr, nullptr) == BALMER_OK);
    CHECK(front_text(second) == front_text(whole));

    const Search endless(make(1'000'000'000));
    std::atomic<bool> seen = false;
    const auto tell = [](const balmer_progress*, void* user) {
        *static_cast<std::atomic<bool>*>(user) = true;
        return 1;
    };
    std::thread other([&] {
        while (!seen) std::this_thread::yield();
        balmer_search_interrupt(endless);
    });
    CHECK(balmer_search_run(endless, tell, &seen, &reason, nullptr) == BALMER_OK);
    other.join();
    CHECK(reason == BALMER_STOP_INTERRUPTED);
    CHECK(balmer_search_front_size(endless) > 0);
}

TEST_CASE("what is wrong comes back as a status and a message, never as an exception") {
    balmer_error error;
    CHECK(balmer_parse("sine(x0)", nullptr, 0, nullptr, &error) == nullptr);
    CHECK(error.status == BALMER_PARSE_ERROR);
    CHECK(error.position == 0);
    CHECK(std::string(error.message).find("sin") != std::string::npos);
    CHECK(balmer_parse(nullptr, nullptr, 0, nullptr, &error) == nullptr);
    CHECK(std::string(error.message) == "text is NULL; give a valid pointer");
    CHECK(balmer_parse("1 +", nullptr, 0, nullptr, nullptr) == nullptr);  // nobody wants the message

    balmer_table table = kepler();
    const double bad[] = {1, 2, std::numeric_limits<double>::quiet_NaN(), 4, 5, 6};
    table.X = bad;
    const Data with_nan(balmer_dataset_create(&table, &error));
    const Options defaults(balmer_options_create(nullptr));
    CHECK(balmer_search_create(with_nan, nullptr, defaults, &error) == nullptr);
    CHECK(std::string(error.message).find("feature 0 at row 2 is NaN") != std::string::npos);
    table.target = bad;
    CHECK(balmer_dataset_create(&table, &error) == nullptr);
    CHECK(error.status == BALMER_INVALID_ARGUMENT);
    table = kepler();
    CHECK(balmer_dataset_view(&table, &error) == nullptr);  // a view holds no target
    table.target = nullptr;
    table.row_stride = 1;
    table.column_stride = 6;
    const Data features(balmer_dataset_view(&table, &error));
    REQUIRE(features.pointer != nullptr);

    const Options options(balmer_options_create(nullptr));
    CHECK(balmer_options_set(options, "maxsise", 20, &error) == BALMER_INVALID_ARGUMENT);
    CHECK(std::string(error.message) == "there is no option \"maxsise\": did you mean \"maxsize\"?");
    CHECK(balmer_options_set(options, "maxsize", 20.5, &error) == BALMER_INVALID_ARGUMENT);
    CHECK(balmer_options_set(options, "seeding", 2, &error) == BALMER_INVALID_ARGUMENT);
    CHECK(std::string(error.message) == "seeding is 2; give 0 or 1");
    CHECK(balmer_search_create(features, nullptr, options, &error) == nullptr);  // no target
    CHECK(std::string(error.message).find("target") != std::string::npos);
    table = kepler();
    const Data data(balmer_dataset_create(&table, nullptr));
    CHECK(balmer_options_set_operators(options, "+ cosinus", nullptr) == BALMER_OK);
    CHECK(balmer_search_create(data, nullptr, options, &error) == nullptr);
    CHECK(std::string(error.message).find("cosinus") != std::string::npos);

    const Formula two(balmer_parse("x0 + x1", nullptr, 0, nullptr, nullptr));
    const balmer_expression* const list[] = {two};
    double values[6];
    CHECK(balmer_evaluate(list, 1, data, values, 1, &error) == BALMER_INVALID_ARGUMENT);
    CHECK(std::string(error.message).find("feature 1") != std::string::npos);
    CHECK(balmer_evaluate(list, 1, data, values, 0, &error) == BALMER_INVALID_ARGUMENT);
    CHECK(balmer_expression_text(two, static_cast<balmer_format>(3), 4, nullptr, 0, &error) == -1);
    CHECK(balmer_expression_text(two, BALMER_TEXT, 0, nullptr, 0, &error) == -1);
    balmer_expression_free(nullptr);
    balmer_search_interrupt(nullptr);
}

}  // namespace
