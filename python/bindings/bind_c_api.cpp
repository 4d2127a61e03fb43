// The C interface for other extension modules: a capsule with a pointer to each of its functions.
#define BALMER_PYTHON_API_DEFINES
#include "balmer/python_api.h"
#include "bound.hpp"

namespace balmer::python {

void bind_c_api(py::module_& m) {
    static const balmer_functions functions{
        BALMER_C_API_VERSION,
        sizeof(balmer_functions),
#define BALMER_FUNCTION(name) &::name,
#include "balmer/c_api_functions.def"
#undef BALMER_FUNCTION
    };
    m.attr("_c_api") = py::capsule(&functions, BALMER_FUNCTIONS_CAPSULE);
}

}  // namespace balmer::python
