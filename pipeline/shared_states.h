// What the copies of one stage in all workers share: a rate, a count.

#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/metrics/metrics.h"
#include "base/mutex.h"

namespace agent {

// Used by every worker's copy of the stage: thread-safe.
class SharedState {
 public:
  SharedState() = default;
  SharedState(const SharedState&) = delete;
  SharedState& operator=(const SharedState&) = delete;
  virtual ~SharedState() = default;

  // Adds what it counts. Loop thread, while the workers go on.
  virtual void CollectMetrics(MetricSink& /*sink*/) const {}
};

// Thread-safe.
class SharedStates {
 public:
  // The state of that owner (StageContext::Owner()): what `make` returns the first time. An owner
  // has one, always of the same type.
  template <typename T, typename Make>
  std::shared_ptr<T> Get(std::string_view owner, const Make& make) {
    const MutexLock lock(mutex_);
    for (const auto& [known, state] : states_) {
      if (known == owner) return std::static_pointer_cast<T>(state);
    }
    // Shared by the workers' stages and the scrapes.
    std::shared_ptr<T> state = make();
    states_.emplace_back(std::string(owner), state);
    return state;
  }

  void CollectMetrics(MetricSink& sink) const {
    const MutexLock lock(mutex_);
    for (const auto& [owner, state] : states_)
      state->CollectMetrics(sink);
  }

 private:
  mutable Mutex mutex_;
  std::vector<std::pair<std::string, std::shared_ptr<SharedState>>> states_ GUARDED_BY(mutex_);
};

}  // namespace agent
