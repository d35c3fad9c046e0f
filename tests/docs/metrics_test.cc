// agent/README.md has every metric of the agent, with its type and labels.

#include "base/metrics/metrics.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "agent/docs/keys.h"
#include "agent/docs/pages.h"

// Comes last: it has a CHECK of its own.
// clang-format off
#include <catch2/catch.hpp>
// clang-format on

namespace agent {
namespace {

std::string_view TypeName(MetricType type) {
  if (type == MetricType::kCounter) return "counter";
  return type == MetricType::kGauge ? "gauge" : "histogram";
}

// "name type label,label".
std::vector<std::string> Declared() {
  std::vector<std::string> lines;
  for (const MetricInfo& metric : AllMetrics()) {
    std::string line = std::string(metric.name) + " " + std::string(TypeName(metric.type));
    for (const std::string_view label : metric.labels)
      line += " " + std::string(label);
    lines.push_back(std::move(line));
  }
  std::sort(lines.begin(), lines.end());
  return lines;
}

std::vector<std::string> Documented() {
  std::vector<std::string> lines;
  for (const docs::Page& page : docs::AllPages()) {
    if (page.path != "agent/README.md") continue;
    for (const docs::KeyRow& row : docs::KeyRows(docs::ParseMarkdown(page.text))) {
      if (row.titles.front() != "metric") continue;
      std::string line = row.names.front() + " " + std::string(row.Cell("type"));
      for (const std::string& label : docs::CodeSpans(row.Cell("labels")))
        line += " " + label;
      lines.push_back(std::move(line));
    }
  }
  std::sort(lines.begin(), lines.end());
  return lines;
}

}  // namespace

TEST_CASE("reference: every metric is documented with its labels, and no other", "[docs]") {
  CHECK_THAT(Documented(), Catch::Matchers::Equals(Declared()));
}

}  // namespace agent
