// The part of balmer._core that formulas and their values need.
#include "balmer/core/error.hpp"
#include "bound.hpp"

PYBIND11_MODULE(_core, m) {
    namespace py = balmer::python::py;
    py::register_exception<balmer::ParseError>(m, "ParseError", PyExc_ValueError);
    balmer::python::bind_expr(m);
    balmer::python::bind_eval(m);
}
