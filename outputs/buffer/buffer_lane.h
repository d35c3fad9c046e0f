// One lane of a buffered output (a tenant): passes batches straight on while the receiver keeps up,
// and through the disk while it does not. Order is kept: what comes while something is on the disk
// goes behind it.
//
// The output underneath gets a copy that shares the body; the batch itself, with its pins, stays
// here until the receiver has it or the disk does. So what is in the output's queue when it falls
// behind can be written to the disk too, in order, and no position waits for it.

#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/memory_budget.h"
#include "outputs/buffer/disk_lane.h"
#include "outputs/buffer/disk_thread.h"
#include "outputs/output.h"

namespace agent {

// Loop thread.
class BufferLane final : public DiskLaneClient {
 public:
  // What is passed by reference outlives the lane.
  struct Context {
    Loop& loop;
    MemoryBudget& budget;
    const Clock& clock;
    Logger& logger;
    Output& inner;
    BatchKeeper& keeper;
    BufferCounters& counters;
    std::size_t output_index = 0;
    bool required = true;
    DiskThread* disk = nullptr;  // Null: there is no buffer.
    // Makes the disk side; runs on the disk thread, where it stays.
    std::function<std::unique_ptr<DiskLane>(
        std::function<void(std::function<void(DiskLaneClient&)>)> tell,
        std::shared_ptr<DiskLaneStatus>)>
        make_disk_lane;
    std::function<std::size_t()> window_bytes;  // What the output underneath may have of this lane.
    std::function<void()> flushed;              // After FinishDrain(): all that can be is safe.
  };

  // With a buffer, nothing moves before it is known what is on the disk.
  BufferLane(Context context, std::string tenant);
  BufferLane(const BufferLane&) = delete;
  BufferLane& operator=(const BufferLane&) = delete;
  ~BufferLane() override;  // Abandons what is left.

  void Enqueue(Batch batch);
  // What became of a copy.
  void OnSettled(const Batch& copy, const std::vector<bool>& refused);
  void OnAbandoned(const Batch& copy);
  // Now and then. `trouble`: the output underneath is not getting anything through.
  void Tick(bool trouble);

  // Nothing more is taken from the disk, or put there, until the output underneath has ended.
  void BeginDrain();
  // It has: the rest goes to the disk.
  void FinishDrain();

  // Nothing in memory, on the way, or on the disk.
  [[nodiscard]] bool idle() const;
  // Adds what is here to what the output underneath says.
  void AddStatus(LaneStatus& status) const;
  [[nodiscard]] DiskLaneStatus::Values disk_status() const { return disk_status_->Get(); }
  [[nodiscard]] const std::string& tenant() const { return tenant_; }

  // From the disk side.
  void OnOpened(uint64_t read, uint64_t tail) override;
  void OnAppended(uint64_t through) override;
  void OnDurable(uint64_t through) override;
  void OnDropped(uint64_t id) override;
  void OnRead(std::vector<StoredBatch> batches, uint64_t through) override;
  void OnFlushed() override;

 private:
  enum class Spool : uint8_t { kNone, kPending };
  struct Held {
    Batch batch;
    Spool spool = Spool::kNone;
  };

  void Post(std::function<void(DiskLane&)> work);
  [[nodiscard]] bool HasRoom() const;
  [[nodiscard]] bool waiting() const { return next_to_hand_ < next_number_; }
  void Hand(uint64_t number);
  void HandStored(StoredBatch stored);
  void DropNewest(Batch batch);
  [[nodiscard]] bool MayBeSpooled(uint64_t number, const Held& held) const;
  void StartSpilling();
  void SpoolOne(uint64_t number, Held& held, bool already_sent);
  void RequestRead();
  void GoStraightAgain();
  void PumpSoon();
  void Pump();

  const Context context_;
  const std::string tenant_;
  const std::shared_ptr<DiskLaneStatus> disk_status_;     // The disk side writes it.
  std::shared_ptr<std::unique_ptr<DiskLane>> disk_lane_;  // Only touched on the disk thread.
  std::shared_ptr<BufferLane*> alive_;                    // Callbacks hold a weak reference.

  bool opened_ = false;
  std::vector<Batch> early_;       // Until it is.
  std::map<uint64_t, Held> held_;  // By number; neither delivered nor safe on the disk.
  std::size_t held_bytes_ = 0;
  std::map<uint64_t, std::size_t> handed_;  // Bytes of bodies, by number: copies on their way.
  std::size_t inner_bytes_ = 0;             // Of those.
  uint64_t next_number_ = 1;                // Also their ids on the disk.
  uint64_t next_to_hand_ = 1;               // From here on, they wait here.
  int64_t waiting_since_ns_ = 0;

  bool behind_ = false;  // What comes goes to the disk.
  bool trouble_ = false;
  bool reading_ = false;
  bool draining_ = false;
  bool pump_posted_ = false;
  uint64_t last_spooled_ = 0;
  uint64_t appended_through_ = 0;
  uint64_t read_through_ = 0;
};

}  // namespace agent
