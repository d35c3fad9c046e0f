// Takes the numbers of one scrape for a test to look at.

#pragma once

#include <cstdint>
#include <initializer_list>
#include <map>
#include <string>
#include <string_view>

#include "base/metrics/metrics.h"

namespace agent {

class RecordingMetrics final : public MetricSink {
 public:
  void Add(std::string_view name, std::initializer_list<std::string_view> label_values,
           double value) override {
    std::string key(name);
    for (const std::string_view label : label_values)
      key += " " + std::string(label);
    values_[key] += value;
  }
  // As NAME_count.
  void AddHistogram(std::string_view name, std::initializer_list<std::string_view> label_values,
                    const HistogramSnapshot& histogram) override {
    uint64_t count = 0;
    for (const uint64_t in_bucket : histogram.counts)
      count += in_bucket;
    Add(std::string(name) + "_count", label_values, static_cast<double>(count));
  }

  // By "name value value"; 0 when there is none.
  [[nodiscard]] double Value(const std::string& key) const {
    const auto found = values_.find(key);
    return found != values_.end() ? found->second : 0;
  }
  [[nodiscard]] std::size_t size() const { return values_.size(); }

 private:
  std::map<std::string, double> values_;
};

}  // namespace agent
