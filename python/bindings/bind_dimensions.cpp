// The dimensions of data, and of formulas over them.
#include <pybind11/stl.h>

#include <array>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "balmer/expr/dimensions.hpp"
#include "balmer/expr/print.hpp"
#include "bound.hpp"

namespace balmer::python {
namespace {

/// The exponents of a dimension; None for any.
using Exponents = std::optional<std::array<double, Dimension::kBases>>;

Quantity quantity_of(const Exponents& exponents) { return exponents ? Quantity(Dimension(*exponents)) : Quantity(); }

Exponents exponents_of(const Quantity& quantity) {
    if (!quantity) return std::nullopt;
    std::array<double, Dimension::kBases> exponents;
    for (std::size_t k = 0; k < exponents.size(); ++k) exponents[k] = quantity->exponent(k);
    return exponents;
}

DataDimensions make_dimensions(const std::vector<Exponents>& features, const Exponents& target,
                               bool dimensionless_constants_only) {
    DataDimensions dimensions{{}, quantity_of(target), dimensionless_constants_only};
    for (const Exponents& feature : features) dimensions.features.push_back(quantity_of(feature));
    return dimensions;
}

/// The part of the formula that violates the dimensions, as text; None if it keeps to them.
std::optional<std::string> violating_part(const DataDimensions& dimensions, const BoundExpression& e) {
    const auto at = dimension_violation(e.expression, dimensions, e.context->operators);
    if (!at) return std::nullopt;
    return to_text(e.expression.subtree(*at), e.context->names, e.context->operators);
}

std::vector<Exponents> of_constants(const DataDimensions& dimensions, const BoundExpression& e) {
    std::vector<Exponents> result;
    for (const Quantity& quantity : dimensions_of_constants(e.expression, dimensions, e.context->operators)) {
        result.push_back(exponents_of(quantity));
    }
    return result;
}

}  // namespace

void bind_dimensions(py::module_& m) {
    py::class_<DataDimensions>(m, "DataDimensions")
        .def(py::init(&make_dimensions), py::arg("features"), py::arg("target"),
             py::arg("dimensionless_constants_only"))
        .def("violating_part", &violating_part, py::arg("expression"))
        .def("of_constants", &of_constants, py::arg("expression"));
}

}  // namespace balmer::python
