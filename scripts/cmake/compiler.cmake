# How every file of ours is compiled and linked.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

find_program(CCACHE ccache)
if(CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
    # Precompiled headers need both settings: see "Precompiled headers" in ccache(1).
    set(launcher ${CMAKE_COMMAND} -E env CCACHE_SLOPPINESS=pch_defines,time_macros ${CCACHE})
    set(CMAKE_C_COMPILER_LAUNCHER ${launcher})
    set(CMAKE_CXX_COMPILER_LAUNCHER ${launcher})
endif()

add_library(oauth3_options INTERFACE)
target_compile_options(oauth3_options INTERFACE
    -Wall -Wextra -Wpedantic -Wconversion -Werror
    -fPIE -fstack-protector-strong -ffunction-sections -fdata-sections)
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
    # A precompiled header of ours is always "used" through the command line.
    target_compile_options(oauth3_options INTERFACE -Wno-unused-command-line-argument)
endif()
target_link_options(oauth3_options INTERFACE -Wl,--gc-sections -Wl,-z,relro,-z,now)

if(CMAKE_BUILD_TYPE STREQUAL "Release")
    target_compile_definitions(oauth3_options INTERFACE _FORTIFY_SOURCE=2)
    target_compile_options(oauth3_options INTERFACE -flto=auto)
    target_link_options(oauth3_options INTERFACE -flto=auto -s)
    # Static archives of LTO objects need the plugin-aware tools.
    set(CMAKE_AR gcc-ar)
    set(CMAKE_RANLIB gcc-ranlib)
endif()

if(OAUTH3_SANITIZE)
    if(OAUTH3_STATIC)
        message(FATAL_ERROR "Sanitizers need shared libraries: set OAUTH3_STATIC=OFF")
    endif()
    target_compile_options(oauth3_options INTERFACE
        -fsanitize=${OAUTH3_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
    target_link_options(oauth3_options INTERFACE -fsanitize=${OAUTH3_SANITIZE})
    if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
        # clang 14 cannot put what this check needs before the code of a coroutine.
        target_compile_options(oauth3_options INTERFACE -fno-sanitize=function)
    endif()
endif()

if(OAUTH3_FUZZ)
    if(NOT CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
        message(FATAL_ERROR "Fuzzing needs clang: use the preset \"fuzz\"")
    endif()
    target_compile_options(oauth3_options INTERFACE -fsanitize=fuzzer-no-link)
endif()

if(OAUTH3_STATIC)
    # Not plain -static: address randomisation stays, and the first C++ throw stays cheap.
    target_link_options(oauth3_options INTERFACE -static-pie)
else()
    target_link_options(oauth3_options INTERFACE -pie)
endif()
