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

void OutputCounters::Collect(std::string_view output, MetricSink& sink) const {
  const auto add = [&](std::string_view name, const Count& count) {
    sink.Add(name, {output}, static_cast<double>(count.load(std::memory_order_relaxed)));
  };
  add("agent_output_encoded_bytes_total", encoded_bytes);
  add("agent_output_sent_entries_total", sent_entries);
  add("agent_output_sent_bytes_total", sent_bytes);
  add("agent_output_duplicate_entries_total", duplicates);
  add("agent_output_requests_total", requests);
  add("agent_output_failed_requests_total", failed_requests);
  add("agent_output_retried_entries_total", retried_entries);
  add("agent_output_repaired_entries_total", repaired_entries);
  const MutexLock lock(mutex_);
  for (const auto& [reason, entries] : refused_) {
    sink.Add("agent_output_refused_entries_total", {output, reason}, static_cast<double>(entries));
  }
  if (const uint64_t kept = dead_lettered.load(); kept > 0) {
    sink.Add("agent_dead_letter_entries_total", {output, "refused"}, static_cast<double>(kept));
  }
}

}  // namespace agent
