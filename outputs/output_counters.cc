#include "outputs/output_counters.h"

namespace agent {

void OutputCounters::Refuse(std::string_view reason, uint64_t entries) {
  const MutexLock lock(mutex_);
  const auto at = refused_.find(reason);
  if (at != refused_.end()) {
    at->second += entries;
  } else {
    refused_.emplace(reason, entries);
  }
}

OutputTotals OutputCounters::Totals() const {
  const auto value = [](const Count& count) { return count.load(std::memory_order_relaxed); };
  OutputTotals totals{.encoded_bytes = value(encoded_bytes),
                      .sent_entries = value(sent_entries),
                      .sent_bytes = value(sent_bytes),
                      .requests = value(requests),
                      .failed_requests = value(failed_requests),
                      .retried_entries = value(retried_entries),
                      .duplicates = value(duplicates),
                      .repaired_entries = value(repaired_entries)};
  const MutexLock lock(mutex_);
  totals.refused = refused_;
  return totals;
}

void OutputCounters::Collect(std::string_view output, MetricSink& sink) const {
  if (const uint64_t kept = dead_lettered.load(std::memory_order_relaxed); kept > 0) {
    sink.Add("agent_dead_letter_entries_total", {output, "refused"}, static_cast<double>(kept));
  }
}

}  // namespace agent
