// limits_config.readline_rate: one token bucket over all pipelines, after their stages.

#pragma once

#include <cstddef>
#include <cstdint>

#include "base/clock.h"
#include "base/mutex.h"

namespace agent {

// Thread-safe; asked once per block.
class RateLimiter {
 public:
  // `lines_per_second` > 0; the bucket holds `burst` lines and starts full.
  RateLimiter(double lines_per_second, double burst, Clock& clock);

  // Takes up to `lines` tokens; returns how many there were.
  std::size_t Take(std::size_t lines);
  // How long until there is at least one token again.
  [[nodiscard]] int64_t NanosUntilOne() const;

 private:
  void Refill() REQUIRES(mutex_);

  const double rate_;
  const double burst_;
  Clock& clock_;
  mutable Mutex mutex_;
  double tokens_ GUARDED_BY(mutex_);
  int64_t refilled_ns_ GUARDED_BY(mutex_);
};

}  // namespace agent
