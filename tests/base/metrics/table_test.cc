#include <algorithm>
#include <set>
#include <string>

#include <catch2/catch.hpp>

#include "base/labels.h"
#include "base/metrics/metrics.h"

namespace agent {
namespace {

TEST_CASE("metrics table: sorted, each name once", "[metrics]") {
  const auto table = AllMetrics();
  const auto out_of_order =
      std::adjacent_find(table.begin(), table.end(),
                         [](const MetricInfo& a, const MetricInfo& b) { return a.name >= b.name; });
  CHECK(out_of_order == table.end());
  for (const MetricInfo& info : table)
    CHECK(FindMetric(info.name) == &info);
  CHECK(FindMetric("agent_nothing") == nullptr);
}

TEST_CASE("metrics table: every metric has a help text and labels with valid, distinct names",
          "[metrics]") {
  for (const MetricInfo& info : AllMetrics()) {
    INFO(info.name);
    CHECK(info.help.ends_with('.'));
    std::set<std::string_view> names;
    for (const std::string_view label : info.labels) {
      CHECK(IsValidLabelName(label));
      CHECK(names.insert(label).second);
    }
  }
}

TEST_CASE("metrics table: _total is for counters, but for the four gauges of Promtail",
          "[metrics]") {
  const std::set<std::string_view> inherited = {
      "promtail_file_bytes_total", "promtail_files_active_total", "promtail_read_bytes_total",
      "promtail_targets_active_total"};
  for (const MetricInfo& info : AllMetrics()) {
    INFO(info.name);
    const bool counts = info.type == MetricType::kCounter || inherited.count(info.name) != 0;
    CHECK(info.name.ends_with("_total") == counts);
  }
}

}  // namespace
}  // namespace agent
