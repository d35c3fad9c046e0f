# What every target of ours is compiled with: standard, warnings, hardening, sanitizers.

# A fast linker, where it links for the target.
include(CheckLinkerFlag)
check_linker_flag(CXX -fuse-ld=mold AGENT_LINKS_WITH_MOLD)

add_library(agent_options INTERFACE)
target_compile_features(agent_options INTERFACE cxx_std_20)
target_include_directories(agent_options INTERFACE "${PROJECT_SOURCE_DIR}")
target_compile_definitions(agent_options INTERFACE _GLIBCXX_ASSERTIONS)
target_compile_options(
  agent_options
  INTERFACE -Wall
            -Wextra
            -Wpedantic
            -Werror
            -Wshadow
            -Wconversion
            -Wsign-conversion
            -Wold-style-cast
            -Wnon-virtual-dtor
            -Woverloaded-virtual
            -Wcast-qual
            -Wformat=2
            -Wundef
            -Wextra-semi
            -fstack-protector-strong
            -fno-plt)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  target_compile_options(
    agent_options
    INTERFACE -Wsuggest-override
              -Wduplicated-cond
              -Wduplicated-branches
              -Wlogical-op
              -Wimplicit-fallthrough=5
              -Wno-restrict) # False alarms in GCC 12.
endif()
if(AGENT_SANITIZE)
  target_compile_options(agent_options INTERFACE -fsanitize=${AGENT_SANITIZE} -fno-sanitize-recover=all
                                                 -fno-omit-frame-pointer)
  target_link_options(agent_options INTERFACE -fsanitize=${AGENT_SANITIZE})
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # Sanitizers make GCC see paths that cannot happen.
    target_compile_options(agent_options INTERFACE -Wno-maybe-uninitialized)
  endif()
else()
  target_compile_definitions(agent_options
                             INTERFACE $<$<NOT:$<CONFIG:Debug>>:_FORTIFY_SOURCE=2>)
endif()
target_link_options(agent_options INTERFACE -Wl,-z,relro,-z,now)
if(AGENT_LINKS_WITH_MOLD)
  target_link_options(agent_options INTERFACE -fuse-ld=mold)
endif()
if(AGENT_FUZZ)
  target_compile_options(agent_options INTERFACE -fsanitize=fuzzer-no-link)
endif()
