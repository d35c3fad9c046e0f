// Delivers to files, or to standard output: a lane for each path, in which batches wait for the
// thread that writes, and, written, for the disk.

#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/backoff.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/memory_budget.h"
#include "base/random.h"
#include "outputs/buffer/disk_thread.h"
#include "outputs/file/appender.h"
#include "outputs/file/file_options.h"
#include "outputs/output.h"
#include "outputs/output_counters.h"

namespace agent {

// Loop thread, but for MakeEncoder(). Not destroyed from within a callback of its own.
class FileOutput final : public Output {
 public:
  // What is passed by reference outlives it.
  struct Dependencies {
    Loop& loop;
    MemoryBudget& budget;
    Clock& clock;
    Logger& logger;
  };
  using MakeAppender = std::function<std::unique_ptr<file::Appender>(const FileOptions& options)>;

  // `make_appender` is called once, here; what it makes is used on a thread of the output's own.
  FileOutput(FileOptions options, std::string kind, const MakeAppender& make_appender,
             const Dependencies& dependencies, Random random, std::size_t output_index);
  FileOutput(const FileOutput&) = delete;
  FileOutput& operator=(const FileOutput&) = delete;
  ~FileOutput() override;

  [[nodiscard]] const std::string& name() const override { return options_.name; }
  [[nodiscard]] OutputInfo Info() const override { return {kind_, options_.path_text}; }
  [[nodiscard]] std::vector<std::string> WantedFields() const override;
  std::unique_ptr<Encoder> MakeEncoder(LabelSets& sets, BatchSink sink) override;
  void Enqueue(Batch batch) override;
  [[nodiscard]] bool idle() const override;
  void Drain(std::chrono::milliseconds deadline, std::function<void()> done) override;
  [[nodiscard]] std::vector<LaneStatus> Status() const override;
  [[nodiscard]] OutputTotals Totals() const override { return counters_->Totals(); }
  void CollectMetrics(MetricSink& sink) const override;

 private:
  struct Lane {
    Lane(Loop& loop, const FileOptions& options, Random random)
        : backoff(options.min_backoff, options.max_backoff, random), wait(loop) {}

    std::deque<Batch> queue;
    std::size_t written = 0;  // Of it, from the front on: not known to be on the disk.
    std::size_t written_bytes = 0;
    bool busy = false;      // A job is with the thread.
    bool given_up = false;  // And what it is about was abandoned.
    bool sync_due = false;  // The next job asks for it.
    bool closed = false;    // Nobody reads any more.
    Backoff backoff;
    Timer wait;
    bool waiting = false;
    int64_t wake_ns = 0;
    uint32_t attempts = 0;  // That failed, one after the other.
    std::string last_error;
  };
  using Lanes = std::map<std::string, std::unique_ptr<Lane>>;

  Lane& LaneOf(const std::string& path);
  void ForgetIdleLanes();
  void Pump(const std::string& path, Lane& lane);
  void OnResult(const std::string& path, const file::AppendResult& result);
  static void TakeSafe(Lane& lane, std::size_t count, std::vector<Batch>& done);
  void Settle(std::vector<Batch> done);
  void Wait(const std::string& path, Lane& lane);
  void Report(const std::string& path, const Lane& lane, std::chrono::milliseconds delay);
  void SyncAll();
  void AbandonLane(Lane& lane);
  void AbandonAll();
  void EndDrain();

  const FileOptions options_;
  const std::string kind_;
  const std::size_t output_index_;
  const Dependencies dependencies_;
  Random random_;
  const std::shared_ptr<OutputCounters> counters_;  // Shared with the encoders on the workers.
  Lanes lanes_;                                     // By path.
  std::size_t unsettled_ = 0;                       // Batches in all lanes.
  Timer sync_timer_;
  Timer tidy_timer_;
  Timer drain_timer_;
  int64_t drain_deadline_ns_ = 0;  // 0: not draining.
  std::function<void()> drained_;
  std::shared_ptr<FileOutput*> alive_;        // Results hold a weak reference.
  std::unique_ptr<file::Appender> appender_;  // The thread's.
  DiskThread disk_;                           // Ends before the appender.
};

}  // namespace agent
