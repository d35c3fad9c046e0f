#include "agent/modes/generate/usage_model.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agent/config/flag_groups.h"
#include "agent/config/flag_table.h"
#include "agent/modes/commands.h"
#include "base/check.h"
#include "base/unique_fd.h"

namespace agent {
namespace {

std::vector<std::string> Split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  while (true) {
    const std::size_t end = text.find(separator);
    parts.emplace_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

bool IsWord(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || c == '-' || c == '_';
  });
}

// "text|json" or one word in small letters is what to write; capitals stand for something.
std::vector<std::string> Choices(std::string_view text) {
  std::vector<std::string> choices = Split(text, '|');
  if (!std::all_of(choices.begin(), choices.end(), IsWord)) return {};
  return choices;
}

ArgumentKind KindOfName(std::string_view name) {
  if (name.empty()) return ArgumentKind::kNone;
  if (name.find("FILE") != std::string_view::npos) return ArgumentKind::kFile;
  return name.find("DIR") != std::string_view::npos ? ArgumentKind::kFolder : ArgumentKind::kAny;
}

void SetArgument(std::string_view value_name, FlagUsage& flag) {
  flag.value_name = value_name;
  flag.values = Choices(value_name);
  flag.argument = flag.values.empty() ? KindOfName(value_name) : ArgumentKind::kOneOf;
}

std::string_view TakeWord(std::string_view& text) {
  const std::size_t end = std::min(text.find(' '), text.size());
  const std::string_view word = text.substr(0, end);
  text.remove_prefix(end);
  return word;
}

std::string_view Trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(' ');
  return begin == std::string_view::npos ? std::string_view() : text.substr(begin);
}

// "  -color, -no-color" or "  -run REGEX" or "  -output NAME  this output alone"
void AddFlags(std::string_view line, std::vector<FlagUsage>& flags) {
  std::size_t first = flags.size();
  line = Trimmed(line);
  while (line.starts_with('-')) {
    std::string_view name = TakeWord(line);
    name.remove_prefix(1);
    const bool more = name.ends_with(',');
    if (more) name.remove_suffix(1);
    flags.push_back({.name = std::string(name), .value_name = {}, .help = {}});
    if (!more) break;
    line = Trimmed(line);
  }
  if (line.size() > 1 && line[0] == ' ' && line[1] != ' ') {
    line.remove_prefix(1);
    SetArgument(TakeWord(line), flags.back());
  }
  for (; first < flags.size(); ++first)
    flags[first].help = Trimmed(line);
}

// What `command` prints on standard output.
std::string HelpOf(const Command& command) {
  std::fflush(stdout);
  const UniqueFd caught(::memfd_create("help", MFD_CLOEXEC));
  const UniqueFd before(::dup(STDOUT_FILENO));
  CHECK(caught.valid() && before.valid());
  CHECK(::dup2(caught.get(), STDOUT_FILENO) >= 0);
  constexpr std::array<const char*, 1> kHelp = {"-help"};
  command.run(kHelp);
  std::fflush(stdout);
  CHECK(::dup2(before.get(), STDOUT_FILENO) >= 0);
  std::string text;
  std::array<char, 4096> part = {};
  ssize_t got = 0;
  while ((got = ::pread(caught.get(), part.data(), part.size(), static_cast<off_t>(text.size()))) >
         0)
    text.append(part.data(), static_cast<std::size_t>(got));
  return text;
}

void SetArgument(const FlagEntry& entry, FlagUsage& flag) {
  constexpr std::string_view kFileSuffixes[] = {".file", "-path"};
  switch (entry.kind) {
    case FlagKind::kBool:
      return;
    case FlagKind::kLogLevel:
      flag.values = {"debug", "info", "warn", "error"};
      break;
    case FlagKind::kLogFormat:
      flag.values = {"logfmt", "json"};
      break;
    case FlagKind::kInspect:
      return;  // A switch, too: its value is written with '='.
    default:
      break;
  }
  if (!flag.values.empty()) {
    flag.argument = ArgumentKind::kOneOf;
    return;
  }
  const bool file = std::any_of(std::begin(kFileSuffixes), std::end(kFileSuffixes),
                                [&](std::string_view end) { return entry.name.ends_with(end); });
  flag.argument = file ? ArgumentKind::kFile : ArgumentKind::kAny;
}

// Those that it does not have itself, in another meaning.
void AddAgentFlags(std::vector<FlagUsage>& flags) {
  for (FlagUsage& flag : AgentFlags()) {
    const auto same = [&flag](const FlagUsage& own) { return own.name == flag.name; };
    if (std::none_of(flags.begin(), flags.end(), same)) flags.push_back(std::move(flag));
  }
}

CommandUsage UsageOf(const Command& command) {
  CommandUsage usage{.name = std::string(command.name),
                     .arguments = std::string(command.arguments),
                     .summary = std::string(command.summary),
                     .help = HelpOf(command)};
  usage.flags = FlagsOfHelp(usage.help);
  usage.takes_agent_flags = usage.help.find("flags are those of the agent") != std::string::npos;
  if (usage.takes_agent_flags) AddAgentFlags(usage.flags);
  if (command.arguments.starts_with('-')) return usage;
  std::string_view rest = command.arguments;
  usage.choices = Choices(TakeWord(rest));
  usage.argument = KindOfName(usage.choices.empty() ? command.arguments : Trimmed(rest));
  return usage;
}

}  // namespace

std::vector<FlagUsage> FlagsOfHelp(std::string_view help) {
  constexpr std::string_view kContinued = "        ";
  std::vector<FlagUsage> flags;
  std::size_t first = 0;  // Of the line before.
  bool listing = false;
  for (const std::string& line : Split(help, '\n')) {
    if (line.starts_with("  -")) {
      first = flags.size();
      AddFlags(line, flags);
      listing = true;
    } else if (listing && line.starts_with(kContinued)) {
      for (std::size_t i = first; i < flags.size(); ++i) {
        if (!flags[i].help.empty()) flags[i].help += ' ';
        flags[i].help += Trimmed(line);
      }
    } else {
      listing = false;
    }
  }
  return flags;
}

std::vector<FlagUsage> AgentFlags() {
  std::vector<FlagUsage> flags;
  for (const FlagEntry& entry : AllFlags()) {
    if (entry.group == FlagGroup::kIgnored) continue;
    FlagUsage flag{
        .name = std::string(entry.name), .value_name = {}, .help = std::string(entry.help)};
    flag.value_name = Trimmed(ValueName(entry.kind));
    SetArgument(entry, flag);
    flags.push_back(std::move(flag));
  }
  return flags;
}

std::vector<CommandUsage> CommandUsages() {
  std::vector<CommandUsage> usages;
  for (const Command& command : AllCommands())
    usages.push_back(UsageOf(command));
  return usages;
}

}  // namespace agent
