// The files that are followed, found by number, by identity, by place, by source.

#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "agent/tail/backlog.h"
#include "agent/tail/file_identity.h"
#include "agent/tail/journal.h"
#include "agent/tail/stream_decoder.h"
#include "agent/tail/tail_source.h"
#include "base/labels.h"
#include "base/source_progress.h"
#include "discovery/target.h"

namespace agent {

enum class FileState : uint8_t {
  kReading,    // At the path where it was found.
  kRotated,    // At another place now; read on under its old name.
  kDeleted,    // At no place; read on while it grows.
  kUndecided,  // May be a copy of another one; not read.
  kFinished,   // Read to its end for good; known so that it is not read again.
  kLeaving,    // Its target is gone.
};

std::string_view FileStateName(FileState state);

constexpr uint64_t kNeverTried = ~uint64_t{0};

// One file in one group of targets.
struct FollowedFile {
  uint64_t number = 0;  // Within this process.
  SourceKey key;
  uint32_t group = 0;
  std::string job;
  Labels labels;                            // With `filename`, where it gets one.
  std::optional<ContainerStreams> streams;  // As in Target.
  uint64_t labels_hash = 0;
  std::string path;    // Where it was found first: the `filename`.
  std::string place;   // Where it is; empty: nowhere.
  std::string target;  // What `place` leads to, when it is a symbolic link.
  FileIdentity identity;
  uint64_t lineage = 0;
  FileState state = FileState::kReading;
  bool compressed = false;  // The rest of a file that was read uncompressed.
  // Of a job with `decompression`: offsets are those of the decoded text, and the file is read to
  // its end once, and again from there when it has grown.
  Compression compression = Compression::kNone;
  std::string error;        // What ended it too early; empty when all is well.
  bool incomplete = false;  // It ended in the middle: tried again when it has changed.
  int64_t start_ns = 0;     // Not begun before; once begun, when that was. Monotonic.
  uint64_t tried_size = 0;  // Of the compressed file, when it was last begun; kNeverTried.
  int64_t tried_ns = 0;
  bool in_glob = false;                // The latest scan found it.
  uint64_t copy_of = 0;                // kUndecided: the number of the one it may be a copy of.
  std::shared_ptr<TailSource> source;  // Null: not read (now).
  std::shared_ptr<SourceProgress> progress;
  // What the progress's callbacks mark: the number of the file that has it. Shared with them,
  // because a progress goes over to the copy when its file is truncated.
  std::shared_ptr<std::atomic<uint64_t>> owner;
  uint64_t predecessor = 0;      // The number of the file that is read before this one; 0: none.
  uint64_t content_changes = 0;  // Those of the source that were dealt with.

  // As seen by scans and polls.
  uint64_t size_bytes = 0;
  int64_t modified_ns = 0;
  uint64_t seen_in_scan = 0;
  int64_t at_path_ns = 0;      // When it was at `path` for sure, by the wall clock; 0: unknown.
  uint64_t event_in_scan = 0;  // The latest inotify event came in this scan's time.
  int silent_scans = 0;

  uint64_t cursor_noted_at = 0;  // A container's: the offset whose second stands in its cursor.

  Backlog backlog;  // Since when there is something that is not settled.

  // For deciding when it is finished. Monotonic.
  int64_t grown_ns = 0;
  uint64_t grown_offset = 0;
  bool finishing = false;
  bool parked = false;   // After a reload: not read before a target wants it again.
  int64_t retry_ns = 0;  // After an error: not before.
};

// How the journal knows a job: an offset in decoded text means nothing without `decompression`.
inline constexpr char kDecodedMark = '\x1f';
std::string RecordJob(const std::string& job, Compression compression);

// Loop thread.
class FileTable {
 public:
  FollowedFile& Add(FollowedFile file);
  void Remove(uint64_t number);

  [[nodiscard]] FollowedFile* Find(uint64_t number);
  [[nodiscard]] FollowedFile* FindByIdentity(uint32_t group, const FileKey& key);
  [[nodiscard]] std::vector<FollowedFile*> FindByIdentity(const FileKey& key) const;
  // At that place, also by the name that a symbolic link leads to. Of all groups.
  [[nodiscard]] std::vector<FollowedFile*> FindByPlace(const std::string& place) const;
  // Those that were found first at `path`.
  [[nodiscard]] std::vector<FollowedFile*> FindByPath(uint32_t group,
                                                      const std::string& path) const;
  // The latest of them.
  [[nodiscard]] FollowedFile* FindLatest(uint32_t group, const std::string& path) const;
  [[nodiscard]] std::vector<FollowedFile*> FindByLineage(uint64_t lineage) const;
  [[nodiscard]] FollowedFile* FindBySource(const Source* source);
  [[nodiscard]] bool Has(const SourceKey& key) const { return by_source_key_.contains(key); }

  // Change what the table is indexed by.
  void SetPlace(FollowedFile& file, const std::string& place, const std::string& target);
  void SetIdentity(FollowedFile& file, const FileKey& key);
  void SetSource(FollowedFile& file, std::shared_ptr<TailSource> source);
  void SetKey(FollowedFile& file, const SourceKey& key);

  [[nodiscard]] const std::unordered_map<uint64_t, std::unique_ptr<FollowedFile>>& all() const {
    return files_;
  }
  // Copies, so that files may come and go meanwhile.
  [[nodiscard]] std::vector<uint64_t> Numbers() const;
  // That some file has.
  [[nodiscard]] std::unordered_set<uint32_t> Groups() const;
  [[nodiscard]] std::unordered_set<FileKey, FileKeyHash> Keys() const;

 private:
  struct SourceKeyHash {
    std::size_t operator()(const SourceKey& key) const {
      return static_cast<std::size_t>(key.id ^ key.generation);
    }
  };
  void Index(FollowedFile& file);
  void Unindex(FollowedFile& file);

  uint64_t next_number_ = 1;
  std::unordered_map<uint64_t, std::unique_ptr<FollowedFile>> files_;
  std::unordered_multimap<FileKey, FollowedFile*, FileKeyHash> by_identity_;
  std::unordered_multimap<std::string, FollowedFile*> by_place_;
  std::unordered_multimap<std::string, FollowedFile*> by_path_;
  std::unordered_multimap<uint64_t, FollowedFile*> by_lineage_;
  std::unordered_map<const Source*, FollowedFile*> by_source_;
  std::unordered_map<SourceKey, uint64_t, SourceKeyHash> by_source_key_;
};

}  // namespace agent
