// Token buckets: so many lines a second on average, and a burst at once.

#pragma once

#include <cstddef>
#include <cstdint>

#include "base/clock.h"
#include "base/mutex.h"

namespace agent {

// A bucket as plain numbers, starting full. Times are Clock::MonotonicNanos(); an earlier one than
// before adds nothing.
class TokenBucket {
 public:
  // `per_second` > 0; holds at most `burst` tokens.
  TokenBucket(double per_second, double burst, int64_t now_ns)
      : rate_(per_second), burst_(burst), tokens_(burst), refilled_ns_(now_ns) {}

  // Takes up to `wanted` tokens; returns how many there were.
  std::size_t Take(std::size_t wanted, int64_t now_ns);
  // Takes them also when they are not there yet; returns when they will be.
  int64_t Reserve(std::size_t wanted, int64_t now_ns);
  // How long from the last call until there is at least one token.
  [[nodiscard]] int64_t NanosUntilOne() const;

 private:
  void Refill(int64_t now_ns);

  double rate_;
  double burst_;
  double tokens_;  // Below 0: taken in advance.
  int64_t refilled_ns_;
};

// One bucket for several threads, asked once per block. Thread-safe.
class RateLimiter {
 public:
  RateLimiter(double lines_per_second, double burst, Clock& clock)
      : clock_(clock), bucket_(lines_per_second, burst, clock.MonotonicNanos()) {}

  // As TokenBucket's.
  std::size_t Take(std::size_t lines);
  int64_t Reserve(std::size_t lines, int64_t now_ns);
  [[nodiscard]] int64_t NanosUntilOne() const;

 private:
  Clock& clock_;
  mutable Mutex mutex_;
  TokenBucket bucket_ GUARDED_BY(mutex_);
};

}  // namespace agent
