# 64-bit ARM.
set(machine aarch64)
set(triple aarch64-linux-gnu)
include(${CMAKE_CURRENT_LIST_DIR}/debian_cross.cmake)
# Highway's AES and g++ 12's vectoriser: the first needs the extension, the second dies of an
# internal error on some loops.
set(CMAKE_CXX_FLAGS_INIT "-march=armv8-a+crypto -fno-tree-vectorize")
set(CMAKE_CROSSCOMPILING_EMULATOR qemu-aarch64 -L /usr/${triple})
# Pages of at most 16 KB, as on Android: for more the library would have as much padding. What an
# erratum of the Cortex-A53 asks for is done where it is, not in 4 KB of their own: a library this
# small has all its addresses near enough.
set(CMAKE_SHARED_LINKER_FLAGS_INIT
    -Wl,-z,max-page-size=16384,--fix-cortex-a53-843419=adr)
