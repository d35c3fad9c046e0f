// Which files something has happened to, collected from all threads and brought to the loop: many
// marks cost one turn of it.

#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <unordered_set>
#include <utility>

#include "base/loop.h"
#include "base/mutex.h"

namespace agent {

// Shared: batches that are still on their way mark files when they settle, also after the tailer
// has gone. Thread-safe, except for the owner's part.
class DirtyFiles : public std::enable_shared_from_this<DirtyFiles> {
 public:
  // `run` is called on the loop thread, until Close(). `loop` outlives every caller of Mark().
  DirtyFiles(Loop& loop, std::function<void()> run) : loop_(loop), run_(std::move(run)) {}

  void Mark(uint64_t number) {
    {
      const MutexLock lock(mutex_);
      numbers_.insert(number);
      if (rung_ || closed_) return;
      rung_ = true;
    }
    loop_.Post([self = shared_from_this()] {
      if (self->run_) self->run_();
    });
  }

  // --- The owner's, on the loop thread.

  std::unordered_set<uint64_t> Take() {
    const MutexLock lock(mutex_);
    rung_ = false;
    return std::exchange(numbers_, {});
  }
  void Close() {
    run_ = nullptr;
    const MutexLock lock(mutex_);
    closed_ = true;
  }

 private:
  Loop& loop_;
  std::function<void()> run_;  // The loop thread's.
  Mutex mutex_;
  std::unordered_set<uint64_t> numbers_ GUARDED_BY(mutex_);
  bool rung_ GUARDED_BY(mutex_) = false;
  bool closed_ GUARDED_BY(mutex_) = false;
};

}  // namespace agent
