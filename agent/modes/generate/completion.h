// Completions of the command line for shells: scripts that are sourced, or put where the shell
// looks for them.

#pragma once

#include <string>

namespace agent {

// `program` is what it is called: "agent", "log-agent".
std::string BashCompletion(const std::string& program);
std::string ZshCompletion(const std::string& program);
std::string FishCompletion(const std::string& program);

// Sections OPTIONS and COMMANDS of the manual page, in troff with the macros of man(7).
std::string ManualReference(const std::string& program);

}  // namespace agent
