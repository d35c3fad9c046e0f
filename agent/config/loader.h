// Loads the configuration: file, environment expansion, YAML, structs, flags over it. Reports
// everything that is wrong in one run, and what is surely not meant as warnings.

#pragma once

#include <functional>
#include <string>

#include "agent/config/config.h"
#include "agent/config/environment.h"
#include "agent/config/flags.h"
#include "base/config/problems.h"
#include "base/config/yaml.h"

namespace agent {

// Checks the stages of one job (by building them): `stages` is the list, `path` its path in the
// configuration ("scrape_configs[0].pipeline_stages").
using StageChecker = std::function<void(const ConfigNode& stages, const std::string& path,
                                        const std::string& job, Problems& problems)>;

struct LoadedConfig {
  Config config;      // Complete only when !problems.has_errors().
  Problems problems;  // Warnings too; the caller shows them at start.
};

// Without -config.file there are only defaults and flags. `check_stages` may be null.
LoadedConfig LoadConfig(const Flags& flags, const StageChecker& check_stages,
                        const Environment& environment);

// The same for a text that came from somewhere else; `file` is its name in messages.
LoadedConfig LoadConfigText(const std::string& file, const std::string& text, const Flags& flags,
                            const StageChecker& check_stages, const Environment& environment);

// -check-syntax: what to print on standard output, and what to exit with.
struct SyntaxReport {
  std::string text;
  int exit_code = 0;
};
SyntaxReport CheckSyntax(const Flags& flags, const StageChecker& check_stages,
                         const Environment& environment, bool color);

}  // namespace agent
