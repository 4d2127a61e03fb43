// The constants of one expression.
#include <pybind11/stl.h>

#include <string>
#include <utility>

#include "balmer/fit/fit_all.hpp"
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

/// Each expression over the rows of X, to the column of `targets` of its number, or to the only one.
std::vector<BoundFit> fit(const std::vector<BoundExpression>& expressions, const Columns<double>& X,
                          const Columns<double>& targets, const std::optional<Vector>& weights, int max_iterations,
                          int restarts, bool scan_frequencies, const Loss* loss, int n_threads) {
    const MatrixView<double> view = matrix_view<double>(X), wanted = matrix_view<double>(targets);
    if (wanted.columns != 1 && wanted.columns != expressions.size()) {
        throw std::invalid_argument("y has " + std::to_string(wanted.columns) + " columns for " +
                                    std::to_string(expressions.size()) + " expressions: give one, or one for each");
    }
    const auto column = [&](std::size_t k) {
        return std::span<const double>(wanted.data + k * wanted.rows, wanted.rows);
    };
    std::vector<FitJob> jobs(expressions.size());
    for (std::size_t k = 0; k < jobs.size(); ++k) {
        check_columns(expressions[k], view.columns);
        jobs[k].expression = expressions[k].expression;
        jobs[k].operators = &expressions[k].context->operators;
        if (wanted.columns > 1) jobs[k].target = column(k);
    }
    FitOptions options;
    options.max_iterations = max_iterations;
    options.restarts = restarts;
    options.scan_frequencies = scan_frequencies;
    {
        const py::gil_scoped_release unlocked;
        fit_all(jobs, view, column(0), weights ? span_of(*weights) : std::span<const double>{}, options, loss,
                n_threads);
    }
    std::vector<BoundFit> fitted;
    fitted.reserve(jobs.size());
    for (std::size_t k = 0; k < jobs.size(); ++k) {
        fitted.push_back({{std::move(jobs[k].expression), expressions[k].context},
                          jobs[k].result,
                          std::move(jobs[k].standard_errors)});
    }
    return fitted;
}

BoundFit fit_one(const BoundExpression& expression, const Columns<double>& X, const Vector& y,
                 const std::optional<Vector>& weights, int max_iterations, const Loss* loss, int restarts,
                 bool scan_frequencies) {
    const std::span<const double> target = span_of(y);
    const auto rows = static_cast<py::ssize_t>(target.size());
    const Columns<double> column({rows, py::ssize_t{1}}, target.data(), y);
    return std::move(
        fit({expression}, X, column, weights, max_iterations, restarts, scan_frequencies, loss, 1).front());
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
    m.def("fit_constants", &fit_one, py::arg("expression"), py::arg("X").noconvert(), py::arg("y").noconvert(),
          py::arg("weights").noconvert(), py::arg("max_iterations"), py::arg("loss") = py::none(),
          py::arg("restarts") = 0, py::arg("scan_frequencies") = false);
    m.def("fit_all", &fit, py::arg("expressions"), py::arg("X").noconvert(), py::arg("targets").noconvert(),
          py::arg("weights").noconvert(), py::arg("max_iterations"), py::arg("restarts"), py::arg("scan_frequencies"),
          py::arg("loss"), py::arg("n_threads"));
}

}  // namespace balmer::python
