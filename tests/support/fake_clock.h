// A clock that stands still until it is told to move.

#pragma once

#include <atomic>
#include <cstdint>

#include "base/clock.h"

namespace agent {

class FakeClock final : public Clock {
 public:
  // 2026-01-02T03:04:05Z.
  static constexpr int64_t kStart = 1767323045 * kNanosPerSecond;

  [[nodiscard]] int64_t WallNanos() const override { return wall_.load(); }
  [[nodiscard]] int64_t MonotonicNanos() const override { return monotonic_.load(); }

  void Advance(int64_t ns) {
    wall_ += ns;
    monotonic_ += ns;
  }
  void SetWall(int64_t ns) { wall_.store(ns); }

 private:
  std::atomic<int64_t> wall_{kStart};
  std::atomic<int64_t> monotonic_{1000 * kNanosPerSecond};
};

}  // namespace agent
