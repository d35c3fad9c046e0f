// The disk buffer of one lane: a folder with segments of blocks and a cursor. Batches are appended
// at one end, read at the other, and forgotten when they are settled; damage costs the blocks that
// it is in.

#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/log.h"
#include "base/result.h"
#include "base/unique_fd.h"
#include "outputs/buffer/block_format.h"
#include "outputs/buffer/cursor_file.h"
#include "outputs/buffer/segment_file.h"

namespace agent {

// What the buffers of one output may take together.
struct BufferQuota {
  std::string folder;  // On the file system in question.
  uint64_t max_bytes = uint64_t{1} << 30;
  std::optional<uint64_t> min_free_bytes;  // Unset: 5 % of the file system, but 1 GiB at least.
  uint64_t used_bytes = 0;

  [[nodiscard]] bool HasRoom(uint64_t bytes) const;
};

struct StoreOptions {
  std::string folder;
  std::string output;  // Its name, for the log.
  std::string kind;
  std::size_t segment_bytes = std::size_t{16} << 20;
  bool remove_when_empty = false;  // The folder goes with the store when nothing is in it.
};

struct StoreStats {
  uint64_t bytes = 0;    // Of the files.
  uint64_t batches = 0;  // That are not settled.
  uint64_t entries = 0;
  int64_t oldest_wall_ns = 0;  // 0: none.
};

struct StoreCounters {
  uint64_t corrupt_batches = 0;
  uint64_t corrupt_bytes = 0;  // A torn end included.
};

// Any one thread.
class BufferStore {
 public:
  // Makes the folder, or finds what an earlier run has left in it: what is damaged is cut off or
  // left out, and logged. Fails when the folder cannot be made or written. What is passed by
  // reference outlives the store.
  static Result<std::unique_ptr<BufferStore>> Open(StoreOptions options, BufferQuota& quota,
                                                   const Clock& clock, Logger& logger);
  BufferStore(const BufferStore&) = delete;
  BufferStore& operator=(const BufferStore&) = delete;
  // Saves the cursor.
  ~BufferStore();

  // Ids grow, and are never used again; the first free one after Open().
  [[nodiscard]] uint64_t next_id() const { return next_id_; }
  // Of the last batch that ReadNext() has gone past.
  [[nodiscard]] uint64_t read_id() const { return read_id_; }

  // `already_sent`: it is with the receiver and need not be read; everything before it has been.
  // kNoSpace: the bounds are reached, or the disk's.
  Status Append(const StoredBatch& batch, bool already_sent);
  // Waits until all that was appended is on the disk. After an error nothing is known of it:
  // DiscardUnsynced(), and append it again.
  Status Sync();
  void DiscardUnsynced();

  // The next batch that was not read; nothing at the end. Goes past damage.
  std::optional<StoredBatch> ReadNext();
  // Done with one that was read, or had been sent already.
  void Settle(uint64_t id);
  Status SyncCursor() { return cursor_.Sync(); }

  struct Dropped {
    uint64_t batches = 0;
    uint64_t entries = 0;
    uint64_t bytes = 0;
  };
  // Gives up the oldest segment. Nothing: there is none.
  std::optional<Dropped> DropOldest();

  [[nodiscard]] StoreStats Stats();
  [[nodiscard]] const StoreCounters& counters() const { return counters_; }

 private:
  // What of a segment is on the disk, or will be.
  struct Extent {
    uint64_t size = 0;
    uint64_t batches = 0;
    uint64_t entries = 0;
    uint32_t blocks = 0;  // Those that were settled before a restart, too.
    uint64_t last_id = 0;
  };
  struct Segment {
    std::string path;
    Extent now;
    Extent synced;
    uint64_t read_batches = 0;
    uint64_t read_entries = 0;
    bool damaged = false;  // In part; what is whole in it counts.
  };
  struct Sent {
    uint64_t entries = 0;
    int64_t created_wall_ns = 0;
  };

  BufferStore(StoreOptions options, BufferQuota& quota, const Clock& clock, Logger& logger);

  Status Recover();
  void AddSegment(const std::string& path, bool is_last);
  Status Roll(uint64_t first_id);
  Status WriteBlock(std::string_view block);
  void SkipToEnd(const StoredBatch& batch);
  void SkipDamage(uint64_t offset, const std::optional<BlockHeader>& header);
  void KeepDamaged(const std::string& path, uint64_t offset, uint64_t size);
  void RemoveSegment(std::size_t index);
  bool OpenReader();
  void NextSegment();
  void AdvanceCursor();

  const StoreOptions options_;
  BufferQuota& quota_;
  const Clock& clock_;
  Logger& logger_;
  CursorFile cursor_;
  BlockCodec codec_;
  std::deque<Segment> segments_;  // Oldest first.
  UniqueFd writer_;               // Of the last segment; not valid: the next block starts one.
  std::vector<UniqueFd> unsynced_;
  bool folder_changed_ = false;
  uint64_t next_id_ = 1;

  std::optional<SegmentFile> reader_;
  std::size_t reader_index_ = 0;  // Into segments_.
  uint64_t reader_offset_ = kSegmentHeaderBytes;
  uint32_t reader_number_ = 0;  // Of the block expected there.
  uint64_t read_id_ = 0;
  std::map<uint64_t, Sent> sent_;  // Read, not settled.
  uint64_t sent_entries_ = 0;
  StoreCounters counters_;
};

}  // namespace agent
