// A backfill: the files that there are, to where they end, and then the end.

#include <algorithm>
#include <chrono>
#include <memory>

#include "agent/agent.h"

namespace agent {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kLookAgain{20};
// What a daemon or an API server may take to say what there is.
constexpr int64_t kDiscoveryNanos = 10 * kNanosPerSecond;

}  // namespace

void Agent::BeginBackfill() {
  const int64_t now = dependencies_.clock.MonotonicNanos();
  if (discovery_deadline_ns_ == 0) discovery_deadline_ns_ = now + kDiscoveryNanos;
  if (!AllDiscovered() && now < discovery_deadline_ns_) {
    return delivery_timer_.StartOnce(kLookAgain, [this] { BeginBackfill(); });
  }
  tailer_->ScanNow();
  for (const FileStatus& file : tailer_->Status())
    backfill_start_bytes_ += file.settled_offset;
  tailer_->FinishAll();
  WaitUntilRead();
}

// Those that ask somebody else have had an answer.
bool Agent::AllDiscovered() const {
  const auto& configs = generation_->config().scrape_configs;
  for (std::size_t i = 0; i < generation_->jobs().size(); ++i) {
    const Generation::Job& job = generation_->jobs()[i];
    const bool asks =
        !configs[i].docker_sd_configs.empty() || !configs[i].kubernetes_sd_configs.empty();
    if (asks && job.found.targets.empty() && job.discoverer->Problems().empty()) return false;
  }
  return true;
}

void Agent::WaitUntilRead() {
  if (!tailer_->AllEnded()) {
    return delivery_timer_.StartOnce(kLookAgain, [this] { WaitUntilRead(); });
  }
  OnlySourceEnded();
}

BackfillStatus Agent::Backfill() const {
  BackfillStatus status;
  status.start_bytes = backfill_start_bytes_;
  for (const FileStatus& file : tailer_->Status()) {
    ++status.files;
    status.size_bytes += file.size_bytes;
    status.delivered_bytes += std::min(file.settled_offset, file.size_bytes);
    status.lines += file.lines;
    if (file.settled_offset >= file.size_bytes) ++status.files_done;
    if (!file.error.empty()) status.unread = file.path + ": " + file.error;
  }
  for (const auto& output : generation_->engine().outputs()) {
    const OutputTotals totals = output->Totals();
    status.retried_entries += totals.retried_entries;
    status.refused_entries += totals.refused_entries();
    for (const LaneStatus& lane : output->Status()) {
      if (!lane.last_error.empty()) status.last_error = output->name() + ": " + lane.last_error;
    }
  }
  status.complete = tailer_->AllEnded() && generation_->engine().outputs_idle() &&
                    status.files_done == status.files;
  return status;
}

}  // namespace agent
