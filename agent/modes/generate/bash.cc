#include <algorithm>
#include <string>
#include <vector>

#include "agent/modes/generate/completion.h"
#include "agent/modes/generate/usage_model.h"

namespace agent {
namespace {

std::string Joined(const std::vector<std::string>& words, const char* separator) {
  std::string out;
  for (const std::string& word : words)
    out += (out.empty() ? "" : separator) + word;
  return out;
}

std::string Dashed(const std::vector<FlagUsage>& flags) {
  std::vector<std::string> names;
  names.reserve(flags.size());
  for (const FlagUsage& flag : flags)
    names.push_back("-" + flag.name);
  return Joined(names, " ");
}

// What may stand behind the flags of `command`, as branches of a case over COMMAND:FLAG.
std::string ValueCases(const std::string& command, const std::vector<FlagUsage>& flags) {
  std::vector<std::string> files;
  std::vector<std::string> folders;
  std::vector<std::string> anything;
  std::vector<std::string> switches;
  std::string out;
  for (const FlagUsage& flag : flags) {
    const std::string pattern = command + ":-" + flag.name;
    switch (flag.argument) {
      case ArgumentKind::kNone:
        switches.push_back(pattern);
        break;
      case ArgumentKind::kAny:
        anything.push_back(pattern);
        break;
      case ArgumentKind::kFile:
        files.push_back(pattern);
        break;
      case ArgumentKind::kFolder:
        folders.push_back(pattern);
        break;
      case ArgumentKind::kOneOf:
        out += "    " + pattern + ") words='" + Joined(flag.values, " ") + "' ;;\n";
        break;
    }
  }
  if (!files.empty()) out += "    " + Joined(files, "|") + ") complete_as=file ;;\n";
  if (!folders.empty()) out += "    " + Joined(folders, "|") + ") complete_as=directory ;;\n";
  if (!anything.empty()) out += "    " + Joined(anything, "|") + ") return ;;\n";
  if (!switches.empty()) {
    out += "    " + Joined(switches, "|") +
           ")\n      [[ $equals ]] && words='true false' || is_value=\n      ;;\n";
  }
  return out;
}

std::string CommandCase(const CommandUsage& command) {
  std::string out = "    " + command.name + ")\n      flags='" + Dashed(command.flags) + "'\n";
  if (command.argument == ArgumentKind::kFile) out += "      complete_as=file\n";
  if (command.argument == ArgumentKind::kFolder) out += "      complete_as=directory\n";
  if (!command.choices.empty()) {
    out += "      ((COMP_CWORD == 2)) && words='" + Joined(command.choices, " ") +
           "' complete_as=''\n";
  }
  return out + "      ;;\n";
}

}  // namespace

std::string BashCompletion(const std::string& program) {
  std::string function = "_" + program;
  std::replace(function.begin(), function.end(), '-', '_');
  const std::vector<CommandUsage> commands = CommandUsages();
  const std::vector<FlagUsage> agent_flags = AgentFlags();
  std::vector<std::string> names;
  std::string values = ValueCases("", agent_flags);
  std::string cases;
  for (const CommandUsage& command : commands) {
    names.push_back(command.name);
    values += ValueCases(command.name, command.flags);
    cases += CommandCase(command);
  }
  return "# Completion of " + program + " for bash, made by: " + program + " generate bash " +
         program + "\n" + function + R"(() {
  local current=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}
  local command='' equals='' is_value=1 words='' flags='' complete_as=''
  # Bash takes -flag=value apart.
  if [[ $current == = ]]; then
    current='' equals=1
  elif [[ $before == = ]]; then
    before=${COMP_WORDS[COMP_CWORD - 2]} equals=1
  fi
  before=${before/#--/-}
  if ((COMP_CWORD > 1)); then
    case ${COMP_WORDS[1]} in
      )" +
         Joined(names, "|") + R"() command=${COMP_WORDS[1]} ;;
    esac
  fi
  case $command:$before in
)" + values +
         R"(    *) is_value= ;;
  esac
  [[ $is_value ]] || case $command in
)" + cases +
         R"(    *)
      flags=')" +
         Dashed(agent_flags) + R"('
      ((COMP_CWORD == 1)) && words=')" +
         Joined(names, " ") + R"('
      ;;
  esac
  if [[ $current == -* && ! $is_value ]]; then
    if [[ $current == --* ]]; then
      flags=" $flags"
      flags=${flags// -/ --}
    fi
    words=$flags complete_as=''
  fi
  COMPREPLY=($(compgen -W "$words" -- "$current"))
  [[ $complete_as ]] || return
  compopt -o filenames
  local IFS=$'\n'
  COMPREPLY+=($(compgen -A "$complete_as" -- "$current"))
}
complete -F )" +
         function + " " + program + "\n";
}

}  // namespace agent
