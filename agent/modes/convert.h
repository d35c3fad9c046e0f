// `agent convert`: another shipper's configuration becomes ours.

#pragma once

#include <span>

namespace agent {

// `arguments` behind "convert". Prints the configuration on standard output and what there is to
// say of it on standard error; returns what to exit with: 0 everything was carried over, 1 the file
// cannot be read, 2 wrong arguments, 3 something has no equivalent.
int RunConvert(std::span<const char* const> arguments);

}  // namespace agent
