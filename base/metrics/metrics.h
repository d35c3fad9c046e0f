// Every metric of the agent stands in one table (base/metrics/table.cc): name, type, help, labels.
// The rooms count in plain integers and, when somebody scrapes, put their numbers into a
// MetricSink.

#pragma once

#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace agent {

enum class MetricType : uint8_t { kCounter, kGauge, kHistogram };

struct MetricInfo {
  std::string_view name;
  MetricType type;
  std::string_view help;
  std::vector<std::string_view> labels;  // Names, in the order in which values are given.
};

// The table, sorted by name.
std::span<const MetricInfo> AllMetrics();
// Null when there is none of that name.
const MetricInfo* FindMetric(std::string_view name);

struct HistogramSnapshot {
  std::span<const double> bounds;    // Upper bounds, ascending, without +Inf.
  std::span<const uint64_t> counts;  // One more than bounds; not cumulative.
  double sum = 0;
};

// Takes the numbers of one scrape. Loop thread.
class MetricSink {
 public:
  virtual ~MetricSink() = default;

  // `name` stands in the table (CHECK); as many label values as it has labels. The same name and
  // labels again add up.
  virtual void Add(std::string_view name, std::initializer_list<std::string_view> label_values,
                   double value) = 0;
  virtual void AddHistogram(std::string_view name,
                            std::initializer_list<std::string_view> label_values,
                            const HistogramSnapshot& histogram) = 0;
};

}  // namespace agent
