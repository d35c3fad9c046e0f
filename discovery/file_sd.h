// `file_sd_configs`: targets that stand in YAML or JSON files, which other programs write.

#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/log.h"
#include "base/loop.h"
#include "base/watcher.h"
#include "discovery/discoverer.h"
#include "discovery/relabel.h"
#include "discovery/target_files.h"

namespace agent {

struct FileSdOptions {
  // Paths; wildcards in the part after the last slash. Pass WhatIsWrongWithFilePattern.
  std::vector<std::string> files;
  // All files are read again after so long, whatever inotify says. Above 0.
  std::chrono::milliseconds refresh_interval{300'000};
};

// Reads, parses and relabels off the loop thread. A change is found at once where inotify tells of
// it, else with the next refresh. Loop thread.
class FileSdDiscoverer final : public Discoverer {
 public:
  // Both outlive every thread of the loop's, not only the discoverer.
  struct Dependencies {
    Loop& loop;
    Logger& logger;
  };

  // `relabeling` is shared by all discoverers of a job. `host` as for TargetBuilder.
  FileSdDiscoverer(Dependencies dependencies, std::string job, FileSdOptions options,
                   std::shared_ptr<const Relabeling> relabeling, const std::string& host);
  FileSdDiscoverer(const FileSdDiscoverer&) = delete;
  FileSdDiscoverer& operator=(const FileSdDiscoverer&) = delete;
  ~FileSdDiscoverer() override;

  void Start(std::function<void(DiscoveryResult)> changed) override;
  void Stop() override;
  [[nodiscard]] std::vector<std::string> Problems() const override;
  void CollectMetrics(MetricSink& sink) const override;

 private:
  struct Outcome;

  void OnModified(const std::string& path);
  // A reading soon: what happens until then is found by it.
  void ReadSoon();
  void StartReading();
  void Finish(Outcome& outcome);
  void Report(const Outcome& outcome);

  Loop& loop_;
  Logger& logger_;
  const std::string job_;
  const FileSdOptions options_;
  std::function<void(DiscoveryResult)> changed_;  // Empty: not running.
  std::unique_ptr<Watcher> watcher_;
  Timer timer_;
  struct Reader;
  // Shared with the thread that reads, and then that thread's alone.
  std::shared_ptr<Reader> reader_;
  bool reading_ = false;
  bool due_ = false;    // The timer is set for a reading soon.
  bool again_ = false;  // Something happened while the files were read.

  // Of the last reading.
  std::vector<std::string> directories_;
  std::set<std::string> places_;
  std::vector<TargetFiles::Problem> problems_;
  std::size_t file_count_ = 0;
  uint64_t failures_ = 0;  // Since the start.
  // What the callbacks of background work hold; gone with this.
  std::shared_ptr<FileSdDiscoverer*> alive_;
};

}  // namespace agent
