// `agent buffer ls|verify|cat DIR`: looks into a disk buffer. Changes nothing, and may run beside
// the agent that writes it.

#pragma once

#include <span>

namespace agent {

// `arguments` behind "buffer". Prints on standard output; returns what to exit with: 0 all is well,
// 1 something is damaged, 2 wrong arguments or a folder that cannot be read.
int RunBufferTool(std::span<const char* const> arguments);

}  // namespace agent
