// An output with a disk buffer in front of it: what its receiver does not take is written to the
// disk, and counts as settled then. One that is not required, and has no room left, drops the
// newest instead.

#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/memory_budget.h"
#include "base/unique_fd.h"
#include "outputs/buffer/buffer_lane.h"
#include "outputs/buffer/disk_lane.h"
#include "outputs/buffer/disk_thread.h"
#include "outputs/output.h"

namespace agent {

struct BufferedOptions {
  std::string folder;  // Empty: no disk buffer.
  std::string kind;    // Of the output: who can read what is stored.
  std::size_t output_index = 0;
  uint64_t max_bytes = uint64_t{1} << 30;
  std::optional<uint64_t> min_free_bytes;
  WhenFull when_full = WhenFull::kBlock;
  SyncPolicy sync = SyncPolicy::kInterval;
  bool required = true;
  // What the output underneath may have in its queues; the rest waits, here or on the disk.
  std::size_t window_bytes = std::size_t{3} << 20;
};

// Loop thread, but for MakeEncoder().
class BufferedOutput final : public Output, private BatchKeeper {
 public:
  // All of it outlives the output.
  struct Dependencies {
    Loop& loop;
    MemoryBudget& budget;
    const Clock& clock;
    Logger& logger;
  };

  BufferedOutput(std::unique_ptr<Output> inner, BufferedOptions options,
                 const Dependencies& dependencies);
  BufferedOutput(const BufferedOutput&) = delete;
  BufferedOutput& operator=(const BufferedOutput&) = delete;
  ~BufferedOutput() override;

  [[nodiscard]] const std::string& name() const override { return inner_->name(); }
  [[nodiscard]] OutputInfo Info() const override { return inner_->Info(); }
  [[nodiscard]] std::vector<std::string> WantedFields() const override {
    return inner_->WantedFields();
  }
  std::unique_ptr<Encoder> MakeEncoder(LabelSets& sets, BatchSink sink) override {
    return inner_->MakeEncoder(sets, std::move(sink));
  }
  void Enqueue(Batch batch) override;
  [[nodiscard]] bool idle() const override;
  // What the receiver has not taken by then goes to the disk.
  void Drain(std::chrono::milliseconds deadline, std::function<void()> done) override;
  [[nodiscard]] std::vector<LaneStatus> Status() const override;
  [[nodiscard]] OutputTotals Totals() const override { return inner_->Totals(); }
  void CollectMetrics(MetricSink& sink) const override;

 private:
  // What of the folder is the disk thread's.
  struct DiskRoot;

  void OnSettled(const Batch& batch, const std::vector<bool>& refused) override;
  void OnAbandoned(const Batch& batch) override;

  void OpenFolder();
  void FolderOpened(const std::vector<std::string>& tenants);
  void FolderFailed(const Error& error);
  BufferLane& LaneOf(const std::string& tenant);
  BufferLane& MakeLane(const std::string& tenant);
  void RemoveIdleLanes();
  void Tick();
  void FinishDrain();
  void OneFlushed();

  const BufferedOptions options_;
  const Dependencies dependencies_;
  std::unique_ptr<Output> inner_;
  BufferCounters counters_;
  std::unique_ptr<DiskThread> disk_;     // Null: no disk buffer, or its folder cannot be used.
  std::shared_ptr<DiskRoot> disk_root_;  // Only touched on the disk thread.
  bool opening_ = false;                 // It is not known yet what is on the disk.
  std::vector<Batch> early_;             // Until it is.
  std::map<std::string, std::unique_ptr<BufferLane>> lanes_;  // By tenant.
  Timer tick_timer_;
  Timer flush_timer_;
  std::function<void()> drained_;
  std::size_t flushing_ = 0;
  std::shared_ptr<BufferedOutput*> alive_;  // Callbacks hold a weak reference.
};

}  // namespace agent
