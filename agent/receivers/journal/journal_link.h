// What a journal's source, which a worker reads, and its receiver, which lives on the loop, tell
// one another. Thread-safe.

#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "agent/receivers/journal/journal_marks.h"
#include "base/counter.h"
#include "base/mutex.h"
#include "base/unique_fd.h"

namespace agent {

class JournalLink {
 public:
  // `ring` brings the receiver to look here; any thread.
  explicit JournalLink(std::function<void()> ring) : ring_(std::move(ring)) {}

  struct Mark {
    uint64_t end = 0;
    std::string cursor;
  };
  struct Condition {
    bool open = false;
    std::string state;  // "following", with what is not quite right.
    std::string error;  // Why nothing, or not all, is read; empty when all is well.
  };

  // Counted by the source.
  Counter lines;
  Counter bytes;
  Counter no_message;
  Counter empty_labels;
  Counter damaged;
  Counter too_long;

  // --- The source's.

  // Takes them out of `marks`.
  void AddMarks(std::vector<Mark>& marks) {
    const MutexLock lock(mutex_);
    for (Mark& mark : marks)
      marks_.Add(mark.end, std::move(mark.cursor));
    marks.clear();
  }
  // What to wait for from now on; invalid: nothing.
  void SetWatch(UniqueFd fd) {
    const MutexLock lock(mutex_);
    watch_ = std::move(fd);
  }
  void SetCondition(Condition condition) {
    const MutexLock lock(mutex_);
    condition_ = std::move(condition);
  }
  // All there is has been read: wake it when there is more.
  void SetIdle() {
    {
      const MutexLock lock(mutex_);
      idle_ = true;
    }
    ring_();
  }

  // --- The receiver's.

  // See JournalMarks.
  std::string TakeCursor(uint64_t settled) {
    const MutexLock lock(mutex_);
    return marks_.Take(settled);
  }
  // Nothing: the one of before is still good.
  std::optional<UniqueFd> TakeWatch() {
    const MutexLock lock(mutex_);
    return std::exchange(watch_, std::nullopt);
  }
  bool TakeIdle() {
    const MutexLock lock(mutex_);
    return std::exchange(idle_, false);
  }
  [[nodiscard]] Condition condition() const {
    const MutexLock lock(mutex_);
    return condition_;
  }

 private:
  const std::function<void()> ring_;
  mutable Mutex mutex_;
  JournalMarks marks_ GUARDED_BY(mutex_);
  std::optional<UniqueFd> watch_ GUARDED_BY(mutex_);
  Condition condition_ GUARDED_BY(mutex_);
  bool idle_ GUARDED_BY(mutex_) = false;
};

}  // namespace agent
