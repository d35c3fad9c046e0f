#include "agent/http/http_metrics.h"

#include <algorithm>

namespace agent {
namespace {

constexpr double kMiB = 1024.0 * 1024.0;
constexpr std::array<std::string_view, 7> kMethods = {"GET",    "HEAD",    "POST", "PUT",
                                                      "DELETE", "OPTIONS", "PATCH"};

}  // namespace

// Promtail's, so that its dashboards' quantiles stay comparable.
const std::array<double, HttpMetrics::kDurationBounds> HttpMetrics::kDurationBuckets = {
    .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 25, 50, 100};
const std::array<double, HttpMetrics::kSizeBounds> HttpMetrics::kSizeBuckets = {
    1 * kMiB, 2.5 * kMiB, 5 * kMiB, 10 * kMiB, 25 * kMiB, 50 * kMiB, 100 * kMiB, 250 * kMiB};

template <std::size_t kBounds>
void HttpMetrics::Histogram<kBounds>::Observe(const std::array<double, kBounds>& bounds,
                                              double value) {
  const auto at = std::lower_bound(bounds.begin(), bounds.end(), value) - bounds.begin();
  ++counts[static_cast<std::size_t>(at)];
  sum += value;
}

HttpMetrics::Key HttpMetrics::KeyOf(std::string_view method, std::string_view route) {
  const bool known = std::find(kMethods.begin(), kMethods.end(), method) != kMethods.end();
  return {std::string(known ? method : "OTHER"), std::string(route)};
}

void HttpMetrics::RequestBegun(std::string_view method, std::string_view route) {
  ++routes_[KeyOf(method, route)].in_flight;
}

void HttpMetrics::RequestEnded(std::string_view method, std::string_view route,
                               const Outcome& outcome) {
  Route& counted = routes_[KeyOf(method, route)];
  --counted.in_flight;
  counted.request_bytes.Observe(kSizeBuckets, static_cast<double>(outcome.request_bytes));
  counted.response_bytes.Observe(kSizeBuckets, static_cast<double>(outcome.response_bytes));
  if (outcome.status == 0) return;  // The client left before there was an answer.
  counted.durations[outcome.status].Observe(kDurationBuckets, outcome.seconds);
}

void HttpMetrics::SetConnections(std::size_t open, std::size_t limit) {
  connections_ = open;
  connection_limit_ = limit;
}

void HttpMetrics::Collect(MetricSink& sink) const {
  for (const auto& [key, route] : routes_) {
    const std::string& method = key.first;
    const std::string& name = key.second;
    sink.Add("inflight_requests", {method, name}, static_cast<double>(route.in_flight));
    sink.AddHistogram("request_message_bytes", {method, name},
                      {.bounds = kSizeBuckets,
                       .counts = route.request_bytes.counts,
                       .sum = route.request_bytes.sum});
    sink.AddHistogram("response_message_bytes", {method, name},
                      {.bounds = kSizeBuckets,
                       .counts = route.response_bytes.counts,
                       .sum = route.response_bytes.sum});
    for (const auto& [status, duration] : route.durations) {
      sink.AddHistogram(
          "request_duration_seconds", {method, name, std::to_string(status), "false"},
          {.bounds = kDurationBuckets, .counts = duration.counts, .sum = duration.sum});
    }
  }
  sink.Add("tcp_connections", {"http"}, static_cast<double>(connections_));
  sink.Add("tcp_connections_limit", {"http"}, static_cast<double>(connection_limit_));
}

}  // namespace agent
