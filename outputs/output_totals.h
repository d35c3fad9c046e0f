// What an output has done since it was made: the same for all kinds, so that metrics and pages show
// them alike.

#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "base/metrics/metrics.h"

namespace agent {

struct OutputTotals {
  uint64_t encoded_bytes = 0;  // As they go on the wire.
  uint64_t sent_entries = 0;   // Acknowledged.
  uint64_t sent_bytes = 0;     // Of what was acknowledged, as on the wire.
  uint64_t requests = 0;
  uint64_t failed_requests = 0;   // Without an answer, or with one that is no success.
  uint64_t retried_entries = 0;   // Sent again, each time.
  uint64_t duplicates = 0;        // Entries that were there already.
  uint64_t repaired_entries = 0;  // Something about them had to be changed for the receiver.
  // Entries that are lost for good, or in the dead letter, by reason.
  std::map<std::string, uint64_t, std::less<>> refused = {};

  [[nodiscard]] uint64_t refused_entries() const;
};

// As `agent_output_*`.
void CollectTotals(std::string_view output, const OutputTotals& totals, MetricSink& sink);

}  // namespace agent
