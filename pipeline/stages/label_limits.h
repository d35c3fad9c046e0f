// A rate for each value of a label: what `limit` with `by_label_name` goes by.

#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/clock.h"
#include "base/metrics/metrics.h"
#include "base/mutex.h"
#include "base/rate_limiter.h"
#include "pipeline/shared_states.h"

namespace agent {

// Shared by the workers' copies of the stage. Bounded: the buckets of values that have not been
// seen for a whole generation of `max_values` others are forgotten, and would start full again.
// Thread-safe; asked once per block and value.
class LabelLimits final : public SharedState {
 public:
  struct Options {
    std::string label;
    double rate = 0;
    double burst = 0;
    std::size_t max_values = 0;
  };

  LabelLimits(Options options, Clock& clock) : options_(std::move(options)), clock_(clock) {}

  // How many of `wanted` lines with that value may pass now. The others count as dropped.
  std::size_t Take(std::string_view value, std::size_t wanted);

  [[nodiscard]] std::size_t values() const;
  void CollectMetrics(MetricSink& sink) const override;

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const {
      return std::hash<std::string_view>{}(text);
    }
  };
  template <typename T>
  using ByValue = std::unordered_map<std::string, T, Hash, std::equal_to<>>;

  TokenBucket& BucketOf(std::string_view value, int64_t now_ns) REQUIRES(mutex_);

  const Options options_;
  Clock& clock_;
  mutable Mutex mutex_;
  ByValue<TokenBucket> young_ GUARDED_BY(mutex_);
  ByValue<TokenBucket> old_ GUARDED_BY(mutex_);
  ByValue<uint64_t> dropped_ GUARDED_BY(mutex_);  // Since the last change of generations.
};

}  // namespace agent
