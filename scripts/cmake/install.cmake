# What `cmake --install` puts where: the program with its manual, completion and units, and for C++
# programs of others one static library with its header, CMake package and pkg-config file.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

install(TARGETS oauth3 RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(FILES man/oauth3.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
install(FILES share/completions/oauth3.bash RENAME oauth3
    DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions)
install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(FILES share/openapi.yaml DESTINATION ${CMAKE_INSTALL_DATADIR}/oauth3 OPTIONAL)
# Where systemd looks, whatever the name of the library folder is.
install(DIRECTORY share/systemd/ DESTINATION lib/systemd/system OPTIONAL
    FILES_MATCHING PATTERN *.service)
install(FILES share/systemd/oauth3.sysusers RENAME oauth3.conf DESTINATION lib/sysusers.d OPTIONAL)
install(FILES lib/client/include/oauth3/client.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/oauth3)

# liboauth3.a: the client, what it needs of base, and our own libcurl, whose names are hidden so that
# a program may use another one beside it.
set(sdk ${CMAKE_BINARY_DIR}/liboauth3.a)
set(curl_archive ${CMAKE_SOURCE_DIR}/build/deps/curl/lib/libcurl.a)
set(linker ${CMAKE_LINKER})
if(CMAKE_BUILD_TYPE STREQUAL "Release")
    # Objects of link-time optimisation hold no code: only the compiler can make some of them.
    # One partition: GCC 12 fails to divide what is linked only in part.
    set(linker ${CMAKE_CXX_COMPILER} -nostdlib -flto -flto-partition=one
        -flinker-output=nolto-rel -O3 -fPIE -fstack-protector-strong -ffunction-sections -fdata-sections)
endif()
add_custom_command(OUTPUT ${sdk}
    COMMAND ${CMAKE_COMMAND} "-DLINKER=${linker}" -DNM=${CMAKE_NM} -DOBJCOPY=${CMAKE_OBJCOPY}
        -DAR=${CMAKE_AR} -DCLIENT=$<TARGET_FILE:oauth3_client> -DBASE=$<TARGET_FILE:oauth3_base>
        -DCURL=${curl_archive} -DOUTPUT=${sdk} -P ${CMAKE_SOURCE_DIR}/scripts/cmake/merge_client.cmake
    DEPENDS oauth3_client oauth3_base ${curl_archive}
        ${CMAKE_SOURCE_DIR}/scripts/cmake/merge_client.cmake VERBATIM)
add_custom_target(oauth3_sdk ALL DEPENDS ${sdk})
install(FILES ${sdk} DESTINATION ${CMAKE_INSTALL_LIBDIR})

# What a program has to link beside it.
set(OAUTH3_SDK_LIBS -lsodium -lnghttp2 -lcares -lssl -lcrypto -lz -lpthread)
if(NOT OAUTH3_STATIC)
    list(PREPEND OAUTH3_SDK_LIBS -lfmt)
endif()
if(OAUTH3_SANITIZE)
    list(PREPEND OAUTH3_SDK_LIBS -fsanitize=${OAUTH3_SANITIZE})
endif()
list(JOIN OAUTH3_SDK_LIBS " " OAUTH3_SDK_LINK)
file(RELATIVE_PATH OAUTH3_PC_PREFIX /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
string(REGEX REPLACE "/$" "" OAUTH3_PC_PREFIX "${OAUTH3_PC_PREFIX}")
configure_file(scripts/cmake/oauth3.pc.in ${CMAKE_BINARY_DIR}/oauth3.pc @ONLY)
install(FILES ${CMAKE_BINARY_DIR}/oauth3.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)

set(package ${CMAKE_INSTALL_LIBDIR}/cmake/oauth3)
configure_package_config_file(scripts/cmake/oauth3Config.cmake.in
    ${CMAKE_BINARY_DIR}/oauth3Config.cmake INSTALL_DESTINATION ${package}
    PATH_VARS CMAKE_INSTALL_INCLUDEDIR CMAKE_INSTALL_LIBDIR)
write_basic_package_version_file(${CMAKE_BINARY_DIR}/oauth3ConfigVersion.cmake
    COMPATIBILITY SameMajorVersion)
install(FILES ${CMAKE_BINARY_DIR}/oauth3Config.cmake ${CMAKE_BINARY_DIR}/oauth3ConfigVersion.cmake
    DESTINATION ${package})
