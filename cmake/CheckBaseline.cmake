# cmake "-DOBJECTS=<files>" -DOBJDUMP=<objdump> -P CheckBaseline.cmake
#
# Objects that run on every x86-64 processor must hold no instruction of AVX or later: those are written with a prefix
# that older machines do not know, and so have names that begin with v, or registers ymm and zmm.

foreach(object IN LISTS OBJECTS)
  execute_process(COMMAND "${OBJDUMP}" --disassemble --no-show-raw-insn "${object}"
                  COMMAND grep -E -m 3 "%[yz]mm|\tv[a-z0-9]+ .*%xmm|\tvzero(upper|all)"
                  OUTPUT_VARIABLE found RESULTS_VARIABLE results)
  list(GET results 1 grep_result)
  if(grep_result GREATER 1)
    message(FATAL_ERROR "${object}: its instructions cannot be read")
  endif()
  if(found)
    message(FATAL_ERROR "${object}: instructions that the oldest x86-64 processors lack:\n${found}")
  endif()
endforeach()
list(LENGTH OBJECTS count)
if(count EQUAL 0)
  message(FATAL_ERROR "no objects to look at")
endif()
message(STATUS "${count} objects, no instruction beyond the baseline")
