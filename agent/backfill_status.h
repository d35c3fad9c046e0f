// How far a backfill is: an agent that reads what there is, delivers it, and ends.

#pragma once

#include <cstdint>
#include <string>

namespace agent {

struct BackfillStatus {
  uint64_t files = 0;
  uint64_t files_done = 0;       // Read to their end and delivered.
  uint64_t size_bytes = 0;       // Of all files; of compressed ones what has been unpacked.
  uint64_t start_bytes = 0;      // Delivered by earlier runs.
  uint64_t delivered_bytes = 0;  // Of the files, with start_bytes.
  uint64_t lines = 0;            // Read by this run.
  uint64_t retried_entries = 0;
  uint64_t refused_entries = 0;  // By a receiver, for good.
  bool complete = false;         // Everything is read and delivered, or refused.
  std::string last_error = {};   // Of an output; empty while all is well.
  std::string unread = {};       // A file that could not be read to its end, and why.
};

}  // namespace agent
