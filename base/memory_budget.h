// One budget for all data in flight: blocks, open batches, queues, retries. Who needs memory
// reserves it; when there is none left, reading stops until some is given back. The file is the
// queue.

#pragma once

#include <cstddef>
#include <functional>
#include <utility>

#include "base/mutex.h"

namespace agent {

// Thread-safe.
class MemoryBudget {
 public:
  // `whole`: this one is a part of it, for one use: what is taken here is taken there as well.
  // Null: it stands alone. Outlives this one.
  explicit MemoryBudget(std::size_t limit_bytes, MemoryBudget* whole = nullptr)
      : limit_(limit_bytes), whole_(whole) {}

  // Bytes held until destroyed. Movable; an empty one holds nothing.
  class Reservation {
   public:
    Reservation() = default;
    Reservation(MemoryBudget& budget, std::size_t bytes) : budget_(&budget), bytes_(bytes) {}
    Reservation(Reservation&& other) noexcept
        : budget_(std::exchange(other.budget_, nullptr)), bytes_(std::exchange(other.bytes_, 0)) {}
    Reservation& operator=(Reservation&& other) noexcept {
      if (this != &other) {
        Reset();
        budget_ = std::exchange(other.budget_, nullptr);
        bytes_ = std::exchange(other.bytes_, 0);
      }
      return *this;
    }
    Reservation(const Reservation&) = delete;
    Reservation& operator=(const Reservation&) = delete;
    ~Reservation() { Reset(); }

    [[nodiscard]] std::size_t bytes() const { return bytes_; }
    void Reset();
    // Grows or shrinks what is held; growing is never refused (see Reserve).
    void Resize(std::size_t bytes);

   private:
    MemoryBudget* budget_ = nullptr;
    std::size_t bytes_ = 0;
  };

  // Takes memory that is in use already, also beyond the limit: what has been read must be kept.
  // Whoever would read more asks full() first.
  Reservation Reserve(std::size_t bytes);

  // True: read nothing more. The callback given to NotifyWhenFree() runs once there is room again.
  [[nodiscard]] bool full() const;

  // `wake` is called each time the budget goes from full to not full, on the thread that gave
  // memory back. Set before threads start; any number.
  void NotifyWhenFree(std::function<void()> wake);

  [[nodiscard]] std::size_t used() const;
  [[nodiscard]] std::size_t limit() const { return limit_; }

 private:
  void Change(std::size_t old_bytes, std::size_t new_bytes);

  const std::size_t limit_;
  MemoryBudget* const whole_;
  mutable Mutex mutex_;
  std::size_t used_ GUARDED_BY(mutex_) = 0;
  std::function<void()> wake_ GUARDED_BY(mutex_);
};

}  // namespace agent
