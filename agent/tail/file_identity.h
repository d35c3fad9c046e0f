// Which file a path names right now. A file is not its path: rotation renames it, copytruncate
// empties it, and the kernel hands its inode to a stranger. Device and inode say which file it is
// while it exists; the hash of its first bytes says whether it is still the same one.

#pragma once

#include <sys/types.h>

#include <compare>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/unique_fd.h"

namespace agent {

// How many bytes at the beginning of a file tell it from others.
constexpr std::size_t kHeadBytes = 1024;

// XXH3 of the first `length` bytes; length is min(file size, kHeadBytes) and grows with the file.
struct HeadHash {
  uint64_t hash = 0;
  uint32_t length = 0;

  bool operator==(const HeadHash&) const = default;
};

// Where a file is kept.
struct FileKey {
  uint64_t device = 0;
  uint64_t inode = 0;

  auto operator<=>(const FileKey&) const = default;
};

struct FileKeyHash {
  std::size_t operator()(const FileKey& key) const {
    return static_cast<std::size_t>((key.inode * 0x9e3779b97f4a7c15ULL) ^ key.device);
  }
};

struct FileIdentity {
  FileKey key;
  HeadHash head;

  bool operator==(const FileIdentity&) const = default;
};

// Opens for reading; does not hang on what has become a FIFO. Invalid, with errno, on failure.
UniqueFd OpenForReading(const std::string& path);

// The first min(size, kHeadBytes) bytes of an open file; does not move its position.
Result<std::string> ReadHead(int fd);

// The same of what stands at `path`; empty when it cannot be read.
std::string ReadHeadAt(const std::string& path);

HeadHash HashHead(std::string_view bytes);

// True when a file that begins with `bytes` (what ReadHead() gave) can be the one that `head` was
// taken of: it is as long at least, and begins with the same bytes. An empty head fits every file.
bool BeginsWith(std::string_view bytes, const HeadHash& head);

// What stands at `path` now, symbolic links followed.
struct FileStat {
  FileKey key;
  uint64_t size_bytes = 0;
  int64_t modified_ns = 0;
  uint32_t links = 0;
  bool regular = false;
};
Result<FileStat> StatFile(int fd);
Result<FileStat> StatPath(const std::string& path);
// The same, and whether `path` itself is a symbolic link. One system call where it is none.
Result<FileStat> StatPath(const std::string& path, bool& is_link);

// Where the symbolic link at `path` leads; empty when it is none, or leads nowhere.
std::string LinkTarget(const std::string& path);

}  // namespace agent
