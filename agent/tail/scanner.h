// Looks at the file system: which files the patterns mean now. Blocking; runs off the loop thread.

#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <unordered_set>
#include <vector>

#include "agent/tail/file_identity.h"
#include "agent/tail/glob.h"

namespace agent {

// One `__path__` of a group of targets that share job and labels.
struct ScanPattern {
  uint32_t group = 0;
  Glob glob;
  std::optional<Glob> exclude;
  std::vector<std::string> roots;  // As in Target.

  [[nodiscard]] bool Wants(const std::string& path) const {
    return (path == glob.pattern() || glob.Match(path)) && !(exclude && exclude->Match(path));
  }
};

struct ScannedFile {
  uint32_t group = 0;
  std::string path;
  std::string target;  // Where it really is, when `path` is or passes through a symbolic link.
  FileStat info;
  std::string head;  // The first kHeadBytes, of files that are not known.
};

struct ScanResult {
  std::vector<ScannedFile> files;        // Each path once in a group.
  std::vector<std::string> directories;  // To be watched. Exist.
  std::vector<std::string> not_files;    // Matched, but are FIFOs, devices, sockets.
  std::vector<std::string> refused;      // Matched, but are outside of their targets' roots.
  bool complete = true;                  // False: the walk was given up.
};

// Shared with the thread that scans.
using ScanPatterns = std::vector<std::shared_ptr<const ScanPattern>>;
using KnownFiles = std::unordered_set<FileKey, FileKeyHash>;

// Whether `real`, a path without links, is below one of `roots`, wherever these lead to.
bool IsBelowAny(const std::string& real, const std::vector<std::string>& roots);

ScanResult RunScan(const ScanPatterns& patterns, const KnownFiles& known);

}  // namespace agent
