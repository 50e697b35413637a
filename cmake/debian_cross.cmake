# A cross build for Linux with Debian's compiler and the packages of tools/sysroot.sh. The toolchain
# file that includes this has set `machine` (of build/sysroot/) and `triple`, such as
# aarch64-linux-gnu, and sets the compiler's flags and the emulator.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR ${machine})
set(CMAKE_C_COMPILER ${triple}-gcc)
set(CMAKE_CXX_COMPILER ${triple}-g++)
get_filename_component(root ${CMAKE_CURRENT_LIST_DIR}/../build/sysroot/${machine} ABSOLUTE)
set(CMAKE_CXX_STANDARD_INCLUDE_DIRECTORIES ${root}/usr/include/${triple})
# The libraries are found in the folder of the first also by those that need each other.
set(CMAKE_EXE_LINKER_FLAGS_INIT -Wl,--disable-new-dtags,-rpath-link,${root}/usr/lib/${triple})
set(CMAKE_FIND_ROOT_PATH ${root})
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)
