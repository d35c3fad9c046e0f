#include "outputs/output_totals.h"

namespace agent {

uint64_t OutputTotals::refused_entries() const {
  uint64_t sum = 0;
  for (const auto& [reason, entries] : refused)
    sum += entries;
  return sum;
}

void CollectTotals(std::string_view output, const OutputTotals& totals, MetricSink& sink) {
  const auto add = [&](std::string_view name, uint64_t count) {
    sink.Add(name, {output}, static_cast<double>(count));
  };
  add("agent_output_encoded_bytes_total", totals.encoded_bytes);
  add("agent_output_sent_entries_total", totals.sent_entries);
  add("agent_output_sent_bytes_total", totals.sent_bytes);
  add("agent_output_duplicate_entries_total", totals.duplicates);
  add("agent_output_requests_total", totals.requests);
  add("agent_output_failed_requests_total", totals.failed_requests);
  add("agent_output_retried_entries_total", totals.retried_entries);
  add("agent_output_repaired_entries_total", totals.repaired_entries);
  for (const auto& [reason, entries] : totals.refused) {
    sink.Add("agent_output_refused_entries_total", {output, reason}, static_cast<double>(entries));
  }
}

}  // namespace agent
