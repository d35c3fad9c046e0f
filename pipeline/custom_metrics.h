// Metrics that a pipeline derives from log lines (the `metrics` stage): counters, gauges and
// histograms with the labels of the entries they count. One registry for the whole agent; every
// worker's stage adds to the same series.

#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/labels.h"
#include "base/mutex.h"

namespace agent {

enum class CustomMetricType : uint8_t { kCounter, kGauge, kHistogram };

struct CustomMetricDefinition {
  std::string name;  // With its prefix.
  std::string help = {};
  CustomMetricType type = CustomMetricType::kCounter;
  int64_t max_idle_ns = 300 * kNanosPerSecond;
  // Histograms: upper bounds, ascending, without +Inf.
  std::vector<double> buckets = {};

  bool operator==(const CustomMetricDefinition&) const = default;
};

// How many series one metric may have. Each of them is kept, and sent with every scrape.
struct SeriesLimit {
  std::size_t max_series = 0;  // 0: any number.
  bool refuses = false;        // No series is made beyond the limit; else it is only counted.
};

// A definition and its series. Thread-safe; a worker batches its updates per block.
class CustomMetric {
 public:
  explicit CustomMetric(CustomMetricDefinition definition, SeriesLimit limit = {})
      : definition_(std::move(definition)), limit_(limit) {}
  [[nodiscard]] const CustomMetricDefinition& definition() const { return definition_; }

  struct Series {
    Labels labels;
    double value = 0;                     // Counter, gauge; a histogram's sum.
    uint64_t count = 0;                   // Histogram.
    std::vector<uint64_t> bucket_counts;  // Histogram; not cumulative, the last one is +Inf.
    int64_t updated_ns = 0;               // Monotonic.
  };

  // `now_ns` is monotonic. Labels beginning with "__" are left out by the caller. False for a
  // series beyond the limit: a new one, or one that is not made.
  bool Add(const Labels& labels, double delta, int64_t now_ns);      // Counter, gauge.
  bool Set(const Labels& labels, double value, int64_t now_ns);      // Gauge.
  bool Observe(const Labels& labels, double value, int64_t now_ns);  // Histogram.
  // Histogram: many observations at once. `bucket_counts` as in Series.
  bool Observe(const Labels& labels, double sum, std::span<const uint64_t> bucket_counts,
               int64_t now_ns);
  // Histogram: the index of a value in bucket_counts.
  [[nodiscard]] std::size_t BucketOf(double value) const;

  // Values that could not be added: a counter never goes down.
  void AddRejected(uint64_t values) { rejected_.fetch_add(values, std::memory_order_relaxed); }
  [[nodiscard]] uint64_t rejected() const { return rejected_.load(std::memory_order_relaxed); }

  // Series that there are now, and how often one was made, or not made, beyond the limit.
  [[nodiscard]] std::size_t series() const;
  [[nodiscard]] uint64_t exceeded() const { return exceeded_.load(std::memory_order_relaxed); }
  [[nodiscard]] const SeriesLimit& limit() const { return limit_; }

  // All series as they are; afterwards those idle for at least max_idle are gone.
  std::vector<Series> Scrape(int64_t now_ns);

 private:
  // The series, made when there is none; `fits` is set to whether it is within the limit. Null: it
  // is not, and none is made.
  Series* At(const Labels& labels, int64_t now_ns, bool& fits) REQUIRES(mutex_);

  const CustomMetricDefinition definition_;
  const SeriesLimit limit_;
  std::atomic<uint64_t> rejected_{0};
  std::atomic<uint64_t> exceeded_{0};
  mutable Mutex mutex_;
  std::vector<Series> series_ GUARDED_BY(mutex_);  // Sorted by labels.
};

// Thread-safe.
class CustomMetrics {
 public:
  // `limit` is that of each metric.
  explicit CustomMetrics(SeriesLimit limit = {}) : limit_(limit) {}

  // The metric of that name for that stage: all workers' copies of one stage pass the same `owner`
  // ("job/stages[3]") and get the same metric; another owner with the same name gets its own.
  std::shared_ptr<CustomMetric> Define(std::string_view owner, CustomMetricDefinition definition);

  // In the order of their definition; shared, because a scrape may run while a reload replaces
  // them.
  [[nodiscard]] std::vector<std::shared_ptr<CustomMetric>> all() const;

 private:
  const SeriesLimit limit_;
  mutable Mutex mutex_;
  std::vector<std::pair<std::string, std::shared_ptr<CustomMetric>>> metrics_ GUARDED_BY(mutex_);
};

}  // namespace agent
