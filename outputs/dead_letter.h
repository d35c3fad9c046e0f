// Entries that a receiver refused for good, kept on disk for a human: a folder of NDJSON files of a
// bounded size in all. The oldest file goes when a new entry needs its room.

#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/log.h"
#include "base/result.h"
#include "base/unique_fd.h"

namespace agent {

// Views are valid during the call that passes it.
struct DeadLetterEntry {
  std::string_view reason;  // What was answered, or why it was given up.
  std::string_view output;
  std::string_view tenant;
  std::string_view labels;  // `{a="1"}`.
  int64_t timestamp_ns = 0;
  std::string_view line;  // Raw bytes.
  std::vector<std::pair<std::string_view, std::string_view>> metadata;
  std::string_view job;
  std::string_view source;  // The file's path; empty where it is not known.
  uint64_t offset = 0;      // In the source.

  // Of outputs that send documents: these in place of labels, timestamp, line and metadata.
  std::string_view document;  // A JSON object; empty: it is none of these.
  std::string_view index;
  std::string_view id;
  int status = 0;  // That the receiver gave; 0: none.
};

// Loop thread. Makes the folder with the first entry, none when there is nothing to write.
class DeadLetter {
 public:
  struct Options {
    std::string path;                               // Empty: entries are only counted.
    uint64_t max_size_bytes = uint64_t{256} << 20;  // Of all files; 0: entries are only counted.
  };

  // `clock` and `logger` outlive it.
  DeadLetter(Options options, const Clock& clock, Logger& logger);

  // Writes the entries and waits until they are on the disk. When the disk is full or the folder is
  // not writable: false, logged and counted as lost; the caller goes on.
  bool Append(std::span<const DeadLetterEntry> entries);

  [[nodiscard]] uint64_t written_entries() const { return written_entries_; }
  [[nodiscard]] uint64_t lost_entries() const { return lost_entries_; }
  [[nodiscard]] uint64_t removed_files() const { return removed_files_; }
  // Of all files, as far as known since the first Append().
  [[nodiscard]] uint64_t size_bytes() const;

 private:
  struct File {
    uint64_t number = 0;
    uint64_t size = 0;
  };

  Status Scan();
  Status Open();
  void LeaveFile();
  Status Write(std::string_view text);
  Status WriteOnce(std::string_view text);
  [[nodiscard]] bool StillThere() const;
  Status MakeRoom(std::size_t more);
  [[nodiscard]] std::string PathOf(uint64_t number) const;

  const Options options_;
  const Clock& clock_;
  Logger& logger_;
  bool scanned_ = false;
  std::vector<File> files_;  // Oldest first; the last one is open.
  UniqueFd fd_;
  uint64_t written_entries_ = 0;
  uint64_t lost_entries_ = 0;
  uint64_t removed_files_ = 0;
};

}  // namespace agent
