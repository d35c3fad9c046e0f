// `agent replay`: sends what the dead letter holds again.

#pragma once

#include <span>

namespace agent {

// `arguments` behind "replay". Prints to standard output; problems, progress and logs to standard
// error. Gives the exit code: 0 when every entry was delivered.
int RunReplay(std::span<const char* const> arguments);

}  // namespace agent
