// `agent -help`.

#pragma once

#include <string>

namespace agent {

// All commands, all flags by group, exit codes. For standard output.
std::string HelpText();

}  // namespace agent
