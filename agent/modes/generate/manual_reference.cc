#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>

#include "agent/config/flag_groups.h"
#include "agent/config/flag_table.h"
#include "agent/modes/commands.h"
#include "agent/modes/generate/completion.h"
#include "agent/modes/generate/usage_model.h"

namespace agent {
namespace {

// Text as it is: what troff would take for its own is escaped.
std::string Escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (out.empty() && (c == '.' || c == '\'')) out += "\\&";
    if (c == '\\') {
      out += "\\e";
    } else if (c == '-') {
      out += "\\-";
    } else {
      out += c;
    }
  }
  return out;
}

// The help texts call the program `agent`.
std::string Renamed(std::string_view text, const std::string& program) {
  constexpr std::string_view kName = "agent ";
  std::string out;
  while (true) {
    const std::size_t at = text.find(kName);
    if (at == std::string_view::npos) return out + std::string(text);
    const std::string_view after = text.substr(at + kName.size());
    const bool begins = at == 0 || text[at - 1] == ' ' || text[at - 1] == '\'';
    const bool called =
        after.starts_with('-') || std::ranges::any_of(AllCommands(), [&](const Command& command) {
          return after.starts_with(std::string(command.name) + " ");
        });
    out +=
        std::string(text.substr(0, at)) + (begins && called ? program + " " : std::string(kName));
    text = after;
  }
}

void AddFlag(const FlagEntry& flag, std::string& out) {
  out += ".TP\n\\fB\\-" + Escaped(flag.name) + "\\fR";
  if (flag.kind == FlagKind::kInspect) {
    out += Escaped(ValueName(flag.kind));
  } else if (!ValueName(flag.kind).empty()) {
    out += " \\fI" + Escaped(ValueName(flag.kind).substr(1)) + "\\fR";
  }
  out += "\n" + Escaped(flag.help);
  if (!flag.default_value.empty()) out += " Default: " + Escaped(flag.default_value) + ".";
  out += "\n";
}

// A help text line by line: terms with what they mean, headings, and paragraphs.
class HelpToTroff {
 public:
  void Add(std::string_view line) {
    constexpr std::string_view kIndent = "  ";
    if (line.empty()) {
      in_usage_ = false;
      between_ = true;
    } else if (line.starts_with("Usage:")) {
      in_usage_ = true;
    } else if (in_usage_) {
      return;
    } else if (line.starts_with(kIndent) && line.size() > 2 && line[2] != ' ') {
      AddTerm(line.substr(2));
    } else if (line.starts_with(kIndent)) {
      out += Escaped(line.substr(line.find_first_not_of(' '))) + "\n";
    } else {
      if (between_ || in_terms_) out += ".PP\n";
      in_terms_ = false;
      between_ = false;
      out += Escaped(line) + "\n";
    }
  }

  std::string out;

 private:
  // "0  all is well", or "-run REGEX" with its meaning on the next lines.
  void AddTerm(std::string_view line) {
    const std::size_t end = std::min(line.find("  "), line.size());
    out += ".TP\n\\fB" + Escaped(line.substr(0, end)) + "\\fR\n";
    const std::size_t meaning = line.find_first_not_of(' ', end);
    if (meaning != std::string_view::npos) out += Escaped(line.substr(meaning)) + "\n";
    in_terms_ = true;
    between_ = false;
  }

  bool in_usage_ = false;
  bool between_ = false;  // An empty line was read, and nothing since.
  bool in_terms_ = false;
};

}  // namespace

std::string ManualReference(const std::string& program) {
  std::string out =
      ".SH OPTIONS\nFlags are written \\-name value, \\-name=value or \\-\\-name; switches "
      "\\-name or \\-name=false. An explicit flag wins over the configuration.\n";
  for (const FlagGroupTitle& group : AllFlagGroups()) {
    out += ".SS " + Escaped(group.title) + "\n";
    for (const FlagEntry& flag : AllFlags()) {
      if (flag.group == group.group) AddFlag(flag, out);
    }
  }
  out += ".PP\nThe flags of Promtail that mean nothing here are accepted.\n.SH COMMANDS\n";
  for (const CommandUsage& command : CommandUsages()) {
    out += ".SS " + Escaped(program + " " + command.name + " " + command.arguments) + "\n";
    HelpToTroff troff;
    std::string_view help = command.help;
    while (!help.empty()) {
      const std::size_t end = std::min(help.find('\n'), help.size());
      troff.Add(Renamed(help.substr(0, end), program));
      help.remove_prefix(std::min(end + 1, help.size()));
    }
    out += troff.out;
  }
  return out;
}

}  // namespace agent
