# cmake --install: library, headers, files for find_package(balmer) and pkg-config. A wheel takes the component "python"
# only.

include(CMakePackageConfigHelpers)

set(package_dir "${CMAKE_INSTALL_LIBDIR}/cmake/balmer")
install(
  TARGETS balmer
  EXPORT balmer-targets
  ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}" COMPONENT cpp
  LIBRARY DESTINATION "${CMAKE_INSTALL_LIBDIR}" COMPONENT cpp
  RUNTIME DESTINATION "${CMAKE_INSTALL_BINDIR}" COMPONENT cpp)
install(
  DIRECTORY "${PROJECT_SOURCE_DIR}/cpp/include/balmer" "${PROJECT_BINARY_DIR}/include/balmer"
  DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}"
  COMPONENT cpp
  FILES_MATCHING
  PATTERN "*.hpp"
  PATTERN "*.h"
  PATTERN "*.def")
install(EXPORT balmer-targets NAMESPACE balmer:: DESTINATION "${package_dir}" COMPONENT cpp)

configure_package_config_file(cmake/balmer-config.cmake.in "${PROJECT_BINARY_DIR}/balmer-config.cmake"
                              INSTALL_DESTINATION "${package_dir}")
# Before 1.0 a minor version may change the interface.
write_basic_package_version_file("${PROJECT_BINARY_DIR}/balmer-config-version.cmake" COMPATIBILITY SameMinorVersion)
install(FILES "${PROJECT_BINARY_DIR}/balmer-config.cmake" "${PROJECT_BINARY_DIR}/balmer-config-version.cmake"
        DESTINATION "${package_dir}" COMPONENT cpp)

configure_file(cmake/balmer.pc.in "${PROJECT_BINARY_DIR}/balmer.pc" @ONLY)
install(FILES "${PROJECT_BINARY_DIR}/balmer.pc" DESTINATION "${CMAKE_INSTALL_LIBDIR}/pkgconfig" COMPONENT cpp)
