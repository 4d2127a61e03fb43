// The extension module balmer._core. Private: users meet the classes and functions of python/balmer.
#include "balmer/core/error.hpp"
#include "bound.hpp"

PYBIND11_MODULE(_core, m) {
    namespace py = balmer::python::py;
    m.doc() = "The C++ core of balmer. Use the package's own names: this module may change at any time.";
    py::register_exception<balmer::ParseError>(m, "ParseError", PyExc_ValueError);
    balmer::python::bind_expr(m);
    balmer::python::bind_dimensions(m);
    balmer::python::bind_eval(m);
    balmer::python::bind_loss(m);
    balmer::python::bind_fit(m);
    balmer::python::bind_template(m);
    balmer::python::bind_search(m);
    balmer::python::bind_c_api(m);
}
