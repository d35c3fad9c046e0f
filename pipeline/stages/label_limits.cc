#include "pipeline/stages/label_limits.h"

#include <utility>

namespace agent {

TokenBucket& LabelLimits::BucketOf(std::string_view value, int64_t now_ns) {
  if (const auto found = young_.find(value); found != young_.end()) return found->second;
  if (young_.size() >= options_.max_values) {
    old_ = std::exchange(young_, {});
    dropped_.clear();
  }
  TokenBucket bucket(options_.rate, options_.burst, now_ns);
  if (const auto found = old_.find(value); found != old_.end()) bucket = found->second;
  return young_.emplace(value, bucket).first->second;
}

std::size_t LabelLimits::Take(std::string_view value, std::size_t wanted) {
  const int64_t now = clock_.MonotonicNanos();
  const MutexLock lock(mutex_);
  const std::size_t taken = BucketOf(value, now).Take(wanted, now);
  if (taken < wanted) {
    const auto found = dropped_.find(value);
    uint64_t& dropped =
        found != dropped_.end() ? found->second : dropped_.emplace(value, 0).first->second;
    dropped += wanted - taken;
  }
  return taken;
}

std::size_t LabelLimits::values() const {
  const MutexLock lock(mutex_);
  return young_.size() + old_.size();
}

void LabelLimits::CollectMetrics(MetricSink& sink) const {
  const MutexLock lock(mutex_);
  for (const auto& [value, lines] : dropped_) {
    sink.Add("logentry_dropped_lines_by_label_total", {options_.label, value},
             static_cast<double>(lines));
  }
}

}  // namespace agent
