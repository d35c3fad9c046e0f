// How far one source has got: what was read, what is on its way, what is settled at each output.
//
// A position may be persisted only up to the first byte that is not settled everywhere. Bytes
// become unsettled in two ways: a batch on its way to an output pins the offset of the first entry
// that it has of this source, and a stage that keeps a line back (an unjoined fragment) holds its
// offset. The settled position at an output is the smallest pin or hold, or, when there is none,
// the end of what was processed.
//
// Also the ledger: for every output, read = settled + dropped + in flight, always.
//
// Thread-safe: a worker pins and advances, the loop settles and persists. Called once per block and
// per batch, never per line. Lives as long as anyone holds a shared_ptr to it: the tailer, batches
// on their way, stages that hold a line.

#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/job_ledger.h"
#include "base/mutex.h"

namespace agent {

// Every byte offset below `end` has been read and run through the pipeline.
struct ProcessedBlock {
  uint64_t end = 0;
  uint64_t read_bytes = 0;     // Of whole lines, newlines included.
  uint64_t dropped_bytes = 0;  // Of entries that the pipeline dropped on purpose or by a limit.
  uint64_t lines = 0;
};

// A point-in-time copy of the ledger at one output. read == settled + dropped + in_flight.
struct LedgerBalance {
  uint64_t read = 0;
  uint64_t settled = 0;
  uint64_t dropped = 0;
  uint64_t in_flight = 0;
};

// Which content it is, the same after a restart: for ids of documents, and for people.
struct SourceIdentity {
  std::string name;  // The path of a file; what a source that is none calls itself.
  uint64_t id = 0;   // Random, once; 0: of this process alone, what is read again has no name.
  uint32_t generation = 0;  // Grows with each truncation.
};

class SourceProgress {
 public:
  // `settled[i]`: where output i has got to; reading starts at the smallest of them. `on_settled`
  // is called, on whatever thread settles, after a settled position has moved; may be empty.
  SourceProgress(std::string job, std::vector<uint64_t> settled, std::function<void()> on_settled,
                 SourceIdentity identity = {});

  // --- The worker's side.

  // Counts everything into the job's ledger as well, from now on. Before anything else is called.
  void CountInto(std::shared_ptr<JobLedger> ledger);

  // Says that an entry at `offset` and what follows goes into a batch for `output`. The pin stays
  // until Settle().
  using PinId = uint32_t;
  PinId Pin(std::size_t output, uint64_t offset);

  // An entry that starts below this was settled at that output before a restart: skip it there, and
  // count its bytes with SkipSettled().
  [[nodiscard]] uint64_t start(std::size_t output) const { return start_[output]; }
  void SkipSettled(std::size_t output, uint64_t bytes) { SettleBytes(output, bytes, 0); }

  // Moves bytes at one output from in flight to settled or dropped, without a pin: entries that
  // were skipped, that an encoder dropped, or that were held.
  void SettleBytes(std::size_t output, uint64_t settled_bytes, uint64_t dropped_bytes);

  // After a block has been processed and its entries are in batches (pinned) or held.
  void Advance(const ProcessedBlock& block);

  // A stage keeps back the line at `offset`. Every Hold() is followed by one Release(): when the
  // entry that has the line in it is settled at every output, or was dropped. Never released
  // otherwise.
  using HoldId = std::pair<uint64_t, uint32_t>;  // The offset, and a number.
  HoldId Hold(uint64_t offset);
  void Release(const HoldId& hold);
  // The held line was dropped in the end: moves its bytes from in flight to dropped.
  void DropHeld(uint64_t bytes);

  // Since when (monotonic) there may be more of the source that nobody has read; kAllRead: there is
  // not. A stage that waits for more lines gives up only when it has waited longer than that.
  static constexpr int64_t kAllRead = std::numeric_limits<int64_t>::max();
  void SetUnreadSince(int64_t ns) { unread_since_ns_.store(ns, std::memory_order_relaxed); }
  [[nodiscard]] int64_t unread_since() const {
    return unread_since_ns_.load(std::memory_order_relaxed);
  }

  // --- The loop's side.

  // The batch is done with: `settled_bytes` of its entries were delivered, `dropped_bytes` refused
  // for good or lost to a limit. The pin is gone.
  void Settle(std::size_t output, PinId pin, uint64_t settled_bytes, uint64_t dropped_bytes);

  // --- Anyone.

