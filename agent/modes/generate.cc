#include "agent/modes/generate.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <string>
#include <string_view>

#include "agent/config/flags.h"
#include "agent/modes/generate/completion.h"

namespace agent {
namespace {

constexpr std::string_view kHelp =
    "Usage: agent generate bash|zsh|fish|man [PROGRAM]\n"
    "\n"
    "Prints the completion of the command line for a shell; such as, in ~/.bashrc:\n"
    "source <(agent generate bash)\n"
    "\n"
    "  bash     for bash\n"
    "  zsh      for zsh: a file _agent in a folder of $fpath\n"
    "  fish     for fish: a file agent.fish in ~/.config/fish/completions\n"
    "  man      the sections on flags and commands of a manual page, in troff\n"
    "  PROGRAM  what it is called; default: agent\n"
    "\n"
    "Exit codes:\n"
    "  0  printed\n"
    "  2  wrong arguments\n";

struct Kind {
  std::string_view name;
  std::string (*generate)(const std::string& program);
};
constexpr std::array kKinds = std::to_array<Kind>({
    {"bash", BashCompletion},
    {"zsh", ZshCompletion},
    {"fish", FishCompletion},
    {"man", ManualReference},
});

// It stands in scripts as it is.
bool IsProgramName(std::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  });
}

}  // namespace

int RunGenerate(std::span<const char* const> arguments) {
  const std::string_view what = arguments.empty() ? "" : arguments[0];
  if (what == "-help" || what == "--help" || what == "-h") {
    std::fwrite(kHelp.data(), 1, kHelp.size(), stdout);
    return kExitOk;
  }
  const std::string program = arguments.size() > 1 ? arguments[1] : "agent";
  const auto* const kind = std::find_if(kKinds.begin(), kKinds.end(),
                                        [&](const Kind& each) { return each.name == what; });
  if (kind == kKinds.end() || arguments.size() > 2 || !IsProgramName(program)) {
    std::fputs(
        "expected bash, zsh, fish or man, and a program's name in small letters\n"
        "Run 'agent generate -help' for what there is\n",
        stderr);
    return kExitFlags;
  }
  const std::string text = kind->generate(program);
  std::fwrite(text.data(), 1, text.size(), stdout);
  return kExitOk;
}

}  // namespace agent
