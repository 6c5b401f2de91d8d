# Run with -P: makes the one archive that is installed for programs of others.
function(run)
    execute_process(COMMAND ${ARGN} RESULT_VARIABLE failed ERROR_VARIABLE error)
    if(failed)
        message(FATAL_ERROR "${ARGN}: ${error}")
    endif()
endfunction()

set(object ${OUTPUT}.o)
set(group --whole-archive ${CLIENT} --no-whole-archive ${BASE} ${CURL})
if(NOT LINKER MATCHES "/ld[^/]*$")
    list(TRANSFORM group REPLACE "^--" "-Wl,--")  # a compiler, that passes them on
endif()
run(${LINKER} -r -o ${object} ${group})

execute_process(COMMAND ${NM} -g --defined-only --format=posix ${CURL} OUTPUT_VARIABLE symbols
    RESULT_VARIABLE failed ERROR_QUIET)
if(failed)
    message(FATAL_ERROR "cannot read the symbols of ${CURL}")
endif()
string(REGEX MATCHALL "(^|\n)[A-Za-z_][A-Za-z0-9_]* [A-Z] " names "${symbols}")
list(TRANSFORM names REPLACE "[\n ]|[A-Z] $" "")
list(JOIN names "\n" names)
file(WRITE ${OUTPUT}.symbols "${names}\n")
run(${OBJCOPY} --localize-symbols=${OUTPUT}.symbols ${object})

file(REMOVE ${OUTPUT})
run(${AR} rcs ${OUTPUT} ${object})
file(REMOVE ${object} ${OUTPUT}.symbols)
