// A job with a `journal`: keeps its source awake, and remembers how far it has settled.

#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "agent/config/config.h"
#include "agent/receivers/journal/journal_link.h"
#include "agent/receivers/make_receivers.h"
#include "agent/receivers/receiver.h"
#include "agent/tail/dirty_files.h"
#include "base/unique_fd.h"
#include "discovery/relabel.h"

namespace agent {

class JournalReceiver final : public Receiver {
 public:
  // `job` has a journal; `relabeling` is compiled from its rules.
  JournalReceiver(const ScrapeConfig& job, std::shared_ptr<const Relabeling> relabeling,
                  const ReceiverDependencies& dependencies);
  JournalReceiver(const JournalReceiver&) = delete;
  JournalReceiver& operator=(const JournalReceiver&) = delete;
  ~JournalReceiver() override;

  void Start(SourceHost& host, std::size_t outputs) override;
  void Stop() override;
  void Drained() override;
  void OnEnded(const std::shared_ptr<Source>& source) override;
  [[nodiscard]] std::vector<ReceiverStatus> Status() const override;
  void CollectMetrics(MetricSink& sink) const override;

 private:
  // The link has news, or something has settled.
  void OnRing();
  void Watch();
  void OnTick();
  void NoteSettled();
  [[nodiscard]] std::string CursorKey() const { return "cursor-" + job_.job_name; }

  const ScrapeConfig job_;
  const std::shared_ptr<const Relabeling> relabeling_;
  const ReceiverDependencies dependencies_;
  const std::string name_;
  Labels labels_;  // That all entries have.

  SourceHost* host_ = nullptr;
  std::shared_ptr<DirtyFiles> bell_;
  std::shared_ptr<JournalLink> link_;
  std::shared_ptr<SourceProgress> progress_;
  std::shared_ptr<Source> source_;  // Null before Start() and when it has ended.
  UniqueFd watched_;
  std::unique_ptr<FdWatcher> watcher_;  // Null: there is nothing to watch.
  Timer tick_;
  int ticks_ = 0;
};

}  // namespace agent
