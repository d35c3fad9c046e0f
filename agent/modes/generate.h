// `agent generate`: completions for shells, and the part of the manual page that lists flags and
// commands, from the tables that the program itself works with.

#pragma once

#include <span>

namespace agent {

// `arguments` behind "generate". Returns what to exit with: 0, or 2 wrong arguments.
int RunGenerate(std::span<const char* const> arguments);

}  // namespace agent
