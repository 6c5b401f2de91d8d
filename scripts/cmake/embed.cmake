# oauth3_embed(TARGET NAME FILE...): gives TARGET the header "NAME_files.h" with one
# std::string_view for each text file, named after it: share/web/style.css becomes kStyleCss.
# The header is made again when a file changes.
function(oauth3_embed target name)
    set(folder ${CMAKE_CURRENT_BINARY_DIR}/embedded)
    set(header ${folder}/${name}_files.h)
    add_custom_command(OUTPUT ${header}
        COMMAND ${CMAKE_COMMAND} "-DFILES=${ARGN}" -DHEADER=${header}
            -P ${CMAKE_SOURCE_DIR}/scripts/cmake/write_embedded.cmake
        DEPENDS ${ARGN} ${CMAKE_SOURCE_DIR}/scripts/cmake/write_embedded.cmake VERBATIM)
    target_sources(${target} PRIVATE ${header})
    target_include_directories(${target} PRIVATE ${folder})
endfunction()
