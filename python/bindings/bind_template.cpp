// Formulas of a given structure.
#include <pybind11/stl.h>

#include <string>
#include <utility>
#include <vector>

#include "balmer/expr/template.hpp"
#include "bound.hpp"

namespace balmer::python {
namespace {

using Sizes = std::vector<std::pair<std::string, std::size_t>>;

Template make_template(const std::string& combine, const std::vector<std::string>& parts,
                       const std::vector<std::string>& variables, const Sizes& parameters, const Context& operators) {
    std::vector<Template::Parameters> vectors;
    for (const auto& [name, size] : parameters) vectors.push_back({name, size});
    return Template(combine, parts, variables, std::move(vectors), operators.operators);
}

std::vector<std::pair<std::size_t, std::size_t>> categories_of(const Template& structure) {
    std::vector<std::pair<std::size_t, std::size_t>> result;
    for (const Template::Category& category : structure.categories()) {
        result.emplace_back(category.feature, category.size);
    }
    return result;
}

}  // namespace

void bind_template(py::module_& m) {
    py::class_<Template>(m, "Template")
        .def(py::init(&make_template), py::arg("combine"), py::arg("parts"), py::arg("variables"),
             py::arg("parameters"), py::arg("operators"))
        .def_property_readonly("arities", [](const Template& t) { return t.arities(); })
        .def_property_readonly("categories", &categories_of);
}

}  // namespace balmer::python
