// `agent doctor`: says what is wrong with a configuration on this machine, and what mends it.

#pragma once

#include <span>

namespace agent {

// `arguments` behind "doctor". Prints what was found on standard output; returns what to exit with:
// 0 nothing fails, 1 something does (with -strict: or is a warning), 2 wrong arguments.
int RunDoctor(std::span<const char* const> arguments);

}  // namespace agent
