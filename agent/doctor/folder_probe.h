// What a folder is good for, tried out with a file that nobody ever sees.

#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "agent/doctor/access.h"

namespace agent::doctor {

struct FolderProbe {
  std::string folder;              // The nearest that exists.
  bool exists = false;             // It is the one that was asked for.
  std::optional<Refusal> refusal;  // It may not be written to.
  int write_error = 0;             // ENOSPC, EDQUOT, EIO, …
  std::chrono::milliseconds sync_time{0};
  uint64_t device = 0;
  uint64_t free_bytes = 0;  // For this user.
  uint64_t total_bytes = 0;
  uint64_t free_inodes = 0;
  uint64_t total_inodes = 0;  // 0: the file system does not count them.
  std::string file_system;    // "tmpfs", "overlay", "nfs", …; empty: a usual one.
};

// Writes a few bytes into an unlinked file and waits for the disk.
FolderProbe ProbeFolder(const std::string& folder);

// Who holds flock(2) on the file: its pid, 0 where it cannot be told; nullopt: nobody. Takes no
// lock itself, so that an agent that starts in this moment is not in its way.
std::optional<int64_t> LockHolder(const std::string& path, const std::string& proc_locks);

}  // namespace agent::doctor
