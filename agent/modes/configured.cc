#include "agent/modes/configured.h"

#include <cstdio>
#include <string>
#include <string_view>

#include "agent/config/environment.h"
#include "agent/config/flags.h"
#include "agent/config/loader.h"

namespace agent {
namespace {

constexpr std::string_view kHelp =
    "Usage: agent configured -config.file FILE [flags]\n"
    "\n"
    "Says whether the configuration names a receiver: for systemd's ExecCondition=, so that an\n"
    "agent that has just been installed is not started.\n"
    "\n"
    "The flags are those of the agent: agent -help\n"
    "\n"
    "Exit codes:\n"
    "  0  it names one, or cannot be loaded: the start says why\n"
    "  1  it names none\n"
    "  2  wrong flags\n";

}  // namespace

int RunConfigured(std::span<const char* const> arguments) {
  const ParsedFlags parsed = ParseFlags(arguments);
  if (!parsed.error.empty()) {
    std::fputs((parsed.error + "Run 'agent configured -help' for what there is\n").c_str(), stderr);
    return kExitFlags;
  }
  if (parsed.flags.help) {
    std::fwrite(kHelp.data(), 1, kHelp.size(), stdout);
    return kExitOk;
  }
  const LoadedConfig loaded = LoadConfig(parsed.flags, nullptr, ProcessEnvironment());
  const bool names_one = !loaded.config.clients.empty() || !loaded.config.outputs.empty();
  if (names_one || loaded.problems.has_errors()) return kExitOk;
  std::fputs((loaded.config.file + ": no receiver is named: put one under `clients` or `outputs`\n")
                 .c_str(),
             stderr);
  return kExitError;
}

}  // namespace agent
