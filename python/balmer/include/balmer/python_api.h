/* The functions of balmer/c_api.h out of the Python extension: for modules in Cython or C that call them without linking
 * to a library. Call balmer_import() once, while the module is loaded; then balmer_functions_->balmer_parse(...) and so on,
 * which Cython's balmer/c_api.pxd gives their plain names. None of them needs the GIL, but a progress function that touches
 * Python objects does. */
#ifndef BALMER_PYTHON_API_H
#define BALMER_PYTHON_API_H

#include <Python.h>

#include "balmer/c_api.h"

/* A pointer to each function. It only grows at its end. */
typedef struct balmer_functions {
    int version;  /* BALMER_C_API_VERSION of the extension */
    size_t size;  /* sizeof(balmer_functions) there */
#ifdef __cplusplus
#define BALMER_FUNCTION(name) decltype(&::name) name;
#else
#define BALMER_FUNCTION(name) __typeof__(&name) name;
#endif
#include "balmer/c_api_functions.def"
#undef BALMER_FUNCTION
} balmer_functions;

#define BALMER_FUNCTIONS_CAPSULE "balmer._core._c_api"

#ifndef BALMER_PYTHON_API_DEFINES
static const balmer_functions* balmer_functions_ = NULL;

/* Finds the functions. Returns 0, or -1 with a Python exception set: balmer is not installed, or too old. */
static inline int balmer_import(void) {
    const balmer_functions* found = (const balmer_functions*)PyCapsule_Import(BALMER_FUNCTIONS_CAPSULE, 0);
    if (found == NULL) return -1;
    if (found->version != BALMER_C_API_VERSION || found->size < sizeof(balmer_functions)) {
        PyErr_Format(PyExc_ImportError,
                     "this module was compiled for version %d of balmer's C interface; the balmer that is installed has "
                     "version %d with %zu bytes of functions, %zu are needed: compile it again, or upgrade balmer",
                     BALMER_C_API_VERSION, found->version, found->size, sizeof(balmer_functions));
        return -1;
    }
    balmer_functions_ = found;
    return 0;
}
#endif

#endif
