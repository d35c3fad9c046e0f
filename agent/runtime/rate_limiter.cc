#include "agent/runtime/rate_limiter.h"

#include <algorithm>
#include <cmath>

namespace agent {

RateLimiter::RateLimiter(double lines_per_second, double burst, Clock& clock)
    : rate_(lines_per_second),
      burst_(burst),
      clock_(clock),
      tokens_(burst),
      refilled_ns_(clock.MonotonicNanos()) {}

void RateLimiter::Refill() {
  const int64_t now = clock_.MonotonicNanos();
  const double seconds =
      static_cast<double>(now - refilled_ns_) / static_cast<double>(kNanosPerSecond);
  tokens_ = std::min(burst_, tokens_ + seconds * rate_);
  refilled_ns_ = now;
}

std::size_t RateLimiter::Take(std::size_t lines) {
  const MutexLock lock(mutex_);
  Refill();
  const auto there = static_cast<std::size_t>(std::max(0.0, std::floor(tokens_)));
  const std::size_t taken = std::min(lines, there);
  tokens_ -= static_cast<double>(taken);
  return taken;
}

int64_t RateLimiter::NanosUntilOne() const {
  const MutexLock lock(mutex_);
  if (tokens_ >= 1) return 0;
  return static_cast<int64_t>((1 - tokens_) / rate_ * static_cast<double>(kNanosPerSecond)) + 1;
}

}  // namespace agent
