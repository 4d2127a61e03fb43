# cmake -DOBJECT=<file> -DNM=<nm> -DREADELF=<readelf> -P CheckIsaObject.cmake
#
# An object that is compiled for one instruction set must hold one global symbol, its table, no weak one (the linker might
# take it for code of the whole program) and no initialiser (it would run before the choice of the set): either would be an
# illegal instruction on an older machine.

execute_process(COMMAND "${NM}" --defined-only --extern-only "${OBJECT}" OUTPUT_VARIABLE symbols
                COMMAND_ERROR_IS_FATAL ANY)
string(REGEX MATCHALL "[0-9a-f]+ [A-Za-z] [^\n]+" symbols "${symbols}")
list(LENGTH symbols count)
if(NOT count EQUAL 1)
  list(JOIN symbols "\n  " lines)
  message(FATAL_ERROR "${OBJECT}: ${count} global symbols, expected 1:\n  ${lines}")
endif()
if(symbols MATCHES "^[0-9a-f]+ [VWuvw] ")
  message(FATAL_ERROR "${OBJECT}: its global symbol is weak: ${symbols}")
endif()

execute_process(COMMAND "${READELF}" --sections --wide "${OBJECT}" OUTPUT_VARIABLE sections
                COMMAND_ERROR_IS_FATAL ANY)
foreach(section IN ITEMS .init_array .ctors .preinit_array)
  string(FIND "${sections}" "${section}" found)
  if(NOT found EQUAL -1)
    message(FATAL_ERROR "${OBJECT}: has the section ${section}, so something runs before the instruction set is chosen")
  endif()
endforeach()
message(STATUS "${OBJECT}: ${symbols}")
