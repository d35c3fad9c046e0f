// How long requests took, by status: promtail_request_duration_seconds.

#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <string_view>

#include "base/metrics/metrics.h"

namespace agent::loki {

// Loop thread.
class RequestDurations {
 public:
  // `status` 0: there was no answer; shown as -1.
  void Observe(int status, std::chrono::nanoseconds duration);
  void Collect(std::string_view host, MetricSink& sink) const;

 private:
  // Prometheus' default buckets.
  static constexpr std::array<double, 11> kBounds = {0.005, 0.01, 0.025, 0.05, 0.1, 0.25,
                                                     0.5,   1,    2.5,   5,    10};
  struct Histogram {
    std::array<uint64_t, kBounds.size() + 1> counts{};
    double sum = 0;
  };
  std::map<int, Histogram> by_status_;
};

}  // namespace agent::loki
