# How balmer's own code is compiled.

if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "Build type" FORCE)
endif()

foreach(compiler IN ITEMS GNU:12 Clang:16 AppleClang:15)
  string(REGEX MATCH "^([A-Za-z]+):([0-9]+)$" _ "${compiler}")
  if(CMAKE_CXX_COMPILER_ID STREQUAL CMAKE_MATCH_1 AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS CMAKE_MATCH_2)
    message(FATAL_ERROR "balmer needs ${CMAKE_MATCH_1} ${CMAKE_MATCH_2} or newer; this is "
                        "${CMAKE_CXX_COMPILER_VERSION}. Choose another with -DCMAKE_CXX_COMPILER=...")
  endif()
endforeach()

set(balmer_sanitizers address undefined thread "address,undefined")
if(BALMER_SANITIZE AND NOT BALMER_SANITIZE IN_LIST balmer_sanitizers)
  message(FATAL_ERROR "BALMER_SANITIZE=${BALMER_SANITIZE}: expected one of ${balmer_sanitizers}")
endif()

# Flags of every file of balmer, its tests and its bindings.
#
# -ffp-contract=off: GCC would fuse a * b + c where the target has FMA and not where it lacks it; results must be the same
# bits on every machine, so a fused operation is always written as one.
function(balmer_compile_options target)
  target_compile_options(${target} PRIVATE -ffp-contract=off)
  if(PROJECT_IS_TOP_LEVEL)
    target_compile_options(${target} PRIVATE -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion)
  endif()
  # GCC 12 sees an overlap in "literal" + std::string that is not there (GCC bug 105651).
  target_compile_options(
    ${target} PRIVATE "$<$<AND:$<CXX_COMPILER_ID:GNU>,$<VERSION_LESS:$<CXX_COMPILER_VERSION>,13>>:-Wno-restrict>")
  if(BALMER_WERROR)
    target_compile_options(${target} PRIVATE -Werror)
  endif()
  if(BALMER_SANITIZE)
    set(flags -fsanitize=${BALMER_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
    if(CMAKE_CXX_COMPILER_ID MATCHES Clang)
      list(APPEND flags "-fsanitize-ignorelist=${PROJECT_SOURCE_DIR}/cmake/sanitize.ignore")
    endif()
    # PUBLIC on the link only: an executable that links the static library needs the run-time of the sanitizer.
    target_compile_options(${target} PRIVATE ${flags} -g1)  # lines are enough for a report
    target_link_options(${target} PUBLIC -fsanitize=${BALMER_SANITIZE})
  endif()
  set_target_properties(${target} PROPERTIES CXX_STANDARD 20 CXX_STANDARD_REQUIRED ON CXX_EXTENSIONS OFF)
endfunction()

# Tells the fuzzer which branches were taken, of what it looks for inputs to.
function(balmer_trace_branches target)
  if(BALMER_FUZZ)
    target_compile_options(${target} PRIVATE -fsanitize=fuzzer-no-link)
  endif()
endfunction()

# Counts the lines that are executed, of the library and not of its tests. PUBLIC on the link only, as for sanitizers.
function(balmer_count_coverage target)
  if(BALMER_COVERAGE AND CMAKE_CXX_COMPILER_ID MATCHES Clang)
    target_compile_options(${target} PRIVATE -fprofile-instr-generate -fcoverage-mapping)
    target_link_options(${target} PUBLIC -fprofile-instr-generate)
  elseif(BALMER_COVERAGE)
    target_compile_options(${target} PRIVATE --coverage)
    target_link_options(${target} PUBLIC --coverage)
  endif()
endfunction()

# The standard headers of most files, read once; not for the sources after `target`, which have flags of their own. Off by
# default: without it the compiler sees what a file forgot to include.
function(balmer_precompile target)
  if(BALMER_PRECOMPILE)
    target_precompile_headers(${target} PRIVATE <algorithm> <array> <cmath> <cstddef> <cstdint> <limits> <memory>
                              <optional> <span> <stdexcept> <string> <string_view> <utility> <vector>)
    set_source_files_properties(${ARGN} PROPERTIES SKIP_PRECOMPILE_HEADERS ON)
  endif()
endfunction()

# What a user of the library sees: names of the namespace balmer and of the C interface, nothing of Eigen or of the
# standard library. In a static library hidden visibility does it; a shared one has a list for the linker.
function(balmer_export_only_balmer target)
  get_target_property(type ${target} TYPE)
  if(NOT type STREQUAL SHARED_LIBRARY)
    set_target_properties(${target} PROPERTIES CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON)
  elseif(CMAKE_EXECUTABLE_FORMAT STREQUAL ELF)
    set(map "${PROJECT_SOURCE_DIR}/cmake/balmer.map")
    target_link_options(${target} PRIVATE "LINKER:--version-script=${map}")
    set_target_properties(${target} PROPERTIES LINK_DEPENDS "${map}")
  endif()
endfunction()
