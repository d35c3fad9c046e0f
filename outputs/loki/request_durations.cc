#include "outputs/loki/request_durations.h"

#include <algorithm>
#include <iterator>
#include <string>

namespace agent::loki {

void RequestDurations::Observe(int status, std::chrono::nanoseconds duration) {
  Histogram& histogram = by_status_[status == 0 ? -1 : status];
  const double seconds = std::chrono::duration<double>(duration).count();
  const auto* const bucket = std::lower_bound(kBounds.begin(), kBounds.end(), seconds);
  ++histogram.counts[static_cast<std::size_t>(std::distance(kBounds.begin(), bucket))];
  histogram.sum += seconds;
}

void RequestDurations::Collect(std::string_view host, MetricSink& sink) const {
  for (const auto& [status, histogram] : by_status_) {
    const std::string code = std::to_string(status);
    sink.AddHistogram("promtail_request_duration_seconds", {code, host},
                      {.bounds = kBounds, .counts = histogram.counts, .sum = histogram.sum});
  }
}

}  // namespace agent::loki
