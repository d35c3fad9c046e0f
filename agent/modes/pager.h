// Shows a long text a screen at a time, with the program that the user likes for it.

#pragma once

#include <string>

#include "agent/config/environment.h"

namespace agent {

// The command: $PAGER, else less or more where there is one. Empty: none is wanted, or there is
// none.
std::string PagerCommand(const Environment& environment);

// Standard output is a terminal: through `pager` if that can be started, else straight. False when
// it cannot be written.
bool ShowPaged(const std::string& text, const std::string& pager);

}  // namespace agent
