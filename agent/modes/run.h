// Runs the agent until it is told to stop: for real, as a dry run, over standard input, or both of
// these.

#pragma once

#include "agent/config/flags.h"

namespace agent {

// Returns what to exit with.
int RunAgent(const Flags& flags);

}  // namespace agent
