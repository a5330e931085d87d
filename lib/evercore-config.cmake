# find_package(evercore) gives the targets evercore::evercore (shared) and evercore::evercore_static, and for programs of
# SQLite alone, which then need no libpq, evercore::sqlite and evercore::sqlite_static.
get_filename_component(_evercore_libdir "${CMAKE_CURRENT_LIST_DIR}/../.." ABSOLUTE)
get_filename_component(_evercore_prefix "${_evercore_libdir}/.." ABSOLUTE)
find_path(_evercore_include evercore/evercore.h
  HINTS "${_evercore_prefix}/include" "${_evercore_prefix}/../include" NO_CACHE)

include(CMakeFindDependencyMacro)
find_dependency(Threads)

function(_evercore_target name kind file)
  if(TARGET evercore::${name} OR NOT EXISTS "${_evercore_libdir}/${file}")
    return()
  endif()
  add_library(evercore::${name} ${kind} IMPORTED)
  set_target_properties(evercore::${name} PROPERTIES
    IMPORTED_LOCATION "${_evercore_libdir}/${file}"
    INTERFACE_INCLUDE_DIRECTORIES "${_evercore_include}"
    INTERFACE_COMPILE_FEATURES cxx_std_20)
  if(ARGN)
    set_property(TARGET evercore::${name} PROPERTY INTERFACE_LINK_LIBRARIES "${ARGN}")
  endif()
endfunction()
_evercore_target(evercore SHARED libevercore.so)
_evercore_target(evercore_static STATIC libevercore.a sqlite3 pq simdjson Threads::Threads)
_evercore_target(sqlite SHARED libevercore-sqlite.so)
_evercore_target(sqlite_static STATIC libevercore-sqlite.a sqlite3 simdjson Threads::Threads)
set(evercore_FOUND TRUE)
