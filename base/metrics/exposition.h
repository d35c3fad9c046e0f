// One scrape of /metrics: takes numbers from the rooms and from log-derived metrics, and writes
// them in Prometheus' text format. Whatever a configuration defines, the text stays valid: what
// would break it is left out and counted in agent_custom_metrics_skipped.

#pragma once

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/labels.h"
#include "base/metrics/metrics.h"

namespace agent {

constexpr std::string_view kMetricsContentType = "text/plain; version=0.0.4; charset=utf-8";

// A metric that is not in the table, because the configuration defines it.
struct CustomSeries {
  Labels labels;
  double value = 0;                     // Counter, gauge; a histogram's sum.
  std::vector<uint64_t> bucket_counts;  // Histogram; not cumulative, one more than bounds.
};

struct CustomFamily {
  std::string name;
  std::string help;
  MetricType type = MetricType::kCounter;
  std::vector<double> bounds;  // Histogram: upper bounds, ascending, without +Inf.
  std::vector<CustomSeries> series;
};

// One for each scrape. Any one thread.
class Exposition final : public MetricSink {
 public:
  Exposition();
  Exposition(const Exposition&) = delete;
  Exposition& operator=(const Exposition&) = delete;
  ~Exposition() override;

  void Add(std::string_view name, std::initializer_list<std::string_view> label_values,
           double value) override;
  void AddHistogram(std::string_view name, std::initializer_list<std::string_view> label_values,
                    const HistogramSnapshot& histogram) override;

  // A second family of the same name joins the first, whose help counts: its counters and
  // histograms add up, its gauges replace. Left out: names and labels that Prometheus does not
  // allow, another type or other bounds than the first, names that the table has.
  void AddCustom(const CustomFamily& family);

  // All of it, ordered by name and labels. Once, at the end.
  [[nodiscard]] std::string Text();

 private:
  struct State;
  const std::unique_ptr<State> state_;
};

}  // namespace agent
