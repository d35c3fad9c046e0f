#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "agent/modes/generate/completion.h"
#include "agent/modes/generate/usage_model.h"

namespace agent {
namespace {

// In single quotes, inside of the brackets of _arguments or before the colon of _describe.
std::string Escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\'') {
      out += R"('\'')";
    } else if (c == '[' || c == ']' || c == ':' || c == '\\') {
      out += {'\\', c};
    } else {
      out += c;
    }
  }
  return out;
}

std::string Action(ArgumentKind kind, const std::vector<std::string>& values) {
  switch (kind) {
    case ArgumentKind::kNone:
    case ArgumentKind::kAny:
      return "";
    case ArgumentKind::kFile:
      return "_files";
    case ArgumentKind::kFolder:
      return "_files -/";
    case ArgumentKind::kOneOf:
      break;
  }
  std::string out = "(";
  for (const std::string& value : values)
    out += (out.size() == 1 ? "" : " ") + value;
  return out + ")";
}

std::string Specs(const std::vector<FlagUsage>& flags) {
  std::string out;
  for (const FlagUsage& flag : flags) {
    out += " \\\n        '-" + flag.name;
    if (flag.argument != ArgumentKind::kNone) out += "=";
    out += "[" + Escaped(flag.help) + "]";
    if (flag.argument != ArgumentKind::kNone) {
      out += ":" + Escaped(flag.value_name) + ":" + Action(flag.argument, flag.values);
    }
    out += "'";
  }
  return out;
}

std::string CommandCase(const CommandUsage& command) {
  std::string out = "      " + command.name + ")\n        _arguments" + Specs(command.flags);
  if (!command.choices.empty()) {
    out += " \\\n        '1:what:" + Action(ArgumentKind::kOneOf, command.choices) + "'";
  }
  if (const std::string action = Action(command.argument, {}); !action.empty()) {
    out += " \\\n        '*:argument:" + action + "'";
  }
  return out + "\n        return ;;\n";
}

}  // namespace

std::string ZshCompletion(const std::string& program) {
  std::string function = "_" + program;
  std::replace(function.begin(), function.end(), '-', '_');
  std::string commands;
  std::string cases;
  for (const CommandUsage& command : CommandUsages()) {
    commands += "    '" + command.name + ":" + Escaped(command.summary) + "'\n";
    cases += CommandCase(command);
  }
  return "#compdef " + program + "\n# Completion of " + program + " for zsh, made by: " + program +
         " generate zsh " + program + "\n\n" + function + "() {\n  local -a commands=(\n" +
         commands + R"(  )
  if ((CURRENT > 2)); then
    local command=$words[2]
    case $command in
      -*) ;;
      *)
        shift words
        ((CURRENT--))
        ;;
    esac
    case $command in
)" + cases +
         R"(    esac
  elif [[ $words[2] != -* ]]; then
    _describe command commands
    return
  fi
  _arguments)" +
         Specs(AgentFlags()) + "\n}\n\n" + function + " \"$@\"\n";
}

}  // namespace agent
