#include "base/rate_limiter.h"

#include <algorithm>
#include <cmath>

namespace agent {
namespace {

constexpr auto kNanosPerSecondF = static_cast<double>(kNanosPerSecond);
// Longer than anybody waits, and far from the end of the clock's numbers.
constexpr double kMaxWaitNs = 1e18;

}  // namespace

void TokenBucket::Refill(int64_t now_ns) {
  if (now_ns <= refilled_ns_) return;
  const double seconds = static_cast<double>(now_ns - refilled_ns_) / kNanosPerSecondF;
  tokens_ = std::min(burst_, tokens_ + seconds * rate_);
  refilled_ns_ = now_ns;
}

std::size_t TokenBucket::Take(std::size_t wanted, int64_t now_ns) {
  Refill(now_ns);
  // The smaller one first: a burst may be a number that no size_t holds.
  const double taken = std::min(static_cast<double>(wanted), std::max(0.0, std::floor(tokens_)));
  tokens_ -= taken;
  return static_cast<std::size_t>(taken);
}

int64_t TokenBucket::Reserve(std::size_t wanted, int64_t now_ns) {
  Refill(now_ns);
  tokens_ -= static_cast<double>(wanted);
  if (tokens_ >= 0) return now_ns;
  const double wait = std::min(-tokens_ / rate_ * kNanosPerSecondF, kMaxWaitNs);
  return refilled_ns_ + static_cast<int64_t>(std::ceil(wait));
}

int64_t TokenBucket::NanosUntilOne() const {
  if (tokens_ >= 1) return 0;
  const double wait = std::min((1 - tokens_) / rate_ * kNanosPerSecondF, kMaxWaitNs);
  return static_cast<int64_t>(wait) + 1;
}

std::size_t RateLimiter::Take(std::size_t lines) {
  const MutexLock lock(mutex_);
  return bucket_.Take(lines, clock_.MonotonicNanos());
}

int64_t RateLimiter::Reserve(std::size_t lines, int64_t now_ns) {
  const MutexLock lock(mutex_);
  return bucket_.Reserve(lines, now_ns);
}

int64_t RateLimiter::NanosUntilOne() const {
  const MutexLock lock(mutex_);
  return bucket_.NanosUntilOne();
}

}  // namespace agent
