// All stages by name: what a configuration may say, and what "did you mean" is made from.

#pragma once

#include <memory>
#include <span>
#include <string_view>

#include "pipeline/stage.h"

namespace agent {

struct StageEntry {
  std::string_view name;
  StageFactory make;
};

// Sorted by name.
std::span<const StageEntry> AllStages();

}  // namespace agent
