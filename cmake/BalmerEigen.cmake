# Finds Eigen 3.4 (headers only), as the target Eigen3::Eigen.
#
# Looks in the system (Debian: libeigen3-dev), in CMAKE_PREFIX_PATH, and in the wheel cmeel-eigen, which a wheel build of
# balmer requires and which lays its files under <site-packages>/cmeel.prefix.

set(prefixes "")
foreach(prefix IN LISTS CMAKE_PREFIX_PATH)
  list(APPEND prefixes "${prefix}" "${prefix}/cmeel.prefix")
endforeach()
find_package(Eigen3 3.4 QUIET CONFIG HINTS ${prefixes})
if(NOT TARGET Eigen3::Eigen)
  message(FATAL_ERROR "balmer needs the headers of Eigen 3.4. Debian: apt-get install libeigen3-dev; "
                      "elsewhere: pip install cmeel-eigen, then -DCMAKE_PREFIX_PATH=<site-packages>/cmeel.prefix")
endif()
message(STATUS "Eigen ${Eigen3_VERSION}: ${Eigen3_DIR}")
