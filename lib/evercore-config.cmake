# find_package(evercore) gives the targets evercore::evercore (shared) and evercore::evercore_static.
get_filename_component(_evercore_libdir "${CMAKE_CURRENT_LIST_DIR}/../.." ABSOLUTE)
get_filename_component(_evercore_prefix "${_evercore_libdir}/.." ABSOLUTE)
find_path(_evercore_include evercore/evercore.h
  HINTS "${_evercore_prefix}/include" "${_evercore_prefix}/../include" NO_CACHE)

include(CMakeFindDependencyMacro)
find_dependency(Threads)

if(NOT TARGET evercore::evercore)
  add_library(evercore::evercore SHARED IMPORTED)
  set_target_properties(evercore::evercore PROPERTIES
    IMPORTED_LOCATION "${_evercore_libdir}/libevercore.so"
    INTERFACE_INCLUDE_DIRECTORIES "${_evercore_include}"
    INTERFACE_COMPILE_FEATURES cxx_std_20)
  add_library(evercore::evercore_static STATIC IMPORTED)
  set_target_properties(evercore::evercore_static PROPERTIES
    IMPORTED_LOCATION "${_evercore_libdir}/libevercore.a"
    INTERFACE_INCLUDE_DIRECTORIES "${_evercore_include}"
    INTERFACE_COMPILE_FEATURES cxx_std_20
    INTERFACE_LINK_LIBRARIES "sqlite3;pq;simdjson;Threads::Threads")
endif()
set(evercore_FOUND TRUE)
