// `agent configured`: whether a configuration names a receiver, for a service manager that is not
// to start what has just been installed.

#pragma once

#include <span>

namespace agent {

// `arguments` behind "configured". Returns what to exit with: 0 it names one, or is wrong, which
// the start says better; 1 it loads and names none; 2 wrong arguments.
int RunConfigured(std::span<const char* const> arguments);

}  // namespace agent
