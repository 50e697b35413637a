# Writes <graph/ops/all.h>: every struct that a header of lib/graph/ops defines becomes an alternative
# of the variant Op. Adding a header there adds an operator.
file(GLOB headers CONFIGURE_DEPENDS RELATIVE ${PROJECT_SOURCE_DIR}/lib
     ${PROJECT_SOURCE_DIR}/lib/graph/ops/*.h)
list(REMOVE_ITEM headers graph/ops/rules.h)
set(includes "")
set(operators "")
foreach(header IN LISTS headers)
  file(STRINGS ${PROJECT_SOURCE_DIR}/lib/${header} lines REGEX "^struct [A-Z][A-Za-z]* {$")
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/lib/${header})
  string(REGEX REPLACE "struct ([A-Za-z]*) {" "\\1" name "${lines}")
  string(APPEND includes "#include \"${header}\"\n")
  list(APPEND operators ${name})
endforeach()
string(REPLACE ";" ", " alternatives "${operators}")
string(REPLACE ";" ") X(" list "X(${operators})")
file(
  CONFIGURE
  OUTPUT ${PROJECT_BINARY_DIR}/generated/graph/ops/all.h
  CONTENT
    "// Made by cmake/operators.cmake from the headers in lib/graph/ops.
#pragma once

#include <variant>

@includes@
namespace nestling {

using Op = std::variant<@alternatives@>;

// X(Conv) X(Gemm) ...: to declare one function for every operator.
#define NESTLING_FOR_EACH_OP(X) @list@

}  // namespace nestling
"
  @ONLY)
