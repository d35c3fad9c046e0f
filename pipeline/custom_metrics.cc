#include "pipeline/custom_metrics.h"

#include <algorithm>
#include <utility>

namespace agent {

CustomMetric::Series& CustomMetric::At(const Labels& labels, int64_t now_ns) {
  auto at = std::lower_bound(
      series_.begin(), series_.end(), labels,
      [](const Series& series, const Labels& wanted) { return series.labels < wanted; });
  if (at == series_.end() || at->labels != labels) {
    Series series;
    series.labels = labels;
    if (definition_.type == CustomMetricType::kHistogram) {
      series.bucket_counts.assign(definition_.buckets.size() + 1, 0);
    }
    at = series_.insert(at, std::move(series));
  }
  // Workers read their clocks before they come here.
  at->updated_ns = std::max(at->updated_ns, now_ns);
  return *at;
}

void CustomMetric::Add(const Labels& labels, double delta, int64_t now_ns) {
  const MutexLock lock(mutex_);
  At(labels, now_ns).value += delta;
}

void CustomMetric::Set(const Labels& labels, double value, int64_t now_ns) {
  const MutexLock lock(mutex_);
  At(labels, now_ns).value = value;
}

std::size_t CustomMetric::BucketOf(double value) const {
  // The first bound that is not below the value; NaN is above them all.
  const std::vector<double>& bounds = definition_.buckets;
  const auto fits = [value](double bound) { return value <= bound; };
  return static_cast<std::size_t>(std::find_if(bounds.begin(), bounds.end(), fits) -
                                  bounds.begin());
}

void CustomMetric::Observe(const Labels& labels, double value, int64_t now_ns) {
  const std::size_t bucket = BucketOf(value);
  const MutexLock lock(mutex_);
  Series& series = At(labels, now_ns);
  series.value += value;
  ++series.count;
  ++series.bucket_counts[bucket];
}

void CustomMetric::Observe(const Labels& labels, double sum,
                           std::span<const uint64_t> bucket_counts, int64_t now_ns) {
  const MutexLock lock(mutex_);
  Series& series = At(labels, now_ns);
  series.value += sum;
  for (std::size_t i = 0; i < bucket_counts.size(); ++i) {
    series.bucket_counts[i] += bucket_counts[i];
    series.count += bucket_counts[i];
  }
}

std::vector<CustomMetric::Series> CustomMetric::Scrape(int64_t now_ns) {
  const MutexLock lock(mutex_);
  std::vector<Series> all = series_;
  std::erase_if(series_, [this, now_ns](const Series& series) {
    return now_ns - series.updated_ns >= definition_.max_idle_ns;
  });
  return all;
}

std::shared_ptr<CustomMetric> CustomMetrics::Define(std::string_view owner,
                                                    CustomMetricDefinition definition) {
  const MutexLock lock(mutex_);
  for (const auto& [known_owner, metric] : metrics_) {
    if (known_owner == owner && metric->definition() == definition) return metric;
  }
  // Shared by the stages that count and the scrapes that read.
  auto metric = std::make_shared<CustomMetric>(std::move(definition));
  metrics_.emplace_back(std::string(owner), metric);
  return metric;
}

std::vector<std::shared_ptr<CustomMetric>> CustomMetrics::all() const {
  const MutexLock lock(mutex_);
  std::vector<std::shared_ptr<CustomMetric>> all;
  all.reserve(metrics_.size());
  for (const auto& [owner, metric] : metrics_)
    all.push_back(metric);
  return all;
}

}  // namespace agent
