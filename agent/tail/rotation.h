// Where the rest of a file is after a rotation that nobody watched: renamed, copied before it was
// truncated, compressed, or followed by further rotations.

#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "agent/tail/file_identity.h"
#include "agent/tail/rotation_names.h"

namespace agent {

struct FoundFile {
  std::string path;
  FileStat info;
  std::string head;         // Of what is in it, uncompressed.
  bool compressed = false;  // To be read through GzipSource.
};

// True for files that nobody reads yet.
using IsUnknown = std::function<bool(const FileKey&)>;

// A file that was found first at `path` and seen last at `place`: by its inode, else under a
// rotated name by its head, else compressed. It has at least `min_bytes`, and is nobody's yet.
struct LostFile {
  std::string path;
  std::string place;
  FileIdentity identity;
  uint64_t min_bytes = 0;
};
std::optional<FoundFile> FindRotated(DirectoryIndex& index, const LostFile& lost,
                                     const IsUnknown& unknown);

// What copytruncate left of the file at `path` that began with `head`: the newest file under a
// rotated name that begins with the same bytes, has at least `min_bytes`, is not older than
// `modified_after_ns` and is nobody's yet.
std::optional<FoundFile> FindCopy(DirectoryIndex& index, const std::string& path,
                                  const FileIdentity& original, uint64_t min_bytes,
                                  int64_t modified_after_ns, const IsUnknown& unknown);

// Files that were at `path` for a while after the one that was last written at `modified_after_ns`,
// and were rotated away before anybody saw them. Oldest first. None that begins with one of
// `heads`: those were read.
std::vector<FoundFile> FindBetween(DirectoryIndex& index, const std::string& path,
                                   const std::vector<HeadHash>& heads, int64_t modified_after_ns,
                                   const IsUnknown& unknown);

}  // namespace agent
