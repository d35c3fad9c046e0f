// The disk side of one lane's buffer: appends what it is given, makes it durable in groups, reads
// ahead, and tries again when the disk is full. What happened is told on the loop.

#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/mutex.h"
#include "outputs/buffer/buffer_store.h"

namespace agent {

enum class WhenFull : uint8_t { kBlock, kDropOldest, kDropNewest };
enum class SyncPolicy : uint8_t { kInterval, kAlways, kNever };

// What the disk side tells. Loop thread.
class DiskLaneClient {
 public:
  virtual ~DiskLaneClient() = default;
  // Batches up to `tail` are there; those up to `read` need not be read.
  virtual void OnOpened(uint64_t read, uint64_t tail) = 0;
  // Everything up to this id has been appended, or dropped, and can be read.
  virtual void OnAppended(uint64_t through) = 0;
  // It is on the disk, for good.
  virtual void OnDurable(uint64_t through) = 0;
  // There was no room for it, and it is not waited for.
  virtual void OnDropped(uint64_t id) = 0;
  // `through`: everything up to this id has been read, or passed over.
  virtual void OnRead(std::vector<StoredBatch> batches, uint64_t through) = 0;
  virtual void OnFlushed() = 0;
};

// Read by the loop, written by the disk thread.
class DiskLaneStatus {
 public:
  struct Values {
    StoreStats stats;
    bool full = false;
    std::string problem;  // Of the last write; empty while all is well.
  };
  [[nodiscard]] Values Get() const {
    const MutexLock lock(mutex_);
    return values_;
  }
  void Set(Values values) {
    const MutexLock lock(mutex_);
    values_ = std::move(values);
  }

 private:
  mutable Mutex mutex_;
  Values values_ GUARDED_BY(mutex_);
};

// What all lanes of an output count.
struct BufferCounters {
  std::atomic<uint64_t> spooled_entries{0};
  std::atomic<uint64_t> drained_entries{0};
  std::atomic<uint64_t> refused_entries{0};
  std::atomic<uint64_t> dropped_oldest{0};    // Entries.
  std::atomic<uint64_t> dropped_newest{0};    // Entries.
  std::atomic<uint64_t> dropped_optional{0};  // Entries, by an output that is not required.
  std::atomic<uint64_t> corrupt_batches{0};
  std::atomic<uint64_t> corrupt_bytes{0};
  std::atomic<uint64_t> write_failures{0};
};

// Disk thread, all of it, once made.
class DiskLane {
 public:
  struct Context {
    Loop& disk_loop;
    BufferQuota& quota;
    BufferCounters& counters;
    const Clock& clock;
    Logger& logger;
    WhenFull when_full = WhenFull::kBlock;
    SyncPolicy sync = SyncPolicy::kInterval;
    // Runs on the loop, if the client is still there.
    std::function<void(std::function<void(DiskLaneClient&)>)> tell;
  };

  DiskLane(Context context, StoreOptions options, std::shared_ptr<DiskLaneStatus> status);
  DiskLane(const DiskLane&) = delete;
  DiskLane& operator=(const DiskLane&) = delete;
  ~DiskLane();

  // Tells what an earlier run has left; makes nothing where there is nothing.
  void Open();
  void Append(std::shared_ptr<const StoredBatch> batch, bool already_sent);
  // About so many bytes of bodies; one batch at least, if there is one.
  void Read(std::size_t bytes);
  void Settle(uint64_t id);
  // Everything is on the disk, or will not get there, when it tells OnFlushed().
  void Flush();

 private:
  struct Pending {
    std::shared_ptr<const StoredBatch> batch;
    bool already_sent = false;
  };

  bool OpenStore();
  void Work();
  // The first that waits goes to the store or is dropped, or the lane is full.
  void AppendFirst();
  Status AppendOne(const Pending& pending);
  void Fail(const Error& error);
  void SyncNow();
  void SyncSoon();
  void Publish();

  const Context context_;
  const StoreOptions options_;
  const std::shared_ptr<DiskLaneStatus> status_;  // The loop reads it.
  std::unique_ptr<BufferStore> store_;
  std::deque<Pending> pending_;
  std::deque<Pending> unsynced_;  // Appended; kept in case that fsync fails.
  std::size_t unsynced_bytes_ = 0;
  uint64_t appended_through_ = 0;
  uint64_t last_given_ = 0;
  StoreCounters told_;  // What was counted of the store already.
  bool full_ = false;
  std::string problem_;
  Timer sync_timer_;
  Timer retry_timer_;
  Timer cursor_timer_;
};

}  // namespace agent
