#include "agent/modes/help.h"

#include <set>
#include <string>
#include <string_view>

#include <catch2/catch.hpp>

#include "agent/config/flag_table.h"
#include "agent/modes/commands.h"

namespace agent {
namespace {

TEST_CASE("help: names every flag, every command and the exit codes", "[help]") {
  const std::string help = HelpText();
  for (const FlagEntry& flag : AllFlags()) {
    CHECK(help.find("  -" + std::string(flag.name)) != std::string::npos);
  }
  for (const Command& command : AllCommands()) {
    CHECK(help.find("agent " + std::string(command.name) + " ") != std::string::npos);
  }
  CHECK(help.find("Exit codes:") != std::string::npos);
}

TEST_CASE("commands: each name is there once, and found", "[help]") {
  std::set<std::string_view> names;
  for (const Command& command : AllCommands()) {
    CHECK(names.insert(command.name).second);
    CHECK(FindCommand(command.name) == &command);
  }
  CHECK(FindCommand("tset") == nullptr);
}

}  // namespace
}  // namespace agent
