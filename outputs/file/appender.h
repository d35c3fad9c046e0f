// Where batches end up: puts them behind one another, whole. The side of a file output that may
// block.

#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "outputs/batch.h"

namespace agent::file {

struct AppendJob {
  std::string path;
  std::vector<Bytes> bodies;
  bool sync = false;  // Then see that all of it, and all before it, is on the disk.
};

struct AppendResult {
  std::size_t appended = 0;  // Bodies, from the first on.
  std::size_t safe = 0;  // Of these, on the disk for sure; also all of earlier jobs, if `synced`.
  bool synced = false;
  // What was appended and not known to be on the disk may be gone: append it again.
  bool lost = false;
  bool closed = false;  // Nobody takes anything there any more.
  std::string error;    // Why not all was done; empty: it was.
};

// Used by one thread, but for Interrupt().
class Appender {
 public:
  virtual ~Appender() = default;

  virtual AppendResult Append(const AppendJob& job) = 0;
  // Now and then: lets go of what has not been used for a while.
  virtual void Tidy() {}
  // Ends a call that waits, and makes later ones fail. Any thread.
  virtual void Interrupt() {}
};

}  // namespace agent::file
