# cmake -DBUILD=<build folder of balmer> -DPROJECTS=<folders> -DWORK=<scratch folder> -DCOMPILER=<c++>
#       -DGENERATOR=<of CMake> -DMAKE_PROGRAM=<its tool> -DDATA=<a csv file> -P run.cmake
# Installs balmer into an empty prefix, then builds and runs projects that know nothing but that prefix.

file(REMOVE_RECURSE "${WORK}")
function(run)
  execute_process(COMMAND ${ARGV} RESULT_VARIABLE status OUTPUT_VARIABLE output ERROR_VARIABLE errors)
  if(NOT status EQUAL 0)
    list(JOIN ARGV " " command)
    message(FATAL_ERROR "${command}\nfailed with ${status}:\n${output}\n${errors}")
  endif()
  set(output "${output}" PARENT_SCOPE)
endfunction()

run("${CMAKE_COMMAND}" --install "${BUILD}" --prefix "${WORK}/prefix" --component cpp)
foreach(project IN LISTS PROJECTS)
  cmake_path(GET project FILENAME name)
  run("${CMAKE_COMMAND}" -S "${project}" -B "${WORK}/${name}" -G "${GENERATOR}" "-DCMAKE_MAKE_PROGRAM=${MAKE_PROGRAM}"
      "-DCMAKE_CXX_COMPILER=${COMPILER}" "-DCMAKE_PREFIX_PATH=${WORK}/prefix" "-DCMAKE_BUILD_TYPE=Release")
  run("${CMAKE_COMMAND}" --build "${WORK}/${name}")
  run("${WORK}/${name}/${name}" "${DATA}")
  string(STRIP "${output}" output)
  message(STATUS "${name}: ${output}")
  if((name STREQUAL "embed" AND NOT output MATCHES ">>>[^\n]*P = 365\\.2 \\* a \\^ 1\\.5") OR
     (name STREQUAL "kepler_in_c" AND NOT output STREQUAL "P = 365.2 * a ^ 1.5"))
    message(FATAL_ERROR "${name} did not find Kepler's third law:\n${output}")
  endif()
endforeach()
