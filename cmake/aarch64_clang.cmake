# 64-bit ARM by a newer clang and its linker, as the Android NDK compiles.
include(${CMAKE_CURRENT_LIST_DIR}/aarch64.cmake)
set(CMAKE_C_COMPILER clang-19)
set(CMAKE_CXX_COMPILER clang++-19)
set(CMAKE_C_COMPILER_TARGET ${triple})
set(CMAKE_CXX_COMPILER_TARGET ${triple})
set(CMAKE_CXX_FLAGS_INIT -march=armv8-a+crypto)
string(APPEND CMAKE_EXE_LINKER_FLAGS_INIT " -fuse-ld=lld-19")
# Not what only GNU's linker knows.
set(CMAKE_SHARED_LINKER_FLAGS_INIT "-Wl,-z,max-page-size=16384 -fuse-ld=lld-19")
