#include "base/memory_budget.h"

namespace agent {

void MemoryBudget::Reservation::Reset() {
  Resize(0);
}

void MemoryBudget::Reservation::Resize(std::size_t bytes) {
  if (budget_ == nullptr || bytes == bytes_) return;
  budget_->Change(bytes_, bytes);
  bytes_ = bytes;
}

MemoryBudget::Reservation MemoryBudget::Reserve(std::size_t bytes) {
  Change(0, bytes);
  return {*this, bytes};
}

bool MemoryBudget::full() const {
  const MutexLock lock(mutex_);
  return used_ >= limit_;
}

void MemoryBudget::NotifyWhenFree(std::function<void()> wake) {
  const MutexLock lock(mutex_);
  wake_ = std::move(wake);
}

std::size_t MemoryBudget::used() const {
  const MutexLock lock(mutex_);
  return used_;
}

void MemoryBudget::Change(std::size_t old_bytes, std::size_t new_bytes) {
  if (whole_ != nullptr) whole_->Change(old_bytes, new_bytes);
  std::function<void()> wake;
  {
    const MutexLock lock(mutex_);
    const bool was_full = used_ >= limit_;
    used_ = used_ - old_bytes + new_bytes;
    if (was_full && used_ < limit_) wake = wake_;
  }
  if (wake) wake();
}

}  // namespace agent
