// `agent setup`: makes templates, lifecycle policies and aliases in the receivers, once.

#pragma once

#include <span>

namespace agent {

// `arguments` behind "setup". Prints on standard output what was made, what existed and what was
// refused; returns what to exit with: 0 all is there, 1 something is not, or the configuration is
// wrong, 2 wrong arguments.
int RunSetup(std::span<const char* const> arguments);

}  // namespace agent
