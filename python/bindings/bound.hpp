// What Python holds: core values together with what is needed to read and print them.
#pragma once

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "balmer/eval/dataset.hpp"
#include "balmer/expr/operator_set.hpp"

namespace balmer::python {

namespace py = pybind11;

/// What gives an expression its words. Never changes once made, so threads may share it.
struct Context {
    OperatorSet operators;
    std::vector<std::string> names;  ///< of the features; empty: x0, x1, ..., as many as there are
    /// The Python objects that hold the code of compiled operators. Released under the GIL, wherever the last one goes.
    std::shared_ptr<PyObject> compiled = nullptr;

    [[nodiscard]] Context with_names(std::vector<std::string> other) const {
        return {operators, std::move(other), compiled};
    }
};

/// An expression and its context: a value, like the core's.
struct BoundExpression {
    Expression expression;
    std::shared_ptr<const Context> context;
};

/// Columns one after the other, as the core reads them; `_validation.py` brings arrays into this form.
template <class T>
using Columns = py::array_t<T, py::array::f_style>;

using Vector = py::array_t<double, py::array::c_style>;

/// Throws std::invalid_argument unless X is a matrix.
template <class T>
[[nodiscard]] MatrixView<T> matrix_view(const Columns<T>& X) {
    if (X.ndim() != 2) throw std::invalid_argument("X has " + std::to_string(X.ndim()) + " dimensions, not 2");
    const auto rows = static_cast<std::size_t>(X.shape(0));
    return {X.data(), rows, static_cast<std::size_t>(X.shape(1)), 1, rows};
}

[[nodiscard]] inline std::span<const double> span_of(const Vector& v) {
    if (v.ndim() != 1) throw std::invalid_argument("expected one dimension, not " + std::to_string(v.ndim()));
    return {v.data(), static_cast<std::size_t>(v.shape(0))};
}

/// Throws std::invalid_argument if the features have names, and there are not `columns` of them.
void check_names(const BoundExpression& expression, std::size_t columns);

/// Throws std::invalid_argument unless `columns` columns can stand for the features of the expression.
void check_columns(const BoundExpression& expression, std::size_t columns);

void bind_expr(py::module_& m);
void bind_dimensions(py::module_& m);
void bind_eval(py::module_& m);
void bind_loss(py::module_& m);
void bind_fit(py::module_& m);
void bind_search(py::module_& m);
void bind_template(py::module_& m);
void bind_c_api(py::module_& m);

}  // namespace balmer::python
