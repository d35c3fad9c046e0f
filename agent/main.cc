// The program: one of its commands, or flags and following logs.

#include <cstdio>
#include <span>
#include <string>

#include "agent/config/flags.h"
#include "agent/modes/check_syntax.h"
#include "agent/modes/commands.h"
#include "agent/modes/help.h"
#include "agent/modes/run.h"

int main(int argc, char** argv) {
  const std::span<const char* const> arguments(argv + 1, static_cast<std::size_t>(argc - 1));
  if (!arguments.empty()) {
    const agent::Command* const command = agent::FindCommand(arguments[0]);
    if (command != nullptr) return command->run(arguments.subspan(1));
  }
  const agent::ParsedFlags parsed = agent::ParseFlags(arguments);
  if (!parsed.error.empty()) {
    std::fputs(parsed.error.c_str(), stderr);
    return agent::kExitFlags;
  }
  const agent::Flags& flags = parsed.flags;
  if (flags.help) {
    std::fputs(agent::HelpText().c_str(), stdout);
    return agent::kExitOk;
  }
  if (flags.version) {
    std::fputs(agent::VersionText().c_str(), stdout);
    return agent::kExitOk;
  }
  if (flags.check_syntax) return agent::RunCheckSyntax(flags);
  return agent::RunAgent(flags);
}
