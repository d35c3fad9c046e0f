// The inspector that the flags ask for.

#pragma once

#include <memory>

#include "agent/config/flags.h"
#include "agent/modes/inspect/inspector.h"

namespace agent {

// Null without -inspect. In a dry run its stories wait to be taken; otherwise it writes them, and
// the entries, to standard error itself.
std::unique_ptr<Inspector> MakeInspector(const Flags& flags);

}  // namespace agent
