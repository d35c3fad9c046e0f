// The patterns that a grok stage may name: the built-in ones, those of its pattern files, and its
// own. Later ones take the place of earlier ones of the same name.

#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/result.h"

namespace agent {

struct GrokPattern {
  std::string_view name;
  std::string_view text;
  std::string_view not_after;  // See BuiltinPattern.
  bool builtin = false;
};

class GrokPatterns {
 public:
  // One of the stage's own. False when it has one of that name already.
  bool Add(std::string_view name, std::string_view text);
  // Reads a file of lines `NAME expression`; empty lines and those that begin with '#' do not
  // count. An error's message begins with the file and the line. A name that came from another line
  // or file before is an error.
  Status AddFile(const std::string& path);

  // nullopt when there is none of that name. Views are valid as long as this object.
  [[nodiscard]] std::optional<GrokPattern> Find(std::string_view name) const;
  // "file:line" of a pattern that came from a file; empty otherwise.
  [[nodiscard]] std::string_view OriginOf(std::string_view name) const;
  // For "did you mean"; empty when no name is near.
  [[nodiscard]] std::string Nearest(std::string_view name) const;

 private:
  struct Definition {
    std::string text;
    std::string origin;
  };
  using Definitions = std::unordered_map<std::string, Definition>;

  Status AddLine(std::string_view line, const std::string& origin);

  Definitions own_;
  Definitions from_files_;
};

// Letters, digits and '_'.
bool IsGrokPatternName(std::string_view name);

}  // namespace agent
