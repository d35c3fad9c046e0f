// A clock that stands still, and moves when a test says so.

#pragma once

#include <cstdint>

#include "base/clock.h"

namespace agent {

class HeldClock final : public Clock {
 public:
  explicit HeldClock(int64_t wall_ns) : wall_(wall_ns) {}

  [[nodiscard]] int64_t WallNanos() const override { return wall_; }
  [[nodiscard]] int64_t MonotonicNanos() const override { return monotonic_; }

  // Not back.
  void AdvanceTo(int64_t monotonic_ns) {
    wall_ += monotonic_ns - monotonic_;
    monotonic_ = monotonic_ns;
  }

 private:
  int64_t wall_;
  int64_t monotonic_ = 1000 * kNanosPerSecond;
};

}  // namespace agent
