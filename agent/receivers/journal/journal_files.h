// Which journal files there are, and which of them cannot be read: libsystemd passes over those
// without a word.

#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"

namespace agent {

struct BadJournalFile {
  std::string path;
  Error error;
};

struct JournalFiles {
  std::size_t count = 0;  // The bad ones included.
  std::vector<BadJournalFile> bad;
};

// The directories that are read for this `path` of the configuration.
std::vector<std::string> JournalRoots(const std::string& path);

// Opens every file in `roots` and in the folders in them. The thread has a BusGuard.
JournalFiles CheckJournalFiles(const std::vector<std::string>& roots);

// Device and inode of each; (0, 0) for one that is not there. When they change, libsystemd watches
// what is there no more.
std::vector<std::pair<uint64_t, uint64_t>> IdentifyRoots(const std::vector<std::string>& roots);

// What is wrong with the files and what to do, for a log line and the pages; empty when nothing is.
struct JournalTrouble {
  std::string what;
  std::string hint;
};
JournalTrouble DescribeBadFiles(const JournalFiles& files);

}  // namespace agent
