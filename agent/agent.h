// The process: tailer, engine and server put together, started, reloaded and stopped in the right
// order.

#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "agent/agent_summary.h"
#include "agent/backfill_status.h"
#include "agent/config/loader.h"
#include "agent/generation.h"
#include "agent/http/server.h"
#include "agent/http/state.h"
#include "agent/receivers/receiver.h"
#include "agent/runtime/label_values.h"
#include "agent/tail/caught_files.h"
#include "agent/tail/docker_logs.h"
#include "agent/tail/position_store.h"
#include "agent/tail/tailer.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/memory_budget.h"
#include "base/result.h"

namespace agent {

struct AgentOptions {
  OutputFactory make_outputs = MakeClientOutputs;
  // Reads the configuration again for a reload; null: there is nothing to reload.
  std::function<LoadedConfig()> load;
  // How long a stop or a reload waits for receivers.
  std::chrono::milliseconds drain_timeout{5000};
  // Positions are read and never written, and a server that cannot listen is only worth a warning:
  // a dry run beside a running agent.
  bool trial = false;
  // Watches what stages do to every entry; null: nobody does. Outlives the agent.
  StageObserver* observer = nullptr;
  // Read this instead of the configured targets; `finished` is called when it has ended and all it
  // had is delivered.
  std::shared_ptr<Source> only_source;
  // A backfill: files are read to where they end now, and nothing else is; `finished` likewise.
  bool once = false;
  std::function<void()> finished;
  // A reload begins (true), or has ended, well or not (false).
  std::function<void(bool begins)> reloading;
};

// Loop thread.
class Agent final : public AgentView {
 public:
  struct Dependencies {
    Loop& loop;
    Clock& clock;
    Logger& logger;
  };

  // Builds everything, and opens the positions; starts nothing.
  static Result<std::unique_ptr<Agent>> Create(Config config, AgentOptions options,
                                               const Dependencies& dependencies);
  Agent(const Agent&) = delete;
  Agent& operator=(const Agent&) = delete;
  // After Shutdown() has called back, or without Start().
  ~Agent() override;

  // Reads and ships from now on. Fails when the server cannot listen.
  Status Start();
  // Stops reading, gives receivers until the deadline, saves positions, calls `done`. The loop may
  // end then.
  void Shutdown(std::function<void()> done);

  // --- AgentView.
  [[nodiscard]] AgentInfo Info() const override;
  [[nodiscard]] Readiness Ready() const override;
  [[nodiscard]] std::vector<JobStatus> Jobs(std::string_view only) const override;
  [[nodiscard]] std::vector<std::string> JobNames() const override;
  [[nodiscard]] std::vector<OutputView> Outputs() const override;
  [[nodiscard]] std::vector<LedgerRow> Ledger() const override;
  [[nodiscard]] std::string ConfigText() const override;
  void CollectMetrics(Exposition& page) override;
  void Reload(std::function<void(Status)> done) override;

  // The port of the server; 0 without one.
  [[nodiscard]] uint16_t http_port() const { return server_ ? server_->port() : 0; }
  // There may be something to read in `only_source`.
  void WakeOnlySource() { generation_->engine().Wake(options_.only_source); }
  // Everything that was read is settled at every output: nothing was lost by stopping now.
  [[nodiscard]] bool all_settled() const;
  // Of a backfill.
  [[nodiscard]] BackfillStatus Backfill() const;
  [[nodiscard]] AgentSummary Summary() const;
  // Since when a worker has been at the same piece of work, monotonic; 0: none has anything to do.
  [[nodiscard]] int64_t busy_since_ns() const;

 private:
  Agent(AgentOptions options, const Dependencies& dependencies, std::size_t budget_bytes);

  [[nodiscard]] GenerationDependencies ForGeneration();
  Status OpenTail();
  void RunGeneration();
  void OnlySourceEnded();
  // A backfill, step by step.
  void BeginBackfill();
  [[nodiscard]] bool AllDiscovered() const;
  void WaitUntilRead();
  void WaitUntilDelivered();
  void TargetsChanged();
  void StartReceivers();
  void AddOtherTargets(const Generation::Job& job, JobStatus& status) const;
  [[nodiscard]] TargetStatus ShowContainer(const ContainerLog& container) const;
  void CollectFiles(MetricSink& sink) const;
  [[nodiscard]] std::vector<LabelInfo> LabelsOf(const std::string& job) const;

  // A reload, step by step.
  void LoadAgain();
  void TakeOver(std::unique_ptr<Generation> next);
  void ForgetJobs();
  void ReloadDone(const Status& status);

  AgentOptions options_;
  Dependencies dependencies_;
  MemoryBudget budget_;
  LabelValues label_values_;
  CaughtFiles caught_files_;
  std::unique_ptr<Generation> generation_;
  std::unique_ptr<PositionStore> positions_;
  std::unique_ptr<Tailer> tailer_;
  std::unique_ptr<DockerLogs> docker_logs_;           // As long as the tailer.
  std::vector<std::unique_ptr<Receiver>> receivers_;  // Of the generation.
  std::unique_ptr<HttpServer> server_;
  Timer delivery_timer_;
  int64_t discovery_deadline_ns_ = 0;  // Of a backfill.
  uint64_t backfill_start_bytes_ = 0;

  bool stopping_ = false;
  bool reloading_ = false;
  std::vector<std::function<void(Status)>> waiting_for_reload_;
  std::vector<std::function<void(Status)>> next_reload_;  // Asked for while one was under way.
  std::function<void()> after_reload_;                    // A stop that came in the middle of one.
  uint64_t reloads_ = 0;
  uint64_t failed_reloads_ = 0;
  bool last_reload_ok_ = true;
  int64_t started_ns_ = 0;        // Monotonic.
  int64_t config_loaded_ns_ = 0;  // Monotonic.
  int64_t config_loaded_wall_ns_ = 0;
};

}  // namespace agent
