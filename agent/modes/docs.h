// `agent docs`: the documentation in the terminal.

#pragma once

#include <span>

namespace agent {

// `arguments` behind "docs". Exit codes: 0, 1 nothing of that name, 2 wrong flags.
int RunDocs(std::span<const char* const> arguments);

}  // namespace agent
