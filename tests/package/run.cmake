# cmake -DBUILD=<build folder of balmer> -DSOURCE=<this folder> -DWORK=<scratch folder> -DCOMPILER=<c++>
#       -DGENERATOR=<of CMake> -DMAKE_PROGRAM=<its tool> -P run.cmake
# Installs balmer into an empty prefix, then builds and runs a project that knows nothing but that prefix.

file(REMOVE_RECURSE "${WORK}")
function(run)
  execute_process(COMMAND ${ARGV} RESULT_VARIABLE status OUTPUT_VARIABLE output ERROR_VARIABLE output)
  if(NOT status EQUAL 0)
    list(JOIN ARGV " " command)
    message(FATAL_ERROR "${command}\nfailed with ${status}:\n${output}")
  endif()
  set(output "${output}" PARENT_SCOPE)
endfunction()

run("${CMAKE_COMMAND}" --install "${BUILD}" --prefix "${WORK}/prefix" --component cpp)
run("${CMAKE_COMMAND}" -S "${SOURCE}" -B "${WORK}/build" -G "${GENERATOR}" "-DCMAKE_MAKE_PROGRAM=${MAKE_PROGRAM}"
    "-DCMAKE_CXX_COMPILER=${COMPILER}" "-DCMAKE_PREFIX_PATH=${WORK}/prefix" "-DCMAKE_BUILD_TYPE=Release")
run("${CMAKE_COMMAND}" --build "${WORK}/build")
run("${WORK}/build/uses_balmer")
message(STATUS "${output}")
