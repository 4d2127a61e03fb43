// What the opaque handles of the C interface hold, and how exceptions become errors. C has no destructors: a handle is
// made by new and ends in its _free.
#pragma once

#include <algorithm>
#include <cstring>
#include <memory>
#include <new>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "balmer/c_api.h"
#include "balmer/core/error.hpp"
#include "balmer/eval/dataset.hpp"
#include "balmer/expr/operator_set.hpp"
#include "balmer/search/search.hpp"

struct balmer_operators {
    balmer::OperatorSet set;
};

namespace balmer::c_api {

/// What gives an expression its words. Never changes once made, so handles share it.
struct Context {
    OperatorSet operators;
    std::vector<std::string> names;  ///< of the features; empty: x0, x1, ...
};

}  // namespace balmer::c_api

struct balmer_dataset {
    balmer::Dataset<double> rows;  ///< in the order of the table
    std::vector<std::string> names;
};

struct balmer_expression {
    balmer::Expression expression;
    std::shared_ptr<const balmer::c_api::Context> context;
};

struct balmer_options {
    balmer::SearchOptions options;
    std::string operators = "+ - * /";
    std::string loss;  ///< empty: least squares
};

struct balmer_search {
    std::shared_ptr<const balmer::c_api::Context> context;
    balmer::Dataset<double> data;  // before `search`, which refers to it
    balmer::Search search;
    std::vector<balmer::FrontEntry> front;

    balmer_search(std::shared_ptr<const balmer::c_api::Context> words, balmer::Dataset<double> rows,
                  const balmer::SearchOptions& options)
        : context(std::move(words)), data(std::move(rows)), search(data, context->operators, options) {}
};

namespace balmer::c_api {

inline void report(balmer_error* error, balmer_status status, std::string_view message, int position = -1) noexcept {
    if (error == nullptr) return;
    error->status = status;
    error->position = position;
    const std::size_t length = std::min(message.size(), sizeof error->message - 1);
    std::memcpy(error->message, message.data(), length);
    error->message[length] = '\0';
}

/// Calls `body` and lets no exception out: returns what it returns, or `failed` with `error` filled in.
template <class Result, class Body>
Result guarded(balmer_error* error, Result failed, Body body) noexcept {
    try {
        Result result = body();
        report(error, BALMER_OK, "");
        return result;
    } catch (const ParseError& e) {
        report(error, BALMER_PARSE_ERROR, e.what(), static_cast<int>(e.position()));
    } catch (const std::invalid_argument& e) {
        report(error, BALMER_INVALID_ARGUMENT, e.what());
    } catch (const std::bad_alloc&) {
        report(error, BALMER_OUT_OF_MEMORY, "out of memory");
    } catch (const std::exception& e) {
        report(error, BALMER_FAILED, e.what());
    } catch (...) {
        report(error, BALMER_FAILED, "an exception of unknown type");
    }
    return failed;
}

/// The same for functions that return a status. `body` returns nothing.
template <class Body>
balmer_status guarded(balmer_error* error, Body body) noexcept {
    balmer_error local;
    balmer_error* const seen = error == nullptr ? &local : error;
    guarded(seen, 0, [&] {
        body();
        return 0;
    });
    return seen->status;
}

/// Throws std::invalid_argument for NULL.
template <class T>
T& given(T* pointer, std::string_view name) {
    if (pointer == nullptr) {
        throw std::invalid_argument(std::string(name) + " is NULL; give a valid pointer");
    }
    return *pointer;
}

[[nodiscard]] inline OperatorSet operators_of(const balmer_operators* operators) {
    return operators == nullptr ? OperatorSet::builtin() : operators->set;
}

/// `n` names; none if the array is NULL.
[[nodiscard]] inline std::vector<std::string> names_of(const char* const* names, std::size_t n) {
    std::vector<std::string> copies;
    if (names == nullptr) return copies;
    for (std::size_t k = 0; k < n; ++k) copies.emplace_back(&given(names[k], "a name"));
    return copies;
}

}  // namespace balmer::c_api
