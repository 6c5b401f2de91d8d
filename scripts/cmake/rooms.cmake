# One folder below lib/ is one room: one static library that links only to lower floors.
set(OAUTH3_FLOORS_FILE ${CMAKE_SOURCE_DIR}/lib/floors.txt)
file(STRINGS ${OAUTH3_FLOORS_FILE} floor_lines REGEX "^[a-z]")
foreach(line ${floor_lines})
    string(REPLACE " " ";" line "${line}")
    list(GET line 0 room)
    list(GET line 1 floor)
    set(OAUTH3_FLOOR_${room} ${floor})
endforeach()

# The large headers, precompiled once for all rooms, the program and the tests.
file(WRITE ${CMAKE_BINARY_DIR}/precompiled.cpp "")
add_library(oauth3_precompiled OBJECT ${CMAKE_BINARY_DIR}/precompiled.cpp)
target_link_libraries(oauth3_precompiled PRIVATE oauth3::fmt oauth3::json oauth3_options)
target_precompile_headers(oauth3_precompiled PRIVATE ${CMAKE_SOURCE_DIR}/lib/base/precompiled.h)

# oauth3_check_floors(room ROOM...): stops the build where a room would use one that is not below.
function(oauth3_check_floors room)
    if(NOT DEFINED OAUTH3_FLOOR_${room})
        message(FATAL_ERROR "Room '${room}' has no floor in lib/floors.txt")
    endif()
    foreach(used ${ARGN})
        if(NOT DEFINED OAUTH3_FLOOR_${used})
            message(FATAL_ERROR "Room '${used}' has no floor in lib/floors.txt")
        elseif(NOT OAUTH3_FLOOR_${used} LESS OAUTH3_FLOOR_${room})
            message(FATAL_ERROR "Room '${room}' must not use '${used}': it is not on a lower floor")
        endif()
    endforeach()
endfunction()

# oauth3_room(NAME [USES room...] [LIBRARIES public...] [PRIVATE private...]): the target
# oauth3_NAME from all .cpp files of the calling folder.
function(oauth3_room name)
    cmake_parse_arguments(ARG "" "" "USES;LIBRARIES;PRIVATE" ${ARGN})
    oauth3_check_floors(${name} ${ARG_USES})
    file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cpp)
    add_library(oauth3_${name} STATIC ${sources})
    target_include_directories(oauth3_${name} PUBLIC ${CMAKE_SOURCE_DIR}/lib)
    list(TRANSFORM ARG_USES PREPEND oauth3_)
    target_link_libraries(oauth3_${name} PUBLIC ${ARG_USES} ${ARG_LIBRARIES}
        PRIVATE ${ARG_PRIVATE} oauth3_options)
    target_precompile_headers(oauth3_${name} REUSE_FROM oauth3_precompiled)
endfunction()
