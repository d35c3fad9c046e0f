// Where the time comes from. Passed in by constructor so that a test can hold it still.

#pragma once

#include <cstdint>

namespace agent {

constexpr int64_t kNanosPerSecond = 1'000'000'000;
constexpr int64_t kNanosPerMilli = 1'000'000;

// Thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;

  // Nanoseconds since 1970-01-01T00:00:00Z. May jump; only for timestamps of entries.
  [[nodiscard]] virtual int64_t WallNanos() const = 0;

  // Nanoseconds since some start. Never goes back; for deadlines and durations.
  [[nodiscard]] virtual int64_t MonotonicNanos() const = 0;
};

// The system's clocks.
class SystemClock final : public Clock {
 public:
  [[nodiscard]] int64_t WallNanos() const override;
  [[nodiscard]] int64_t MonotonicNanos() const override;
};

}  // namespace agent
