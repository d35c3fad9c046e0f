#include "agent/http/http_metrics.h"

#include <string>

#include <catch2/catch.hpp>

#include "base/metrics/exposition.h"

namespace agent {
namespace {

using Catch::Contains;

std::string TextOf(const HttpMetrics& metrics) {
  Exposition page;
  metrics.Collect(page);
  return page.Text();
}

TEST_CASE("http metrics: a request is in flight until it has ended", "[http][metrics]") {
  HttpMetrics metrics;
  metrics.RequestBegun("GET", "ready");
  CHECK_THAT(TextOf(metrics), Contains("inflight_requests{method=\"GET\",route=\"ready\"} 1\n"));

  metrics.RequestEnded("GET", "ready",
                       {.status = 200, .seconds = 0.02, .request_bytes = 0, .response_bytes = 6});

  const std::string text = TextOf(metrics);
  CHECK_THAT(text, Contains("inflight_requests{method=\"GET\",route=\"ready\"} 0\n"));
  CHECK_THAT(text, Contains("ws=\"false\",le=\"0.01\"} 0\n"));
  CHECK_THAT(text, Contains("ws=\"false\",le=\"0.025\"} 1\n"));
}

TEST_CASE("http metrics: made-up methods are one series, a vanished client has no duration",
          "[http][metrics]") {
  HttpMetrics metrics;
  for (const char* method : {"BREW", "PROPFIND"}) {
    metrics.RequestBegun(method, "other");
    metrics.RequestEnded(method, "other", {});
  }
  const std::string text = TextOf(metrics);
  CHECK_THAT(text, Contains("inflight_requests{method=\"OTHER\",route=\"other\"} 0\n"));
  CHECK_THAT(text, !Contains("BREW") && !Contains("request_duration_seconds"));
}

}  // namespace
}  // namespace agent
