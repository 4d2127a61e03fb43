// Losses.
#include <pybind11/stl.h>

#include "balmer/eval/evaluator.hpp"
#include "balmer/fit/loss.hpp"
#include "bound.hpp"

namespace balmer::python {
namespace {

/// The loss of each row, or a derivative of it by the prediction. Columns: prediction, target, weight.
py::array_t<double> rows(const Loss& loss, const Columns<double>& columns, int order) {
    const MatrixView<double> view = matrix_view<double>(columns);
    if (view.columns != 3 || order < 0 || order > 2) {
        throw std::invalid_argument("expected columns of prediction, target and weight, and an order of 0, 1 or 2");
    }
    py::array_t<double> values(static_cast<py::ssize_t>(view.rows));
    const std::span<double> out{values.mutable_data(), view.rows};
    if (!out.empty()) {
        const py::gil_scoped_release unlocked;
        const Dataset<double> data = Dataset<double>::view(view);
        Workspace<double> workspace;
        Evaluator<double>(data).evaluate(loss.row(order, true), out, workspace);
    }
    return values;
}

}  // namespace

void bind_loss(py::module_& m) {
    py::class_<NamedLoss>(m, "NamedLoss")
        .def_property_readonly("name", [](const NamedLoss& l) { return std::string(l.name); })
        .def_property_readonly("alias", [](const NamedLoss& l) { return std::string(l.alias); })
        .def_property_readonly("definition", [](const NamedLoss& l) { return std::string(l.definition); })
        .def_property_readonly("defaults", [](const NamedLoss& l) {
            std::vector<double> defaults;
            for (int k = 0; k < l.n_parameters; ++k)
                defaults.push_back(l.parameters[static_cast<std::size_t>(k)].standard);
            return defaults;
        });
    m.def("named_losses", [] { return std::vector<NamedLoss>(named_losses().begin(), named_losses().end()); });

    py::class_<Loss>(m, "Loss")
        .def(py::init([](const std::string& text, const Context& context) { return Loss(text, context.operators); }),
             py::arg("text"), py::arg("operators"))
        .def_property_readonly("text", &Loss::text)
        .def_property_readonly("least_squares", [](const Loss& l) { return l.shape().least_squares; })
        .def_property_readonly("smooth", [](const Loss& l) { return l.shape().smooth; })
        .def_property_readonly("convex", [](const Loss& l) { return l.shape().convex; })
        .def_property_readonly("non_negative", [](const Loss& l) { return l.shape().non_negative; })
        .def("rows", &rows, py::arg("columns").noconvert(), py::arg("order") = 0);
}

}  // namespace balmer::python
