#include "agent/modes/help.h"

#include <algorithm>
#include <cstddef>
#include <string_view>

#include "agent/config/flag_groups.h"
#include "agent/config/flag_table.h"
#include "agent/modes/commands.h"

namespace agent {
namespace {

std::string Usage() {
  std::size_t width = 0;
  for (const Command& command : AllCommands()) {
    width = std::max(width, command.name.size() + command.arguments.size());
  }
  std::string out = "Usage: agent -config.file FILE [flags]\n";
  for (const Command& command : AllCommands()) {
    const std::string name(command.name);
    out += "       agent " + name + " " + std::string(command.arguments) +
           std::string(width + 3 - name.size() - command.arguments.size(), ' ') +
           std::string(command.summary) + "\n";
  }
  return out + "\nEach command explains itself: agent test -help\n";
}

std::string Described(const FlagEntry& flag) {
  std::string out = "  -" + std::string(flag.name) + std::string(ValueName(flag.kind)) +
                    "\n        " + std::string(flag.help);
  if (!flag.default_value.empty()) out += " Default: " + std::string(flag.default_value) + ".";
  return out + "\n";
}

}  // namespace

std::string HelpText() {
  std::string out = "Follows logs, runs each line through a pipeline, and ships it.\n\n" + Usage() +
                    "\nFlags are written -name value, -name=value or --name; switches -name or "
                    "-name=false.\n";
  for (const FlagGroupTitle& group : AllFlagGroups()) {
    out += "\n" + std::string(group.title) + ":\n";
    for (const FlagEntry& flag : AllFlags()) {
      if (flag.group == group.group) out += Described(flag);
    }
  }
  out += "\nAccepted, without effect:\n";
  for (const FlagEntry& flag : AllFlags()) {
    if (flag.group == FlagGroup::kIgnored) out += "  -" + std::string(flag.name) + "\n";
  }
  return out +
         "\nExit codes:\n"
         "  0  all is well\n"
         "  1  the configuration is wrong, or the start failed\n"
         "  2  wrong flags\n";
}

}  // namespace agent
