# 32-bit ARM with NEON.
set(machine armv7)
set(triple arm-linux-gnueabihf)
include(${CMAKE_CURRENT_LIST_DIR}/debian_cross.cmake)
# Highway needs half precision in the IEEE format.
set(CMAKE_CXX_FLAGS_INIT "-march=armv7-a -mfpu=neon-vfpv4 -mfp16-format=ieee")
set(CMAKE_CROSSCOMPILING_EMULATOR qemu-arm -L /usr/${triple})
