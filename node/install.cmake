# cmake --install: the program, its manual page, and what each shell completes with. The last two
# are what the program says of itself, so they are asked for then.
include(GNUInstallDirs)

set(SAID ${CMAKE_CURRENT_BINARY_DIR}/said)
set(SHARE ${CMAKE_INSTALL_DATADIR})

install(TARGETS kith RUNTIME)
install(CODE "set(said ${SAID})\nset(share ${SHARE})")
install(CODE [[
    function(kith_say file)
        execute_process(COMMAND $<TARGET_FILE:kith> ${ARGN} OUTPUT_FILE ${said}/${file}
            COMMAND_ERROR_IS_FATAL ANY)
    endfunction()
    file(MAKE_DIRECTORY ${said})
    kith_say(kith.1 man)
    kith_say(kith completion bash)
    kith_say(kith.fish completion fish)
    kith_say(_kith completion zsh)
]])
install(FILES ${SAID}/kith.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
install(FILES ${SAID}/kith DESTINATION ${SHARE}/bash-completion/completions)
install(FILES ${SAID}/kith.fish DESTINATION ${SHARE}/fish/vendor_completions.d)
# Debian's zsh looks for what packages bring in a folder of its own; the prefix may be told as late
# as now.
install(CODE [[
    set(folder site-functions)
    if(CMAKE_INSTALL_PREFIX STREQUAL "/usr")
        set(folder vendor-completions)
    endif()
    file(INSTALL ${said}/_kith DESTINATION ${CMAKE_INSTALL_PREFIX}/${share}/zsh/${folder})
]])
