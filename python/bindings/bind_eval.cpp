// Values and derivatives of expressions over rows.
#include <pybind11/stl.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "balmer/eval/evaluator.hpp"
#include "balmer/eval/isa.hpp"
#include "bound.hpp"

namespace balmer::python {
namespace {

/// Refers to the caller's array: it must outlive the dataset. Values are not checked, for a NaN in X is a NaN in y.
template <class T>
Dataset<T> as_dataset(const Columns<T>& X) {
    return Dataset<T>::view(matrix_view<T>(X));
}

template <class T>
using Rows = py::array_t<T, py::array::c_style>;

/// What the items of a list hold. They lie anywhere in memory: each is fetched before it is read, its Python object while the
/// ones before it are read, what it holds while the ones after it are.
std::vector<const BoundExpression*> bound_expressions(const py::list& items) {
    constexpr std::size_t kAhead = 8;
    std::vector<const BoundExpression*> bound;
    bound.reserve(items.size());
    // Not items[i], which counts a reference and so reads the object.
    const auto item = [&](std::size_t i) {
        return py::handle(PyList_GET_ITEM(items.ptr(), static_cast<py::ssize_t>(i)));
    };
    for (std::size_t i = 0; i < items.size(); ++i) {
        if (i + kAhead < items.size()) __builtin_prefetch(item(i + kAhead).ptr());
        const BoundExpression& e = item(i).cast<const BoundExpression&>();
        __builtin_prefetch(&e);
        __builtin_prefetch(&e.context);
        bound.push_back(&e);
    }
    return bound;
}

/// Values of shape (n_expressions, n_rows), in `out` if it is given: new memory costs as much as small formulas.
template <class T>
Rows<T> evaluate(const py::list& expressions, const Columns<T>& X, int n_threads, std::optional<Rows<T>> out_array) {
    if (X.ndim() != 2) throw std::invalid_argument("X has " + std::to_string(X.ndim()) + " dimensions, not 2");
    const py::ssize_t shape[] = {static_cast<py::ssize_t>(expressions.size()), X.shape(0)};
    if (out_array && (out_array->ndim() != 2 || !std::equal(shape, shape + 2, out_array->shape()))) {
        throw std::invalid_argument("out must have the shape (" + std::to_string(shape[0]) + ", " +
                                    std::to_string(shape[1]) + "): a row for each expression");
    }
    Rows<T> values = out_array ? std::move(*out_array) : Rows<T>(shape);
    if (X.shape(0) == 0) return values;  // the core wants a row
    const Dataset<T> data = as_dataset<T>(X);
    const std::vector<const BoundExpression*> bound = bound_expressions(expressions);
    std::vector<const Expression*> formulas;
    std::vector<const OperatorSet*> operators;
    formulas.reserve(expressions.size());
    operators.reserve(expressions.size());
    for (const BoundExpression* const e : bound) {
        check_names(*e, data.n_features());
        __builtin_prefetch(e->expression.nodes.data());
        formulas.push_back(&e->expression);
        operators.push_back(&e->context->operators);
    }
    const std::span<T> out{values.mutable_data(), formulas.size() * data.n_rows()};
    try {
        const py::gil_scoped_release unlocked;  // no Python object is touched in this block
        evaluate_all<T>(formulas, operators, data, out, n_threads);
    } catch (const std::invalid_argument&) {
        // The core says it of the data; reading the nodes of all formulas before would cost a tenth of a small evaluation.
        for (const BoundExpression* const e : bound) check_columns(*e, data.n_features());
        throw;
    }
    return values;
}

enum class With : std::uint8_t { features, constants };

/// Values, and derivatives as an array of shape (n_rows, n), column by column as the core writes them.
std::pair<py::array_t<double>, Columns<double>> derivatives(const BoundExpression& e, const Columns<double>& X,
                                                            With with) {
    if (X.ndim() == 2 && X.shape(0) == 0) throw std::invalid_argument("X has no rows: at least one is needed");
    const Dataset<double> data = as_dataset<double>(X);
    check_columns(e, data.n_features());
    const std::size_t n = with == With::features ? data.n_features() : e.expression.constants.size();
    py::array_t<double> values(static_cast<py::ssize_t>(data.n_rows()));
    Columns<double> slopes({static_cast<py::ssize_t>(data.n_rows()), static_cast<py::ssize_t>(n)});
    const std::span<double> out{values.mutable_data(), data.n_rows()};
    const std::span<double> out_slopes{slopes.mutable_data(), data.n_rows() * n};
    {
        const py::gil_scoped_release unlocked;
        const Evaluator<double> evaluator(data, e.context->operators);
        Workspace<double> workspace;
        if (with == With::features) {
            evaluator.evaluate_with_gradient(e.expression, out, out_slopes, workspace);
        } else {
            evaluator.evaluate_with_jacobian(e.expression, out, out_slopes, workspace);
        }
    }
    return {std::move(values), std::move(slopes)};
}

}  // namespace

void bind_eval(py::module_& m) {
    m.def("evaluate_float64", &evaluate<double>, py::arg("expressions"), py::arg("X").noconvert(), py::arg("n_threads"),
          py::arg("out").noconvert() = py::none());
    m.def("evaluate_float32", &evaluate<float>, py::arg("expressions"), py::arg("X").noconvert(), py::arg("n_threads"),
          py::arg("out").noconvert() = py::none());
    m.def(
        "gradient",
        [](const BoundExpression& e, const Columns<double>& X) { return derivatives(e, X, With::features); },
        py::arg("expression"), py::arg("X").noconvert());
    m.def(
        "jacobian",
        [](const BoundExpression& e, const Columns<double>& X) { return derivatives(e, X, With::constants); },
        py::arg("expression"), py::arg("X").noconvert());
    m.def("isa", [] { return std::string(isa()); });
    m.def("available_isas", [] {
        const std::vector<std::string_view> sets = available_isas();
        return std::vector<std::string>(sets.begin(), sets.end());
    });
}

}  // namespace balmer::python
