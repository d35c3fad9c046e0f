// Which files a `__path__` means: doublestar globs, as Promtail reads them. `*`, `?`, `[a-z]`,
// `[^x]` and `{a,b}` within a path component; `**` as a whole component for any number of
// directories, zero included; `\` takes the next character literally.

#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/tail/file_tree.h"
#include "base/result.h"

namespace agent {

// An absolute path without ".", ".." and doubled slashes, by its letters alone (links are not
// resolved). A relative one is taken from the working directory.
std::string AbsolutePath(std::string_view path);

// The part up to the last slash, "/" at least; and the part after it.
std::string_view DirName(std::string_view path);
std::string_view BaseName(std::string_view path);

class Glob {
 public:
  // kInvalid for an unclosed `[` or `{`, a trailing `\`, or more than 1024 combinations of braces.
  static Result<Glob> Compile(std::string_view pattern);

  [[nodiscard]] bool Match(std::string_view path) const;
  [[nodiscard]] const std::string& pattern() const { return pattern_; }

  // What an expansion finds on its way.
  struct Visitor {
    // A name that matches and is no directory, as far as that is known without a stat.
    std::function<void(const std::string& path)> match;
    // A directory in which something that matters may appear.
    // May be null.
    std::function<void(const std::string& path)> directory;
  };
  static constexpr std::size_t kMaxEntries = 2'000'000;
  // Walks the file system. Symbolic links are followed. Returns false when it gave up after
  // `max_entries` names; what was found until then counts.
  bool Expand(const Visitor& visitor, std::size_t max_entries = kMaxEntries) const;
  // Walks `tree`.
  bool Expand(const Visitor& visitor, FileTree& tree, std::size_t max_entries = kMaxEntries) const;

 private:
  // One combination of the braces, split at the slashes. An absolute path's first component is "".
  using Components = std::vector<std::string>;

  class Walk;

  std::string pattern_;
  std::vector<Components> alternatives_;
};

// True when `name` (one component) matches `pattern` (one component, braces expanded).
bool MatchComponent(std::string_view pattern, std::string_view name);

}  // namespace agent
