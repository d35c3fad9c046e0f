// What the HTTP server counts about itself, under the names that Promtail's server has.

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <tuple>

#include "base/metrics/metrics.h"

namespace agent {

// Loop thread. Bounded: routes are those of the router or "other", methods the known ones or
// "OTHER".
class HttpMetrics {
 public:
  void RequestBegun(std::string_view method, std::string_view route);
  // `request_bytes` and `response_bytes` are of the bodies.
  struct Outcome {
    unsigned status = 0;  // 0: the client left before there was an answer.
    double seconds = 0;
    std::size_t request_bytes = 0;
    std::size_t response_bytes = 0;
  };
  void RequestEnded(std::string_view method, std::string_view route, const Outcome& outcome);

  void SetConnections(std::size_t open, std::size_t limit);

  void Collect(MetricSink& sink) const;

 private:
  static constexpr std::size_t kDurationBounds = 14;
  static constexpr std::size_t kSizeBounds = 8;

  template <std::size_t kBounds>
  struct Histogram {
    std::array<uint64_t, kBounds + 1> counts{};
    double sum = 0;
    void Observe(const std::array<double, kBounds>& bounds, double value);
  };
  struct Route {
    int64_t in_flight = 0;
    Histogram<kSizeBounds> request_bytes;
    Histogram<kSizeBounds> response_bytes;
    std::map<unsigned, Histogram<kDurationBounds>> durations;  // By status.
  };
  using Key = std::pair<std::string, std::string>;  // Method, route.

  static Key KeyOf(std::string_view method, std::string_view route);

  static const std::array<double, kDurationBounds> kDurationBuckets;
  static const std::array<double, kSizeBounds> kSizeBuckets;

  std::map<Key, Route> routes_;
  std::size_t connections_ = 0;
  std::size_t connection_limit_ = 0;
};

}  // namespace agent
