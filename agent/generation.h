// All that is made from one configuration: outputs, pipelines, workers, discovery. A reload makes a
// new one, and lets the old one go when it has delivered what it had.

#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "agent/config/config.h"
#include "agent/runtime/engine.h"
#include "agent/tail/caught_files.h"
#include "base/clock.h"
#include "base/config/problems.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/memory_budget.h"
#include "base/result.h"
#include "discovery/discoverer.h"
#include "discovery/target.h"
#include "outputs/dead_letter.h"
#include "outputs/output.h"
#include "pipeline/custom_metrics.h"
#include "pipeline/stage_observer.h"

namespace agent {

// What every generation works with; outlives them all.
struct GenerationDependencies {
  Loop& loop;
  Clock& clock;
  Logger& logger;
  MemoryBudget& budget;
  LabelValues& label_values;
  // Watches all pipelines of the generation that runs; null: nobody does.
  StageObserver* observer = nullptr;
  // Logs of containers that are kept open; null: none are.
  const CaughtFiles* caught = nullptr;
};

// Makes the outputs of a configuration, in the order in which SourceProgress counts them.
using OutputFactory = std::function<std::vector<std::unique_ptr<Output>>(
    const Config&, const GenerationDependencies&, DeadLetter&)>;

// One for each of `clients`, and of `outputs`.
std::vector<std::unique_ptr<Output>> MakeClientOutputs(const Config& config,
                                                       const GenerationDependencies& dependencies,
                                                       DeadLetter& dead_letter);

// Loop thread.
class Generation {
 public:
  // Builds everything and starts nothing. An error lists what is wrong, one line each.
  static Result<std::unique_ptr<Generation>> Build(Config config, const OutputFactory& make_outputs,
                                                   const GenerationDependencies& dependencies);
  Generation(const Generation&) = delete;
  Generation& operator=(const Generation&) = delete;
  ~Generation();

  // Starts discovery. `changed` is called with the targets of all jobs together, at once and
  // whenever they change.
  void StartDiscovery(const std::function<void()>& changed);
  void StopDiscovery();
  [[nodiscard]] std::vector<std::shared_ptr<const Target>> Targets() const;
  [[nodiscard]] std::vector<std::shared_ptr<const ContainerLog>> ContainerLogs() const;
  // There is a job with docker_sd_configs.
  [[nodiscard]] bool reads_containers() const;
  // Where folders of containers with their logs appear, as far as daemons have told; each once.
  [[nodiscard]] std::vector<std::string> LogFolders() const;

  struct Job {
    std::string name;
    std::unique_ptr<Discoverer> discoverer;
    DiscoveryResult found;
  };
  [[nodiscard]] const std::vector<Job>& jobs() const { return jobs_; }

  [[nodiscard]] const Config& config() const { return config_; }
  [[nodiscard]] Engine& engine() { return *engine_; }
  [[nodiscard]] const Engine& engine() const { return *engine_; }
  [[nodiscard]] CustomMetrics& custom_metrics() { return custom_metrics_; }
  // Names of the outputs, in order: by which the journal knows them.
  [[nodiscard]] std::vector<std::string> OutputIds() const;
  // Targets not used, by Promtail's reasons, since the start; for the metric.
  [[nodiscard]] const std::map<std::string, uint64_t>& failed_targets() const {
    return failed_targets_;
  }

 private:
  Generation(Config config, const GenerationDependencies& dependencies);
  Status BuildDiscovery(const GenerationDependencies& dependencies);

  const Config config_;
  CustomMetrics custom_metrics_;
  DeadLetter dead_letter_;
  std::unique_ptr<Engine> engine_;
  std::vector<Job> jobs_;
  bool discovering_ = false;  // Every job has been started.
  std::map<std::string, uint64_t> failed_targets_;
};

}  // namespace agent
