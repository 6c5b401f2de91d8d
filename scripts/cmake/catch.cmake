# oauth3_discover_tests(TARGET PREFIX TIMEOUT [ENVIRONMENT NAME=VALUE...] [LAUNCHER program]): asks a
# Catch2 program for its cases after it was built, and registers each with ctest as "PREFIX: case",
# started by the launcher if there is one. One program may be registered several times under
# different prefixes.
function(oauth3_discover_tests target prefix timeout)
    cmake_parse_arguments(ARG "" "LAUNCHER" "ENVIRONMENT" ${ARGN})
    if(NOT timeout)
        set(timeout 120)
    endif()
    set(list ${CMAKE_CURRENT_BINARY_DIR}/${target}_${prefix}_tests.cmake)
    add_custom_command(TARGET ${target} POST_BUILD
        COMMAND ${CMAKE_COMMAND} -DPROGRAM=$<TARGET_FILE:${target}> -DPREFIX=${prefix}
            -DTIMEOUT=${timeout} "-DENVIRONMENT=${ARG_ENVIRONMENT}" "-DLAUNCHER=${ARG_LAUNCHER}" -DOUTPUT=${list}
            -P ${CMAKE_SOURCE_DIR}/scripts/cmake/list_catch_tests.cmake
        BYPRODUCTS ${list} VERBATIM)
    set(include ${CMAKE_CURRENT_BINARY_DIR}/${target}_${prefix}_include.cmake)
    # A program that was not built must fail the run, not vanish from it.
    file(WRITE ${include} "if(EXISTS \"${list}\")\n  include(\"${list}\")\nelse()\n  add_test(\"${prefix}: NOT BUILT\" ${target}-not-built)\nendif()\n")
    set_property(DIRECTORY APPEND PROPERTY TEST_INCLUDE_FILES ${include})
endfunction()
