// -check-syntax: loads the configuration, builds its pipelines, prints every problem, and exits.

#pragma once

#include "agent/config/flags.h"

namespace agent {

// Prints on standard output; returns what to exit with.
int RunCheckSyntax(const Flags& flags);

}  // namespace agent
