// How far a disk buffer has been delivered, in a small file. Two slots, of which the one that is
// known to be on the disk is not written over: a write that is torn leaves the other.

#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"
#include "base/unique_fd.h"

namespace agent {

// Any one thread.
class CursorFile {
 public:
  // Makes the file where there is none. What is damaged counts as 0.
  static Result<CursorFile> Open(const std::string& path);
  // What stands in a file that is another's; 0 when there is none.
  static uint64_t Peek(const std::string& path);

  // All batches up to this id are delivered, or given up.
  [[nodiscard]] uint64_t id() const { return id_; }
  // Safe against the end of the process, not yet against that of the power.
  Status Write(uint64_t id);
  // Waits until it is on the disk; nothing to do when it is.
  Status Sync();

 private:
  void Load();

  UniqueFd fd_;
  uint64_t id_ = 0;
  uint64_t sequence_ = 0;
  unsigned slot_ = 0;  // That the next Write() goes to.
  bool dirty_ = false;
};

}  // namespace agent
