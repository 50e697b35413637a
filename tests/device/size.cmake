# cmake -DLIBRARY=libnestling.so -DSTRIP=strip -P size.cmake: the stripped library has at most 340 KB,
# with all operators.
set(copy ${CMAKE_CURRENT_BINARY_DIR}/stripped.so)
execute_process(COMMAND ${STRIP} -o ${copy} ${LIBRARY} COMMAND_ERROR_IS_FATAL ANY)
file(SIZE ${copy} bytes)
file(REMOVE ${copy})
math(EXPR most "340 * 1000")
message("the stripped runtime has ${bytes} bytes, of at most ${most}")
if(bytes GREATER most)
  message(FATAL_ERROR "the runtime has become too large")
endif()
