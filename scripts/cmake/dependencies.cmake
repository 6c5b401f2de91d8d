# Other people's libraries, one target each. With OAUTH3_STATIC only archives (.a) are accepted.
if(OAUTH3_STATIC)
    set(CMAKE_FIND_LIBRARY_SUFFIXES .a)
    set(OPENSSL_USE_STATIC_LIBS ON)
    set(ZLIB_USE_STATIC_LIBS ON)
endif()
set(deps ${CMAKE_SOURCE_DIR}/build/deps)

# oauth3_library(NAME LIBS lib... [HEADER h]): a target oauth3::NAME for plain -l libraries.
function(oauth3_library name)
    cmake_parse_arguments(ARG "" "HEADER" "LIBS" ${ARGN})
    add_library(oauth3_dep_${name} INTERFACE)
    add_library(oauth3::${name} ALIAS oauth3_dep_${name})
    foreach(lib ${ARG_LIBS})
        find_library(OAUTH3_LIB_${lib} ${lib} REQUIRED)
        target_link_libraries(oauth3_dep_${name} INTERFACE ${OAUTH3_LIB_${lib}})
    endforeach()
    if(ARG_HEADER)
        find_path(OAUTH3_HEADER_${name} ${ARG_HEADER} REQUIRED)
    endif()
endfunction()

find_package(OpenSSL 3 REQUIRED)
find_package(ZLIB REQUIRED)
find_package(Threads REQUIRED)
oauth3_library(sqlite LIBS SQLiteCpp sqlite3 HEADER SQLiteCpp/SQLiteCpp.h)
oauth3_library(sodium LIBS sodium HEADER sodium.h)
oauth3_library(seccomp LIBS seccomp HEADER seccomp.h)
oauth3_library(idn2 LIBS idn2 unistring HEADER idn2.h)
oauth3_library(cares LIBS cares HEADER ares.h)
oauth3_library(json HEADER nlohmann/json.hpp)
oauth3_library(cli11 HEADER CLI/CLI.hpp)
if(OAUTH3_STATIC)
    # Debian has no libfmt.a.
    oauth3_library(fmt HEADER fmt/format.h)
    target_compile_definitions(oauth3_dep_fmt INTERFACE FMT_HEADER_ONLY)
else()
    # Compiles much faster, most of all under sanitizers.
    oauth3_library(fmt LIBS fmt HEADER fmt/format.h)
endif()

# Boost comes from build/deps (scripts/deps/boost); the system's own may be older, and would be
# used silently, so the version that the compiler would see is checked here.
add_library(oauth3_dep_boost INTERFACE)
add_library(oauth3::boost ALIAS oauth3_dep_boost)
set(boost_include ${deps}/boost/usr/include)
if(NOT EXISTS ${boost_include}/boost/version.hpp)
    set(boost_include /usr/include)
endif()
file(STRINGS ${boost_include}/boost/version.hpp boost_version REGEX "^#define BOOST_VERSION ")
string(REGEX MATCH "[0-9]+" boost_version "${boost_version}")
if(NOT boost_version OR boost_version LESS 108100)
    message(FATAL_ERROR "Boost >= 1.81 is needed, found '${boost_version}': run scripts/setup")
endif()
target_include_directories(oauth3_dep_boost SYSTEM INTERFACE ${boost_include})
target_compile_definitions(oauth3_dep_boost INTERFACE
    BOOST_ASIO_SEPARATE_COMPILATION BOOST_BEAST_SEPARATE_COMPILATION BOOST_ASIO_NO_DEPRECATED)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # With optimisation GCC 12 sees through Asio's operator new of a coroutine to aligned_alloc, but
    # not through its operator delete to free, and complains where our coroutine ends.
    target_compile_options(oauth3_dep_boost INTERFACE -Wno-mismatched-new-delete)
endif()
target_link_libraries(oauth3_dep_boost INTERFACE Threads::Threads)

add_library(oauth3_dep_curl INTERFACE)
add_library(oauth3::curl ALIAS oauth3_dep_curl)
if(NOT EXISTS ${deps}/curl/lib/libcurl.a)
    message(FATAL_ERROR "The minimal libcurl is missing: run scripts/setup")
endif()
oauth3_library(nghttp2 LIBS nghttp2)
target_include_directories(oauth3_dep_curl SYSTEM INTERFACE ${deps}/curl/include)
target_compile_definitions(oauth3_dep_curl INTERFACE CURL_STATICLIB)
target_link_libraries(oauth3_dep_curl INTERFACE ${deps}/curl/lib/libcurl.a oauth3::nghttp2
    oauth3::cares OpenSSL::SSL OpenSSL::Crypto ZLIB::ZLIB Threads::Threads)
