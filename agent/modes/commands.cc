#include "agent/modes/commands.h"

#include <algorithm>
#include <array>

#include "agent/modes/buffer_tool.h"
#include "agent/modes/configured.h"
#include "agent/modes/convert.h"
#include "agent/modes/docs.h"
#include "agent/modes/doctor.h"
#include "agent/modes/generate.h"
#include "agent/modes/pipeline_test.h"
#include "agent/modes/ready.h"
#include "agent/modes/replay.h"
#include "agent/modes/setup.h"

namespace agent {
namespace {

constexpr std::array kCommands = std::to_array<Command>({
    {"test", "FILE...", "runs pipeline tests", RunPipelineTests},
    {"doctor", "-config.file FILE", "says what does not work, and what mends it", RunDoctor},
    {"setup", "-config.file FILE", "makes templates and aliases", RunSetup},
    {"buffer", "ls|verify|cat DIR", "looks into a disk buffer", RunBufferTool},
    {"convert", "promtail|filebeat FILE", "makes a configuration out of another's", RunConvert},
    {"docs", "[NAME]", "shows the documentation of anything", RunDocs},
    {"replay", "FILE...", "sends a dead letter again", RunReplay},
    {"ready", "[URL]", "asks a running agent whether it is ready", RunReady},
    {"configured", "-config.file FILE", "says whether a receiver is named", RunConfigured},
    {"generate", "bash|zsh|fish|man", "prints a shell's completion", RunGenerate},
});

}  // namespace

std::span<const Command> AllCommands() {
  return kCommands;
}

const Command* FindCommand(std::string_view name) {
  const auto* const found = std::ranges::find(kCommands, name, &Command::name);
  return found == kCommands.end() ? nullptr : found;
}

}  // namespace agent
