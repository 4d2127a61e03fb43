// Functions that a compiler made, as scipy.LowLevelCallable carries them.
#pragma once

#include <pybind11/pybind11.h>

#include <cstddef>
#include <string>

namespace balmer::python {

namespace py = pybind11;

/// What is in the capsule of a scipy.LowLevelCallable: a function of arrays of doubles and their length, perhaps with the
/// user's data behind. The capsule's name is the signature, its context the data. A plain value: the capsule must outlive it.
struct LowLevelFunction {
    /// Reads the signature. `is_known` is false for one that is not `result (double *, ..., size [, void *])`.
    explicit LowLevelFunction(const py::capsule& capsule);

    /// Calls it with its own type, Result(const double* or double*, ..., std::size_t): the data are added if it takes them.
    template <class Result, class... Arguments>
    Result call(Arguments... arguments) const {
        if (takes_data) return reinterpret_cast<Result (*)(Arguments..., void*)>(function)(arguments..., data);
        return reinterpret_cast<Result (*)(Arguments...)>(function)(arguments...);
    }

    bool is_known = false;
    std::string signature;     ///< as it was given, for messages
    std::string result;        ///< "double", "void", ...
    std::size_t n_arrays = 0;  ///< parameters that are double *
    bool takes_data = false;
    void* function = nullptr;
    void* data = nullptr;
};

}  // namespace balmer::python
