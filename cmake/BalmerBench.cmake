# The micro-benchmarks, one program of all files of bench/micro. They print JSON.

file(GLOB sources CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/bench/micro/*.cpp")
if(NOT sources)
  message(FATAL_ERROR "BALMER_BENCH is on, and bench/micro holds no .cpp file")
endif()
add_executable(balmer_bench ${sources})
target_link_libraries(balmer_bench PRIVATE balmer::balmer OpenMP::OpenMP_CXX)
target_include_directories(balmer_bench PRIVATE "${PROJECT_SOURCE_DIR}/cpp/src")
balmer_compile_options(balmer_bench)

# What bench/accuracy/accuracy.py asks for values; built on request.
file(GLOB accuracy_sources CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/bench/accuracy/*.cpp")
add_executable(balmer_accuracy EXCLUDE_FROM_ALL ${accuracy_sources})
target_link_libraries(balmer_accuracy PRIVATE balmer::balmer)
target_include_directories(balmer_accuracy PRIVATE "${PROJECT_SOURCE_DIR}/cpp/src")
balmer_compile_options(balmer_accuracy)
