// The constants of one expression.
#include <pybind11/stl.h>

#include <limits>
#include <tuple>

#include "balmer/fit/fit.hpp"
#include "balmer/fit/loss.hpp"
#include "bound.hpp"

namespace balmer::python {
namespace {

/// What a fit gives back: the result and the expression with its new constants.
struct BoundFit {
    BoundExpression expression;
    FitResult result;
    std::vector<double> standard_errors;
};

BoundFit fit(const BoundExpression& e, const Columns<double>& X, const Vector& y, const std::optional<Vector>& weights,
             int max_iterations, const Loss* loss) {
    check_columns(e, static_cast<std::size_t>(X.ndim() == 2 ? X.shape(1) : 0));
    const MatrixView<double> view = matrix_view<double>(X);
    const std::span<const double> target = span_of(y);
    const std::span<const double> weight = weights ? span_of(*weights) : std::span<const double>{};
    BoundFit fitted{e, {}, {}};
    {
        const py::gil_scoped_release unlocked;
        const Dataset<double> data(view, target, weight);
        const Evaluator<double> evaluator(data, e.context->operators);
        FitWorkspace<double> workspace;
        FitOptions options;
        options.max_iterations = max_iterations;
        Expression& expression = fitted.expression.expression;
        fitted.result = loss == nullptr ? fit_constants(expression, evaluator, options, workspace)
                                        : fit_constants(expression, evaluator, *loss, options, workspace);
        if (loss == nullptr || loss->is_least_squares()) {
            fitted.standard_errors = standard_errors(expression, evaluator, workspace);
        } else {
            fitted.standard_errors.assign(expression.constants.size(), std::numeric_limits<double>::quiet_NaN());
        }
    }
    return fitted;
}

}  // namespace

void bind_fit(py::module_& m) {
    py::class_<BoundFit>(m, "Fit")
        .def_readonly("expression", &BoundFit::expression)
        .def_property_readonly("status", [](const BoundFit& f) { return std::string(name(f.result.status)); })
        .def_property_readonly("loss", [](const BoundFit& f) { return f.result.loss; })
        .def_property_readonly("iterations", [](const BoundFit& f) { return f.result.iterations; })
        .def_property_readonly("evaluations", [](const BoundFit& f) { return f.result.evaluations; })
        .def_readonly("standard_errors", &BoundFit::standard_errors);
    m.def("fit_constants", &fit, py::arg("expression"), py::arg("X").noconvert(), py::arg("y").noconvert(),
          py::arg("weights").noconvert(), py::arg("max_iterations"), py::arg("loss") = py::none());
}

}  // namespace balmer::python
