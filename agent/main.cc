// The command: flags, then one mode.

#include <cstdio>
#include <span>
#include <string>
#include <string_view>

#include "agent/config/flags.h"
#include "agent/modes/buffer_tool.h"
#include "agent/modes/check_syntax.h"
#include "agent/modes/pipeline_test.h"
#include "agent/modes/replay.h"
#include "agent/modes/run.h"
#include "agent/modes/setup.h"

int main(int argc, char** argv) {
  const std::span<const char* const> arguments(argv + 1, static_cast<std::size_t>(argc - 1));
  if (!arguments.empty() && std::string_view(arguments[0]) == "test") {
    return agent::RunPipelineTests(arguments.subspan(1));
  }
  if (!arguments.empty() && std::string_view(arguments[0]) == "buffer") {
    return agent::RunBufferTool(arguments.subspan(1));
  }
  if (!arguments.empty() && std::string_view(arguments[0]) == "replay") {
    return agent::RunReplay(arguments.subspan(1));
  }
  if (!arguments.empty() && std::string_view(arguments[0]) == "setup") {
    return agent::RunSetup(arguments.subspan(1));
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
