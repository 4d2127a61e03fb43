# The extension module balmer._core, from python/bindings. scikit-build-core installs the component "python" into the wheel.

find_package(Python 3.10 REQUIRED COMPONENTS Interpreter Development.Module)
find_package(pybind11 CONFIG QUIET)
if(NOT pybind11_FOUND)
  message(FATAL_ERROR "The Python extension needs pybind11. In the environment that is built for: pip install pybind11, "
                      "then -DCMAKE_PREFIX_PATH=$(python -m pybind11 --cmakedir)")
endif()

file(GLOB sources CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/python/bindings/*.cpp")
# NO_EXTRAS: pybind11 would link with LTO, which could take kernels apart.
pybind11_add_module(_core NO_EXTRAS ${sources})
target_link_libraries(_core PRIVATE balmer::balmer)
target_include_directories(_core PRIVATE "${PROJECT_SOURCE_DIR}/python/balmer/include")
target_compile_definitions(_core PRIVATE BALMER_VERSION_INFO="${PROJECT_VERSION}")
balmer_compile_options(_core)
if(BALMER_PRECOMPILE)
  # A quarter of the time that the bindings compile in goes into reading pybind11.
  target_precompile_headers(_core PRIVATE <pybind11/numpy.h> <pybind11/stl.h>)
endif()
if(BALMER_SANITIZE)
  # Half the time to compile: what is looked at is how the core is called, not how fast.
  target_compile_options(_core PRIVATE -O0)
endif()
set_target_properties(_core PROPERTIES CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON)
if(CMAKE_EXECUTABLE_FORMAT STREQUAL ELF)
  # Two extensions in one process, each with its own copy of a library, must not share its symbols.
  target_link_options(_core PRIVATE LINKER:--exclude-libs,ALL)
endif()
install(TARGETS _core LIBRARY DESTINATION balmer COMPONENT python)
# What balmer/python_api.h includes, beside it.
install(FILES "${PROJECT_SOURCE_DIR}/cpp/include/balmer/c_api.h" "${PROJECT_SOURCE_DIR}/cpp/include/balmer/c_api_functions.def"
        DESTINATION balmer/include/balmer COMPONENT python)
