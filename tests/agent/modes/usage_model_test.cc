#include "agent/modes/generate/usage_model.h"

#include <algorithm>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "agent/config/flag_groups.h"
#include "agent/config/flag_table.h"
#include "agent/modes/commands.h"
#include "agent/modes/generate/completion.h"

namespace agent {
namespace {

TEST_CASE("usage: flags are read from a help text as it is written", "[generate]") {
  const std::vector<FlagUsage> flags = FlagsOfHelp(
      "Usage: agent x [flags]\n"
      "\n"
      "  ls        no flag\n"
      "  -output NAME  this output alone\n"
      "  -color, -no-color\n"
      "        Colours; by default\n"
      "        on a terminal.\n"
      "\n"
      "        Not a part of it.\n"
      "  -format text|json\n"
      "  -in FILE\n"
      "-outside\n");

  REQUIRE(flags.size() == 5);
  CHECK(flags[0].name == "output");
  CHECK(flags[0].value_name == "NAME");
  CHECK(flags[0].help == "this output alone");
  CHECK(flags[0].argument == ArgumentKind::kAny);
  CHECK(flags[1].name == "color");
  CHECK(flags[1].argument == ArgumentKind::kNone);
  CHECK(flags[1].help == "Colours; by default on a terminal.");
  CHECK(flags[2].name == "no-color");
  CHECK(flags[2].help == flags[1].help);
  CHECK(flags[3].argument == ArgumentKind::kOneOf);
  CHECK(flags[3].values == std::vector<std::string>{"text", "json"});
  CHECK(flags[4].argument == ArgumentKind::kFile);
}

TEST_CASE("usage: every command says what there is, and nothing of it is lost", "[generate]") {
  const std::vector<CommandUsage> usages = CommandUsages();
  REQUIRE(usages.size() == AllCommands().size());
  for (const CommandUsage& usage : usages) {
    INFO(usage.name);
    CHECK(usage.help.find("agent " + usage.name) != std::string::npos);
    // A flag that stands in the help text in another form would not be found.
    std::size_t listed = 0;
    for (std::size_t at = usage.help.find("\n  -"); at != std::string::npos;
         at = usage.help.find("\n  -", at + 1))
      ++listed;
    CHECK(FlagsOfHelp(usage.help).size() >= listed);
    for (const FlagUsage& flag : FlagsOfHelp(usage.help))
      CHECK_FALSE(flag.help.empty());
  }
}

TEST_CASE("usage: what has no effect is not offered", "[generate]") {
  for (const FlagUsage& flag : AgentFlags()) {
    const auto entry = std::ranges::find(AllFlags(), flag.name, &FlagEntry::name);
    REQUIRE(entry != AllFlags().end());
    CHECK(entry->group != FlagGroup::kIgnored);
    CHECK((flag.argument == ArgumentKind::kNone) ==
          (entry->kind == FlagKind::kBool || entry->kind == FlagKind::kInspect));
  }
}

TEST_CASE("generate: names every flag and every command in each form", "[generate]") {
  for (const std::string& text :
       {BashCompletion("log-agent"), ZshCompletion("log-agent"), FishCompletion("log-agent")}) {
    for (const FlagUsage& flag : AgentFlags())
      CHECK(text.find(flag.name) != std::string::npos);
    for (const Command& command : AllCommands())
      CHECK(text.find(std::string(command.name)) != std::string::npos);
  }
}

TEST_CASE("generate: the manual page takes nothing for a request of troff's", "[generate]") {
  const std::string page = ManualReference("log-agent");
  CHECK(page.starts_with(".SH OPTIONS\n"));
  // Lines that begin with a dot are those that were meant to.
  for (std::size_t at = 0; at != std::string::npos; at = page.find('\n', at)) {
    if (at > 0) ++at;
    if (at >= page.size() || page[at] != '.') continue;
    const std::string request = page.substr(at, 3);
    INFO(page.substr(at, 60));
    CHECK((request == ".SH" || request == ".SS" || request == ".TP" || request == ".PP"));
  }
}

}  // namespace
}  // namespace agent
