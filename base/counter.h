// A count that one thread raises and any thread reads: as cheap as a plain integer on the hot path.

#pragma once

#include <atomic>
#include <cstdint>

namespace agent {

class Counter {
 public:
  // Only the owning thread.
  void Add(uint64_t n = 1) {
    value_.store(value_.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
  }
  // Any thread.
  [[nodiscard]] uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<uint64_t> value_{0};
};

}  // namespace agent