  [[nodiscard]] uint64_t settled(std::size_t output) const;
  [[nodiscard]] uint64_t min_settled() const;
  [[nodiscard]] uint64_t processed_end() const;
  [[nodiscard]] LedgerBalance Balance(std::size_t output) const;
  [[nodiscard]] uint64_t lines() const;
  [[nodiscard]] uint64_t pipeline_dropped_bytes() const;
  [[nodiscard]] std::size_t outputs() const { return start_.size(); }
  [[nodiscard]] const std::string& job() const { return job_; }
  [[nodiscard]] const SourceIdentity& identity() const { return identity_; }
  // Nothing pinned, nothing held: all that was processed is settled everywhere.
  [[nodiscard]] bool idle() const;

 private:
  struct PerOutput {
    std::vector<std::pair<PinId, uint64_t>> pins;  // Few: batches in flight that have this source.
    uint64_t settled_bytes = 0;
    uint64_t dropped_bytes = 0;
  };

  uint64_t SettledLocked(std::size_t output) const REQUIRES(mutex_);
  void CountSettled(std::size_t output, uint64_t settled_bytes, uint64_t dropped_bytes)
      REQUIRES(mutex_);

  const std::string job_;
  const SourceIdentity identity_;
  const std::vector<uint64_t> start_;
  const std::function<void()> on_settled_;
  std::atomic<int64_t> unread_since_ns_{kAllRead};

  // The engine's; shared because a batch may settle after a reload has replaced it.
  std::shared_ptr<JobLedger> ledger_;
  mutable Mutex mutex_;
  std::vector<PerOutput> outputs_ GUARDED_BY(mutex_);
  std::set<HoldId> holds_ GUARDED_BY(mutex_);  // A rate limit holds thousands of lines.
  uint32_t next_id_ GUARDED_BY(mutex_) = 1;
  uint64_t processed_end_ GUARDED_BY(mutex_);
  uint64_t read_bytes_ GUARDED_BY(mutex_) = 0;
  uint64_t pipeline_dropped_ GUARDED_BY(mutex_) = 0;
  uint64_t lines_ GUARDED_BY(mutex_) = 0;
};

// A line that a stage keeps back, or several of one source, as the right to release it. Shared
// because the entry that it becomes part of may go to several outputs: the hold ends when the last
// shared_ptr goes away, if each of them has called Settle(), or the pipeline Drop(). A batch that
// is given up without an answer calls Abandon(); then, and when nobody has called anything (a stage
// that was destroyed with the line), the hold stays for ever: the bytes are read again after the
// restart. Thread-safe.
class HeldBytes {
 public:
  // Holds the line at `offset`, `bytes` long with its newline.
  HeldBytes(std::shared_ptr<SourceProgress> progress, uint64_t offset, uint64_t bytes)
      : progress_(std::move(progress)),
        hold_(progress_->Hold(offset)),
        last_offset_(offset),
        bytes_(bytes) {}
  HeldBytes(const HeldBytes&) = delete;
  HeldBytes& operator=(const HeldBytes&) = delete;
  ~HeldBytes() {
    if (done_.load() && !abandoned_.load()) progress_->Release(hold_);
  }

  // More lines, from the one at `offset` to the one at `last_offset`, are kept back along with
  // these, and settle with them. For the only owner. False when they are of another source or stand
  // before these: they need a hold of their own.
  bool Absorb(const SourceProgress* progress, uint64_t offset, uint64_t last_offset,
              uint64_t bytes) {
    if (progress != progress_.get() || offset < last_offset_) return false;
    last_offset_ = last_offset;
    bytes_ += bytes;
    return true;
  }

  // All of it was settled at that output before a restart.
  [[nodiscard]] bool SettledBefore(std::size_t output) const {
    return last_offset_ < progress_->start(output);
  }

  // The entry was delivered to that output, or refused by it for good: for the ledger.
  void Settle(std::size_t output, bool delivered) {
    done_.store(true);
    progress_->SettleBytes(output, delivered ? bytes_ : 0, delivered ? 0 : bytes_);
  }
  // The pipeline dropped the entry.
  void Drop() {
    done_.store(true);
    progress_->DropHeld(bytes_);
  }
  void Abandon() { abandoned_.store(true); }

  // Of the first line.
  [[nodiscard]] uint64_t offset() const { return hold_.first; }
  [[nodiscard]] uint64_t bytes() const { return bytes_; }
  // Of the source that the line is from.
  [[nodiscard]] const SourceProgress& progress() const { return *progress_; }

 private:
  const std::shared_ptr<SourceProgress> progress_;
  const SourceProgress::HoldId hold_;
  uint64_t last_offset_;  // Where the last of its lines begins.
  uint64_t bytes_;
  std::atomic<bool> done_{false};
  std::atomic<bool> abandoned_{false};
};

}  // namespace agent
