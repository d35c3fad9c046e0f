// What can be written on the command line, as completions and the manual page show it: taken from
// the table of flags, the table of commands, and what each command says of itself.

#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace agent {

enum class ArgumentKind { kNone, kAny, kFile, kFolder, kOneOf };

struct FlagUsage {
  std::string name;        // Without dashes.
  std::string value_name;  // "DURATION"; empty for a switch.
  std::string help;
  ArgumentKind argument = ArgumentKind::kNone;
  std::vector<std::string> values{};  // Of kOneOf.
};

struct CommandUsage {
  std::string name;
  std::string arguments;  // "ls|verify|cat DIR"
  std::string summary;
  std::string help;                // What `agent NAME -help` prints.
  std::vector<FlagUsage> flags{};  // Its own, and the agent's where it takes these, too.
  bool takes_agent_flags = false;
  std::vector<std::string> choices{};  // What its first argument is one of; empty: anything.
  ArgumentKind argument = ArgumentKind::kNone;  // The others.
};

// The agent's own flags, without those that have no effect.
std::vector<FlagUsage> AgentFlags();
// Runs each command's -help: standard output is caught meanwhile.
std::vector<CommandUsage> CommandUsages();

// The flags that a help text lists: "  -run REGEX", what it means behind two blanks or on the next
// lines, indented.
std::vector<FlagUsage> FlagsOfHelp(std::string_view help);

}  // namespace agent
