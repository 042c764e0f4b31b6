# Plain armv8-a, scheduled for the Cortex-A72. On other machines: the cross compiler, and tests under qemu.
# Debian 12's cross compiler links pthread symbols of glibc 2.34; the library for systems with glibc 2.31 (JetPack 5)
# has to be built against that glibc.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_C_FLAGS_INIT "-march=armv8-a -mtune=cortex-a72")
cmake_host_system_information(RESULT host QUERY OS_PLATFORM)
if(NOT host STREQUAL "aarch64")
  set(CMAKE_C_COMPILER aarch64-linux-gnu-gcc)
  set(CMAKE_CROSSCOMPILING_EMULATOR qemu-aarch64-static -cpu cortex-a72)
endif()
