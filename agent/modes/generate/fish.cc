#include <string>
#include <string_view>
#include <vector>

#include "agent/modes/generate/completion.h"
#include "agent/modes/generate/usage_model.h"

namespace agent {
namespace {

std::string Quoted(std::string_view text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'' || c == '\\') out += '\\';
    out += c;
  }
  return out + "'";
}

std::string Joined(const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& word : words)
    out += (out.empty() ? "" : " ") + word;
  return out;
}

std::string FlagLine(const std::string& begin, const FlagUsage& flag) {
  std::string out = begin + " -o " + flag.name;
  switch (flag.argument) {
    case ArgumentKind::kNone:
      break;
    case ArgumentKind::kAny:
      out += " -x";
      break;
    case ArgumentKind::kFile:
      out += " -r -F";
      break;
    case ArgumentKind::kFolder:
      out += " -x -a '(__fish_complete_directories)'";
      break;
    case ArgumentKind::kOneOf:
      out += " -x -a " + Quoted(Joined(flag.values));
      break;
  }
  return out + " -d " + Quoted(flag.help) + "\n";
}

}  // namespace

std::string FishCompletion(const std::string& program) {
  const std::vector<CommandUsage> commands = CommandUsages();
  std::vector<std::string> names;
  names.reserve(commands.size());
  for (const CommandUsage& command : commands)
    names.push_back(command.name);
  const std::string none =
      "complete -c " + program + " -n 'not __fish_seen_subcommand_from " + Joined(names) + "'";
  std::string out = "# Completion of " + program + " for fish, made by: " + program +
                    " generate fish " + program + "\ncomplete -c " + program + " -f\n";
  for (const CommandUsage& command : commands) {
    out += "complete -c " + program + " -n __fish_use_subcommand -a " + command.name + " -d " +
           Quoted(command.summary) + "\n";
  }
  for (const FlagUsage& flag : AgentFlags())
    out += FlagLine(none, flag);
  for (const CommandUsage& command : commands) {
    const std::string begin =
        "complete -c " + program + " -n '__fish_seen_subcommand_from " + command.name + "'";
    if (!command.choices.empty()) {
      out += "complete -c " + program + " -n '__fish_seen_subcommand_from " + command.name +
             "; and not __fish_seen_subcommand_from " + Joined(command.choices) + "' -a " +
             Quoted(Joined(command.choices)) + "\n";
    }
    if (command.argument == ArgumentKind::kFile) out += begin + " -F\n";
    if (command.argument == ArgumentKind::kFolder) {
      out += begin + " -a '(__fish_complete_directories)'\n";
    }
    for (const FlagUsage& flag : command.flags)
      out += FlagLine(begin, flag);
  }
  return out;
}

}  // namespace agent
