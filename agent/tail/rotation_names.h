// How rotation names what it puts aside: app.log.1, app.log-20260504, app.log.1.gz, app-1.log,
// app-2026-05-04.log. And where a file went that is no longer at its path.

#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "agent/tail/file_identity.h"

namespace agent {

// True when `name` looks like `base` (both without directory) after a rotation.
bool IsRotatedName(std::string_view base, std::string_view name);

// True for names that end like a compressed file.
bool IsCompressedName(std::string_view name);

// What stands in directories, read once each: a rotation asks for many names of few directories.
// Use one for a moment, then throw it away.
class DirectoryIndex {
 public:
  struct Entry {
    std::string name;
    uint64_t inode = 0;
  };

  // Empty when the directory cannot be read.
  const std::vector<Entry>& List(const std::string& directory);
  // The path in `directory` under which that file (a regular one) is found now.
  std::optional<std::string> FindFile(const std::string& directory, const FileKey& key);
  // The names in the directory of `path` that look like `path` after a rotation.
  std::vector<std::string> RotatedPaths(const std::string& path);

 private:
  struct Listing {
    std::vector<Entry> entries;
    std::unordered_map<uint64_t, std::vector<std::size_t>> by_inode;
  };
  Listing& Read(const std::string& directory);

  std::unordered_map<std::string, Listing> listings_;
};

}  // namespace agent
