// Checks pipelines by building them, as the configuration's loader asks for.

#pragma once

#include <string>

#include "base/config/problems.h"
#include "base/config/yaml.h"

namespace agent {

// Builds the stages of a job and throws them away. Everything that is wrong is in `problems`.
void CheckStages(const ConfigNode& stages, const std::string& path, const std::string& job,
                 Problems& problems);

}  // namespace agent
