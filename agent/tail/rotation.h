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
  bool compressed = false;  // To be read through DecodedSource.
  int64_t born_ns = 0;      // When the inode was made; 0 where the file system does not say.
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
  std::string target;  // Where `place` leads when it is a symbolic link: its rotations are there.
};
std::optional<FoundFile> FindRotated(DirectoryIndex& index, const LostFile& lost,
                                     const IsUnknown& unknown);

// What copytruncate left of the file at `path` that began with `head`: the newest file under a
// rotated name that begins with the same bytes, has at least `min_bytes`, is not older than
// `modified_after_ns` and is nobody's yet.
std::optional<FoundFile> FindCopy(DirectoryIndex& index, const std::string& path,
                                  const FileIdentity& original, uint64_t min_bytes,
                                  int64_t modified_after_ns, const IsUnknown& unknown);

// The file that was at `path` (a symbolic link to `target`, or that one is empty) when somebody
// noted an offset of it, if another one is there by now: of those under rotated names the last that
// was made before that moment. Nothing where the file system does not say when a file was made,
// where it has been compressed, or has less than the offset.
struct NotedOffset {
  uint64_t offset = 0;
  int64_t noted_ns = 0;  // By the wall clock.
};
std::optional<FoundFile> FindEarlier(DirectoryIndex& index, const std::string& path,
                                     const std::string& target, const NotedOffset& noted,
                                     const IsUnknown& unknown);

// Files that were at `path` (a symbolic link to `target`, or that one is empty) for a while after
// the one that was last written at `modified_ns` and last seen there at `seen_ns` (by the wall
// clock; 0: unknown), and were rotated away before anybody saw them. Oldest first. None that begins
// with one of `heads`: those were read. None that is older than that look: a neighbour whose name
// looks like a rotation, such as app_8080.log of app.log.
struct FileBefore {
  int64_t modified_ns = 0;
  int64_t seen_ns = 0;
};
std::vector<FoundFile> FindBetween(DirectoryIndex& index, const std::string& path,
                                   const std::string& target, const std::vector<HeadHash>& heads,
                                   const FileBefore& before, const IsUnknown& unknown);

}  // namespace agent
