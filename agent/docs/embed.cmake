# Writes OUTPUT, a source file with the text of all PAGES ("a.md|b.md", from ROOT).

string(REPLACE "|" ";" pages "${PAGES}")
# A page may be longer than what every compiler has to take; ours take it.
set(source "#pragma GCC diagnostic ignored \"-Woverlength-strings\"\n#include \"agent/docs/pages.h\"\n\n#include <array>\n\nnamespace agent::docs {\nnamespace {\n\n")
# With their length: compilers would count the letters one by one.
string(APPEND source "using std::string_view_literals::operator\"\"sv;\n\n")
string(APPEND source "constexpr std::array kPages = std::to_array<Page>({\n")
foreach(page IN LISTS pages)
  # "outputs/README.md" is called outputs, "deploy/docker/README.md" deploy-docker (docker is a stage),
  # "pipeline/stages/json.md" json.
  get_filename_component(name "${page}" NAME_WE)
  if(name STREQUAL "README" AND page MATCHES "([^/]+)/README.md$")
    set(name "${CMAKE_MATCH_1}")
  endif()
  if(page MATCHES "^deploy/[^/]+/README.md$")
    set(name "deploy-${name}")
  endif()
  string(TOLOWER "${name}" name)
  file(READ "${ROOT}/${page}" text)
  string(APPEND source "{\"${name}\", \"${page}\",\nR\"page(${text})page\"sv},\n")
endforeach()
string(APPEND source "});\n\n}  // namespace\n\nstd::span<const Page> AllPages() {\n  return kPages;\n}\n\n")
string(APPEND source "}  // namespace agent::docs\n")
file(WRITE "${OUTPUT}" "${source}")
