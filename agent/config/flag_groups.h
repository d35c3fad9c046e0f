// How flags are shown to people: in -help, the manual page and the documentation.

#pragma once

#include <span>
#include <string_view>

#include "agent/config/flag_table.h"

namespace agent {

struct FlagGroupTitle {
  FlagGroup group;
  std::string_view title;
};

// In the order of -help; without those that have no effect (kIgnored).
std::span<const FlagGroupTitle> AllFlagGroups();

// What stands behind a flag of this kind: " DURATION"; nothing behind a switch.
std::string_view ValueName(FlagKind kind);

}  // namespace agent
