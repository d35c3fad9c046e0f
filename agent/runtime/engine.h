// The part of the agent that moves lines: workers with their pipelines and encoders, and the
// outputs that they feed. Built whole from a configuration; a reload builds another one.

#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "agent/config/config.h"
#include "agent/runtime/label_values.h"
#include "agent/runtime/worker.h"
#include "agent/tail/source.h"
#include "base/clock.h"
#include "base/config/problems.h"
#include "base/job_ledger.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/memory_budget.h"
#include "base/metrics/metrics.h"
#include "base/rate_limiter.h"
#include "outputs/output.h"
#include "pipeline/custom_metrics.h"
#include "pipeline/geo/geo_databases.h"
#include "pipeline/shared_states.h"
#include "pipeline/stage_observer.h"

namespace agent {

// Loop thread.
class Engine final : public SourceHost {
 public:
  // All of it outlives the engine.
  struct Dependencies {
    Loop& loop;
    Clock& clock;
    Logger& logger;
    MemoryBudget& budget;
    CustomMetrics& metrics;
    LabelValues& label_values;  // Of the engine before this one, too.
    // Watches all pipelines; null: nobody does. There is one worker then, so that it sees one block
    // at a time.
    StageObserver* observer = nullptr;
  };

  // Builds everything and starts nothing. Problems in pipelines are reported, all of them; null
  // when there is an error.
  static std::unique_ptr<Engine> Build(const Config& config,
                                       std::vector<std::unique_ptr<Output>> outputs,
                                       Problems& problems, const Dependencies& dependencies);
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;
  // After StopReading() has called back, or without Run().
  ~Engine() override;

  // Starts the workers. `on_ended` is told, on the loop, of every source that has ended or was
  // stopped.
  void Run(std::function<void(const std::shared_ptr<Source>&)> on_ended);

  void Start(std::shared_ptr<Source> source) override;
  void Wake(const std::shared_ptr<Source>& source) override;
  void Stop(const std::shared_ptr<Source>& source) override;

  // Ends the workers: nothing more is read, open batches are with the outputs when `done` is
  // called.
  void StopReading(std::function<void()> done);
  // Gives the outputs until the deadline to deliver what they have; then the rest is abandoned.
  void Drain(std::chrono::milliseconds deadline, std::function<void()> done);
  // Nothing is queued or on its way at any output.
  [[nodiscard]] bool outputs_idle() const;

  [[nodiscard]] const std::vector<std::unique_ptr<Output>>& outputs() const { return outputs_; }
  [[nodiscard]] const std::vector<std::unique_ptr<Worker>>& workers() const { return workers_; }
  [[nodiscard]] const std::map<std::string, std::shared_ptr<JobLedger>>& ledgers() const {
    return ledgers_;
  }
  void CollectMetrics(MetricSink& sink) const;

 private:
  explicit Engine(const Dependencies& dependencies);

  bool BuildWorker(const Config& config, Problems& problems);
  void Ended(const std::shared_ptr<Source>& source);
  void CollectStages(MetricSink& sink) const;
  void CollectDrops(MetricSink& sink, const WorkerJob& job) const;
  void CollectLedgers(MetricSink& sink) const;
  void CollectLanes(MetricSink& sink) const;
  void CollectLabels(MetricSink& sink) const;

  Dependencies dependencies_;
  std::unique_ptr<RateLimiter> limiter_;
  SharedStates stage_states_;  // What workers' copies of a stage share.
  MemoryBudget held_memory_;   // What stages may keep back.
  std::map<std::string, std::shared_ptr<JobLedger>> ledgers_;  // By job.
  std::vector<std::unique_ptr<Output>> outputs_;
  GeoDatabases geo_databases_;  // What the workers' pipelines look up in.
  std::vector<std::unique_ptr<Worker>> workers_;
  std::unordered_map<const Source*, Worker*> worker_of_;
  std::function<void(const std::shared_ptr<Source>&)> on_ended_;
  std::size_t running_ = 0;
  std::size_t draining_ = 0;
  std::function<void()> drained_;
  // Callbacks of the budget outlive the engine: they find this empty then.
  std::shared_ptr<std::vector<Worker*>> notified_;
};

// One a core, at most 4; what `limits_config.workers` says if it says something.
std::size_t WorkerCount(const Config& config);

}  // namespace agent
