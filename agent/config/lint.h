// What is allowed and surely not meant: warnings, shown by -check-syntax and at start.

#pragma once

#include <string>

#include "agent/config/config.h"
#include "base/config/problems.h"
#include "base/config/yaml.h"

namespace agent {

// A list of stages, those inside of `match` included: doubled backslashes, a replacement that
// repeats what is kept anyway, labels that have a new value with every line.
void LintStages(const ConfigNode& stages, const std::string& path, Problems& problems);

// A list of relabelling rules: doubled backslashes.
void LintRelabelRules(const ConfigNode& rules, const std::string& path, Problems& problems);

// Settings that cost data or do nothing: `root` is the file, `config` what it and the flags make.
void LintSettings(const ConfigNode& root, const Config& config, Problems& problems);

// A "${NAME}" in a value although -config.expand-env is off; the first one is reported.
void WarnOfUnexpanded(const ConfigNode& root, Problems& problems);

}  // namespace agent
