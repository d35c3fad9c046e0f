// `agent test`: runs pipeline tests.

#pragma once

#include <span>

namespace agent {

// `arguments` behind "test". Prints on standard output; returns what to exit with: 0 all tests have
// passed, 1 some have not, 2 wrong arguments or a file that cannot be read.
int RunPipelineTests(std::span<const char* const> arguments);

}  // namespace agent
