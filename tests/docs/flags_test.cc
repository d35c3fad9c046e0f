// agent/README.md has every flag of the table of flags with its default, and every endpoint.

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include "agent/config/flag_table.h"
#include "agent/docs/keys.h"
#include "agent/docs/pages.h"
#include "agent/modes/commands.h"

// Comes last: it has a CHECK of its own.
// clang-format off
#include <catch2/catch.hpp>
// clang-format on

namespace agent {
namespace {

using Lines = std::vector<std::string>;

std::string_view AgentPage() {
  const auto pages = docs::AllPages();
  const auto found = std::find_if(pages.begin(), pages.end(), [](const docs::Page& page) {
    return page.path == "agent/README.md";
  });
  REQUIRE(found != pages.end());
  return found->text;
}

// Rows of tables whose first column has that title.
std::vector<docs::KeyRow> RowsOf(std::string_view title) {
  std::vector<docs::KeyRow> rows;
  for (docs::KeyRow& row : docs::KeyRows(docs::ParseMarkdown(AgentPage()))) {
    if (row.titles.front() == title) rows.push_back(std::move(row));
  }
  return rows;
}

// Every name in the first column.
Lines NamesOf(std::string_view title) {
  Lines names;
  for (const docs::KeyRow& row : RowsOf(title))
    names.insert(names.end(), row.names.begin(), row.names.end());
  std::sort(names.begin(), names.end());
  return names;
}

std::string DefaultOf(const docs::KeyRow& row) {
  const auto codes = docs::CodeSpans(row.Cell("default"));
  return codes.empty() ? "" : codes.front();
}

}  // namespace

TEST_CASE("reference: every flag is documented, and no other", "[docs]") {
  Lines flags;
  for (const FlagEntry& flag : AllFlags())
    flags.push_back("-" + std::string(flag.name));
  std::sort(flags.begin(), flags.end());

  CHECK_THAT(NamesOf("flag"), Catch::Matchers::Equals(flags));
}

TEST_CASE("reference: flags have the default that is documented", "[docs]") {
  for (const docs::KeyRow& row : RowsOf("flag")) {
    for (const FlagEntry& flag : AllFlags()) {
      if ("-" + std::string(flag.name) != row.names.front()) continue;
      INFO(row.names.front());
      CHECK(DefaultOf(row) == flag.default_value);
    }
  }
}

TEST_CASE("reference: every command is documented, and no other", "[docs]") {
  Lines commands;
  for (const Command& command : AllCommands())
    commands.push_back("agent " + std::string(command.name));
  std::sort(commands.begin(), commands.end());

  CHECK_THAT(NamesOf("command"), Catch::Matchers::Equals(commands));
}

TEST_CASE("reference: every endpoint is documented, and no other", "[docs]") {
  // They stand in a table of its own file: {"/config", "config", …
  std::ifstream router(std::filesystem::path(AGENT_SOURCE_DIR) / "agent/http/router.cc");
  constexpr std::string_view kBegin = "    {\"/";
  Lines endpoints;
  for (std::string line; std::getline(router, line);) {
    if (!line.starts_with(kBegin)) continue;
    const std::size_t begin = kBegin.size() - 1;
    endpoints.push_back(line.substr(begin, line.find('"', begin) - begin));
  }
  std::sort(endpoints.begin(), endpoints.end());

  REQUIRE(endpoints.size() > 8);
  CHECK_THAT(NamesOf("endpoint"), Catch::Matchers::Equals(endpoints));
}

}  // namespace agent
