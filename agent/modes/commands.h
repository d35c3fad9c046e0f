// The commands of the program besides following logs: `agent test`, `agent setup`, …

#pragma once

#include <span>
#include <string_view>

namespace agent {

struct Command {
  std::string_view name;       // "buffer"
  std::string_view arguments;  // Behind it, for -help: "ls|verify|cat DIR".
  std::string_view summary;    // For -help: "looks into a disk buffer".
  // `arguments` behind the name. Gives what to exit with.
  int (*run)(std::span<const char* const> arguments);
};

// In the order of -help. Each explains itself: `agent NAME -help`.
std::span<const Command> AllCommands();

// Null when there is none of this name.
const Command* FindCommand(std::string_view name);

}  // namespace agent
