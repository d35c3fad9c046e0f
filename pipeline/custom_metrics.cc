#include "pipeline/custom_metrics.h"

#include <algorithm>
#include <utility>

namespace agent {

CustomMetric::Series* CustomMetric::At(const Labels& labels, int64_t now_ns, bool& fits) {
  fits = true;
  auto at = std::lower_bound(
      series_.begin(), series_.end(), labels,
      [](const Series& series, const Labels& wanted) { return series.labels < wanted; });
  if (at == series_.end() || at->labels != labels) {
    fits = limit_.max_series == 0 || series_.size() < limit_.max_series;
    if (!fits) {
      exceeded_.fetch_add(1, std::memory_order_relaxed);
      if (limit_.refuses) return nullptr;
    }
    Series series;
    series.labels = labels;
    if (definition_.type == CustomMetricType::kHistogram) {
      series.bucket_counts.assign(definition_.buckets.size() + 1, 0);
    }
    at = series_.insert(at, std::move(series));
  }
  // Workers read their clocks before they come here.
  at->updated_ns = std::max(at->updated_ns, now_ns);
  return &*at;
}

bool CustomMetric::Add(const Labels& labels, double delta, int64_t now_ns) {
  const MutexLock lock(mutex_);
  bool fits = false;
  if (Series* const series = At(labels, now_ns, fits)) series->value += delta;
  return fits;
}

bool CustomMetric::Set(const Labels& labels, double value, int64_t now_ns) {
  const MutexLock lock(mutex_);
  bool fits = false;
  if (Series* const series = At(labels, now_ns, fits)) series->value = value;
  return fits;
}

std::size_t CustomMetric::series() const {
  const MutexLock lock(mutex_);
  return series_.size();
}

std::size_t CustomMetric::BucketOf(double value) const {
  // The first bound that is not below the value; NaN is above them all.
  const std::vector<double>& bounds = definition_.buckets;
  const auto fits = [value](double bound) { return value <= bound; };
  return static_cast<std::size_t>(std::find_if(bounds.begin(), bounds.end(), fits) -
                                  bounds.begin());
}

bool CustomMetric::Observe(const Labels& labels, double value, int64_t now_ns) {
  std::vector<uint64_t> counts(definition_.buckets.size() + 1, 0);
  counts[BucketOf(value)] = 1;
  return Observe(labels, value, counts, now_ns);
}

bool CustomMetric::Observe(const Labels& labels, double sum,
                           std::span<const uint64_t> bucket_counts, int64_t now_ns) {
  const MutexLock lock(mutex_);
  bool fits = false;
  Series* const series = At(labels, now_ns, fits);
  if (series == nullptr) return false;
  series->value += sum;
  for (std::size_t i = 0; i < bucket_counts.size(); ++i) {
    series->bucket_counts[i] += bucket_counts[i];
    series->count += bucket_counts[i];
  }
  return fits;
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
  auto metric = std::make_shared<CustomMetric>(std::move(definition), limit_);
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
