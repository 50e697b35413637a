# What every target of the project shares: C++20, warnings, sanitizers, the include root `lib/`.
# The runtime (lib/runtime) is a project of its own and sets its flags itself.

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release)
endif()

find_program(CCACHE ccache)
if(CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  # What one checkout has compiled serves another, and of g++ what includes the precompiled header too.
  set(CMAKE_CXX_COMPILER_LAUNCHER env CCACHE_BASEDIR=${CMAKE_SOURCE_DIR} CCACHE_NOHASHDIR=1)
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    list(APPEND CMAKE_CXX_COMPILER_LAUNCHER
         CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime)
  endif()
  list(APPEND CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE})
endif()

# A unit that includes LibTorch takes over a gigabyte to compile: two at a time are enough.
set_property(GLOBAL APPEND PROPERTY JOB_POOLS torch=2)

add_library(nestling_options INTERFACE)
target_compile_options(nestling_options INTERFACE -Wall -Wextra -Wshadow
                                                  $<$<BOOL:${NESTLING_WERROR}>:-Werror>)
# g++ 12 warns falsely inside the standard library (GCC bugs 105329, 105651).
target_compile_options(
  nestling_options INTERFACE $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict -Wno-stringop-overread>)
if(NESTLING_SANITIZE)
  target_compile_options(nestling_options INTERFACE -fsanitize=${NESTLING_SANITIZE}
                                                    -fno-sanitize-recover=all -fno-omit-frame-pointer)
  # The runtime has no RTTI, which the check of objects' types would ask.
  target_compile_options(nestling_options INTERFACE
                         $<$<CXX_COMPILER_ID:Clang>:-fno-sanitize=vptr>)
  target_link_options(nestling_options INTERFACE -fsanitize=${NESTLING_SANITIZE})
endif()

# nestling_library(<name> SOURCES ... [DEPENDS ...]): lib/<name> as target nestling::<name>.
function(nestling_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPENDS" ${ARGN})
  add_library(nestling_${name} STATIC ${ARG_SOURCES})
  add_library(nestling::${name} ALIAS nestling_${name})
  target_include_directories(nestling_${name} PUBLIC ${PROJECT_SOURCE_DIR}/lib)
  target_link_libraries(nestling_${name} PUBLIC ${ARG_DEPENDS} PRIVATE nestling_options)
endfunction()

# nestling_tool(<name> [DEPENDS ...]): tools/<name>/main.cpp as program nestling-<name>.
function(nestling_tool name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPENDS" ${ARGN})
  add_executable(nestling-${name} ${name}/main.cpp)
  target_link_libraries(nestling-${name} PRIVATE nestling_cli ${ARG_DEPENDS} nestling_options)
  set_target_properties(nestling-${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY
                                                    ${PROJECT_BINARY_DIR}/bin)
  install(TARGETS nestling-${name})
endfunction()

# For a target whose sources name tensors: LibTorch's precompiled header, which lib/train owns.
function(nestling_reuse_torch_header target)
  target_precompile_headers(${target} REUSE_FROM nestling_train)
  set_target_properties(${target} PROPERTIES JOB_POOL_COMPILE torch)
endfunction()
