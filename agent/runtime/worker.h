// A worker: one thread that reads its sources, runs their pipelines, encodes and compresses. It
// shares nothing per line with anybody; a finished batch is handed over as a whole.

#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <unordered_map>
#include <vector>

#include "agent/runtime/label_guard.h"
#include "agent/tail/block_buffer.h"
#include "agent/tail/source.h"
#include "base/clock.h"
#include "base/counter.h"
#include "base/label_sets.h"
#include "base/log.h"
#include "base/memory_budget.h"
#include "base/rate_limiter.h"
#include "outputs/encoder.h"
#include "pipeline/pipeline.h"

namespace agent {

// One job, as one worker runs it.
struct WorkerJob {
  std::string name;
  std::unique_ptr<Pipeline> pipeline;
  std::vector<std::size_t> outputs;   // Indices of the encoders that get its entries.
  std::shared_ptr<JobLedger> ledger;  // The job's, over all workers; outlives them in batches.
  std::unique_ptr<LabelGuard> label_guard = nullptr;  // Null: labels may have any number of values.
};

// What a worker counts; read by any thread.
struct WorkerCounters {
  Counter lines;
  Counter bytes;
  Counter rate_limited_lines;
  Counter label_sweeps;
};

class Worker {
 public:
  // All references outlive the worker. `limiter` may be null; `limiter_drops`: over the limit, drop
  // rather than wait.
  struct Dependencies {
    Clock& clock;
    Logger& logger;
    MemoryBudget& budget;
    RateLimiter* limiter = nullptr;
    bool limiter_drops = true;
    // A source has ended or was stopped and all it had is with the encoders. Worker's thread.
    std::function<void(const std::shared_ptr<Source>&)> on_ended;
  };

  explicit Worker(Dependencies dependencies);
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;
  ~Worker();

  // --- Before Start().

  [[nodiscard]] LabelSets& label_sets() { return label_sets_; }
  void AddJob(WorkerJob job);
  void AddEncoder(std::unique_ptr<Encoder> encoder);

  void Start();

  // --- From the loop, any time after Start().

  void AddSource(std::shared_ptr<Source> source);
  void WakeSource(const Source* source);
  void RemoveSource(const Source* source);
  // Ends the thread: no more is read, what stages keep back is abandoned (or comes out, where it
  // cannot be read again), open batches go to their outputs. `done` is called on the worker's
  // thread as its last act.
  void Finish(std::function<void()> done);
  // The memory budget has room again.
  void Notify();

  // --- Any thread.

  [[nodiscard]] const WorkerCounters& counters() const { return counters_; }
  [[nodiscard]] const std::vector<WorkerJob>& jobs() const { return jobs_; }
  [[nodiscard]] std::size_t label_set_count() const { return label_set_count_.load(); }
  // Since when it has been at one piece of work, or has left what it was given lie; 0: it waits for
  // work, for memory or for its rate. Monotonic. What a watchdog looks at: a piece takes
  // milliseconds.
  [[nodiscard]] int64_t busy_since_ns() const;

 private:
  // A source as this worker reads it. `queued` is shared with the loop; the rest is the worker's.
  struct Reading {
    std::shared_ptr<Source> source;
    WorkerJob* job = nullptr;
    LabelSetId labels = kEmptyLabelSet;
    std::optional<StreamLabelSets> streams;  // Of Source::streams().
    // None without a label guard.
    std::vector<std::unique_ptr<JobLabelValues::Targets>> counted_labels;
    int64_t last_timestamp_ns = 0;
    std::atomic<bool> queued{false};
    bool gone = false;
  };

  // The labels that its entries start with, counted and pinned as long as it is read.
  void HoldLabels(Reading& reading);
  void LetGoOfLabels(Reading& reading);
  void Run();
  // Waits until there is something to do, or a deadline; takes over what the loop has posted.
  void WaitForWork();
  // With mutex_ held: the worker has something to do, and is woken if it waits.
  void WakeUp();
  [[nodiscard]] int64_t NextDeadline() const;
  void RunCommands();

  void Queue(const std::shared_ptr<Reading>& reading);
  // From the one that has waited for longest.
  void ReadNext();
  void TakeTurn(const std::shared_ptr<Reading>& reading);
  // One of those that wait for a predecessor may be able to read now.
  void QueueSuccessors();
  // Stages of the job keep entries for their time: nothing is read for it until these are out.
  void HoldBack(const std::shared_ptr<Reading>& reading);
  void GoOnWith(const WorkerJob& job);
  void EndSource(const std::shared_ptr<Reading>& reading);
  void EndInput(const std::shared_ptr<Reading>& reading);  // That cannot be read again.
  void ReportEnd(Reading& reading);
  void EmitFragments(Reading& reading);
  void ProcessChunk(Reading& reading, const Chunk& chunk);
  // Adds the chunk's lines to the block; returns how many, and the bytes of those that were
  // skipped.
  struct SplitResult {
    uint64_t lines = 0;
    uint64_t skipped_bytes = 0;
  };
  SplitResult SplitLines(Reading& reading, const Chunk& chunk, Block& block) const;
  // The same for text that is not UTF-8: offsets and lengths are those of the file's bytes.
  SplitResult SplitEncoded(Reading& reading, const Chunk& chunk, TextEncoding& encoding,
                           Block& block) const;
  // The same for lines that bring their own labels, times and metadata.
  SplitResult AddLines(Reading& reading, const Chunk& chunk, Block& block);
  // Gives the block's entries to every encoder. Returns the source bytes of entries over the rate
  // limit.
  uint64_t Encode(const WorkerJob& job, Block& block,
                  const std::shared_ptr<SourceProgress>& progress);
  uint64_t ApplyRateLimit(Block& block, std::size_t& entries);

  void FlushDue();
  void FlushEncoders(int64_t now_ns);
  void AccountMemory();
  void SweepLabelSets();
  // What has been taken from somebody who does not send it again, and waits to be read.
  void ReadRest(const std::shared_ptr<Reading>& reading);
  void FinishNow();

  Dependencies dependencies_;
  LabelSets label_sets_;
  std::vector<WorkerJob> jobs_;
  std::vector<std::unique_ptr<Encoder>> encoders_;
  BlockBuffer buffer_;
  MemoryBudget::Reservation open_memory_;
  std::unordered_map<const Source*, std::shared_ptr<Reading>> readings_;
  std::deque<std::shared_ptr<Reading>> ready_;
  std::vector<std::shared_ptr<Reading>> behind_predecessor_;
  // Of jobs whose pipeline is full: to be read from again, and ended ones (`gone`) of which stages
  // still have entries that cannot be read again.
  std::vector<std::shared_ptr<Reading>> held_back_;
  // By lineage: ended sources whose open fragments a successor may still complete.
  std::unordered_map<uint64_t, std::vector<std::shared_ptr<SourceProgress>>> ended_;
  std::function<void()> finish_;
  WorkerCounters counters_;
  std::atomic<std::size_t> label_set_count_{0};
  // When it began what it does; 0: it waits for work. See busy_since_ns().
  static constexpr int64_t kAtRest = -1;  // It waits for its rate, or has ended.
  std::atomic<int64_t> turn_began_ns_{0};
  std::atomic<int64_t> woken_ns_{
      0};  // When it was given what it has not looked at yet; 0: nothing.

  // Handed over by the loop.
  std::mutex mutex_;
  std::condition_variable work_;
  std::vector<std::function<void()>> commands_;  // Guarded by mutex_.
  bool notified_ = false;                        // Guarded by mutex_.
  bool finishing_ = false;                       // Guarded by mutex_.
  std::thread thread_;
};

}  // namespace agent
