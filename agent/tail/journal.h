// The journal beside the positions: which files are followed, under which identity, and how far
// each output has got. A log of checksummed records, appended with plain writes as things settle
// (safe against kill -9 by itself, against a power loss after the next sync), rewritten as a whole
// when it has grown. The last whole one before that is kept as `<path>.bak`.
//
// Nothing that is wrong with the files prevents a start: a torn end is cut, a damaged record is
// left out, an empty or unreadable journal gives way to the previous one. An older record is always
// a safe one, because positions in it are lower; the identity that stands beside them guards
// against the rest.

#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "agent/tail/file_identity.h"
#include "base/result.h"
#include "base/unique_fd.h"

namespace agent {

// One generation of one source. A truncation begins a new one; both are known while the old one's
// copy is still being read.
struct SourceKey {
  uint64_t id = 0;  // Random.
  uint32_t generation = 0;

  // NOLINTNEXTLINE(modernize-use-nullptr): clang-tidy 14 takes the comparison's zero for a pointer.
  auto operator<=>(const SourceKey&) const = default;
};

struct SourceRecord {
  SourceKey key;
  FileIdentity identity;
  std::string path;   // The `filename` label: where the file was found first.
  std::string place;  // Where it was seen last; differs from `path` after a rotation.
  std::string job;
  uint64_t labels_hash = 0;  // Of the target's labels; tells two targets of one job apart.
  // Where each output has got to, by its id. Sorted.
  std::vector<std::pair<std::string, uint64_t>> settled;
  // When the file was changed last, as far as was known. What is newer at its path was not seen.
  int64_t modified_ns = 0;
  // Seconds since 1970 when the file was found gone; 0: it is there.
  int64_t gone_since_s = 0;

  bool operator==(const SourceRecord&) const = default;
  [[nodiscard]] uint64_t MinSettled() const;  // 0 when no output is known.
};

// What the agent last wrote to positions.yaml for a path, and what it wrote before that: a crash
// may have come between the journal's record and the file.
struct WrittenPosition {
  uint64_t latest = 0;
  uint64_t previous = 0;

  bool operator==(const WrittenPosition&) const = default;
};

// A position that is no offset in a file: a container's, or the systemd journal's.
struct CursorRecord {
  std::string settled;
  // What was last written to positions.yaml of it, as in WrittenPosition.
  std::string latest;
  std::string previous;

  bool operator==(const CursorRecord&) const = default;
};

struct JournalState {
  std::map<SourceKey, SourceRecord> sources;
  std::map<std::string, CursorRecord> cursors;
  std::unordered_map<std::string, WrittenPosition> written;

  bool operator==(const JournalState&) const = default;
};

// What loading met with, for a log line.
struct JournalReport {
  std::size_t records = 0;
  std::size_t damaged_records = 0;
  std::size_t torn_bytes = 0;  // At the end, from a write that was cut short.
  bool existed = false;
  bool used_previous = false;  // The journal was unusable, or damaged: `.bak` was read first.
};

// Applies the journal's records to `state`. Never fails.
void ReplayJournal(std::string_view bytes, JournalState& state, JournalReport& report);

// The whole state as a journal.
std::string FormatJournal(const JournalState& state);

// Loop thread (or any one thread).
class Journal {
 public:
  // Loads `path`, or its previous generation. Nothing is written before Rewrite() or Flush().
  static Journal Load(std::string path, JournalReport& report);
  // Knows nothing and writes nothing.
  Journal() = default;

  [[nodiscard]] const JournalState& state() const { return state_; }

  // Each changes the state at once, and the file with the next Flush().
  void Put(SourceRecord record);
  // Only the positions, in the order of the record's `settled`. The record exists (CHECK).
  void SetSettled(const SourceKey& key, const std::vector<uint64_t>& offsets);
  void Forget(const SourceKey& key);
  // `replaces_latest`: the latest one never got into positions.yaml, what was before it still
  // stands there.
  void SetWritten(const std::string& path, uint64_t offset, bool replaces_latest = false);
  void ForgetWritten(const std::string& path);
  // One that is absurdly long is not kept here.
  void SetCursor(const std::string& key, const std::string& value);
  // Of a cursor that is known; others are ignored.
  void SetCursorWritten(const std::string& key, const std::string& value,
                        bool replaces_latest = false);
  void ForgetCursor(const std::string& key);

  // Appends what has changed, with one write. On failure the file stays valid, and the next Flush()
  // rewrites it as a whole.
  Status Flush();
  [[nodiscard]] bool dirty() const { return !pending_.empty() || rewrite_; }

  // Replaces the file by the state, keeping what was there as `.bak`. With fsync: may take a while.
  Status Rewrite();

  // The same in parts, so that the slow one can run on another thread: Flush(), Begin, then
  // WriteRewrite() with what Begin gave, then Finish with its result.
  [[nodiscard]] bool WantsRewrite() const;
  std::string BeginRewrite();
  static Result<UniqueFd> WriteRewrite(const std::string& path, std::string_view content);
  Status FinishRewrite(Result<UniqueFd> written);

  // A descriptor of one's own to fdatasync on another thread; invalid when there is no file.
  [[nodiscard]] UniqueFd DuplicateFd() const;

  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] uint64_t file_bytes() const { return file_bytes_; }

 private:
  Status Append(std::string_view records);

  std::string path_;
  JournalState state_;
  UniqueFd fd_;
  uint64_t file_bytes_ = 0;
  uint64_t rewritten_bytes_ = 0;  // What it had after the last rewrite.
  std::string pending_;
  std::string since_begin_;  // Flushed to the old file while a rewrite is on its way.
  bool rewriting_ = false;
  bool rewrite_ = false;
};

}  // namespace agent
