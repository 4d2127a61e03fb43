# The kernels, compiled once for each instruction set of the processor that is built for.
#
# Only the files of cpp/src/eval/isa get -march, one set each: whatever else were compiled with it could run before the
# choice is made, and end the program on an older machine. cmake/CheckIsaObjects.cmake reads the objects to be sure.

string(TOLOWER "${CMAKE_SYSTEM_PROCESSOR}" processor)
if(CMAKE_OSX_ARCHITECTURES)
  string(TOLOWER "${CMAKE_OSX_ARCHITECTURES}" processor)
endif()
if(processor MATCHES "^(x86_64|amd64)$")
  set(BALMER_ISAS baseline x86_v3 x86_v4)
elseif(processor MATCHES "^(aarch64|arm64)$")
  set(BALMER_ISAS baseline neon)
else()
  set(BALMER_ISAS baseline)
endif()

set(balmer_isa_flags_baseline "")
set(balmer_isa_flags_x86_v3 -march=x86-64-v3)
set(balmer_isa_flags_x86_v4 -march=x86-64-v4 -mprefer-vector-width=512)
set(balmer_isa_flags_neon "")

set(balmer_math_flags -fno-math-errno -fno-trapping-math)

# Adds the kernels to `target`, and defines BALMER_HAVE_<ISA> for its sources, so that dispatch.cpp knows which are there.
function(balmer_add_isa_objects target)
  foreach(isa IN LISTS BALMER_ISAS)
    set(objects balmer_isa_${isa})
    add_library(${objects} OBJECT "${PROJECT_SOURCE_DIR}/cpp/src/eval/isa/${isa}.cpp")
    target_include_directories(${objects} PRIVATE "${PROJECT_SOURCE_DIR}/cpp/include" "${PROJECT_SOURCE_DIR}/cpp/src")
    balmer_compile_options(${objects})
    # No -ffast-math: NaN and inf carry meaning. A sanitizer's checks would make -O3 take minutes.
    if(BALMER_SANITIZE)
      target_compile_options(${objects} PRIVATE -O1)
    else()
      target_compile_options(${objects} PRIVATE "$<$<NOT:$<CONFIG:Debug>>:-O3>")
    endif()
    # Kernels throw nothing; with exceptions on, each object would hold a weak reference to their run-time.
    target_compile_options(${objects} PRIVATE ${balmer_math_flags} -fno-exceptions ${balmer_isa_flags_${isa}})
    set_target_properties(${objects} PROPERTIES POSITION_INDEPENDENT_CODE ON CXX_VISIBILITY_PRESET hidden)
    target_sources(${target} PRIVATE "$<TARGET_OBJECTS:${objects}>")
    string(TOUPPER "BALMER_HAVE_${isa}" definition)
    target_compile_definitions(${target} PRIVATE ${definition})
  endforeach()
  # The same mathematics on single numbers, to the same bits.
  set_source_files_properties("${PROJECT_SOURCE_DIR}/cpp/src/expr/op_apply.cpp"
                              PROPERTIES COMPILE_OPTIONS "${balmer_math_flags}")
endfunction()
