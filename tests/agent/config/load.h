// Loads configurations given as text, and shows what was wrong as text.

#pragma once

#include <string>
#include <vector>

#include "agent/config/loader.h"

namespace agent {

inline Environment NoVariables() {
  return [](const std::string&) { return std::nullopt; };
}

inline Flags FlagsOf(const std::vector<const char*>& arguments) {
  return ParseFlags(arguments).flags;
}

inline LoadedConfig LoadText(const std::string& text,
                             const std::vector<const char*>& arguments = {}) {
  return LoadConfigText("c.yaml", text, FlagsOf(arguments), nullptr, NoVariables());
}

// All problems of a severity, "line:column path: message; hint", one a line.
inline std::string Report(const Problems& problems, Severity severity) {
  std::string out;
  for (const Problem& problem : problems.all()) {
    if (problem.severity != severity) continue;
    if (!out.empty()) out += "\n";
    out += std::to_string(problem.place.line) + ":" + std::to_string(problem.place.column) + " " +
           problem.path + ": " + problem.message;
    if (!problem.hint.empty()) out += "; " + problem.hint;
  }
  return out;
}
inline std::string Errors(const LoadedConfig& loaded) {
  return Report(loaded.problems, Severity::kError);
}
inline std::string Warnings(const LoadedConfig& loaded) {
  return Report(loaded.problems, Severity::kWarning);
}

// A configuration that is right, with a place for more.
inline const std::string kClients = "clients: [{url: 'http://loki:3100/loki/api/v1/push'}]\n";

}  // namespace agent
