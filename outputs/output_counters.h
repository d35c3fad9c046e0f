// What an output counts that is not Loki's, whose counters have Promtail's names. Read when
// somebody scrapes; changed on the workers and on the loop.

#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "base/metrics/metrics.h"
#include "base/mutex.h"
#include "outputs/output_totals.h"

namespace agent {

// Thread-safe.
class OutputCounters {
 public:
  using Count = std::atomic<uint64_t>;

  Count encoded_bytes{0};  // As they go on the wire.
  Count sent_entries{0};   // Acknowledged.
  Count sent_bytes{0};     // Of requests that were acknowledged, as on the wire.
  Count duplicates{0};     // Entries that were there already.
  Count requests{0};
  Count failed_requests{0};   // Without an answer, or with one that asks for another try.
  Count retried_entries{0};   // Sent again, each time.
  Count dead_lettered{0};     // Entries.
  Count repaired_entries{0};  // Something about them had to be changed for the receiver.

  // Entries that are lost for good, for that reason.
  void Refuse(std::string_view reason, uint64_t entries);

  [[nodiscard]] OutputTotals Totals() const;
  // What Totals() does not have.
  void Collect(std::string_view output, MetricSink& sink) const;

 private:
  mutable Mutex mutex_;
  std::map<std::string, uint64_t, std::less<>> refused_ GUARDED_BY(mutex_);
};

}  // namespace agent
