// How large windows may be, found out by trying.

#pragma once

#include <algorithm>
#include <cstddef>

namespace agent::logstash {

// Off, it is always the largest.
class SlowStart {
 public:
  SlowStart(bool enabled, std::size_t max_events)
      : enabled_(enabled),
        max_(max_events),
        limit_(enabled ? std::min(kFirst, max_events) : max_) {}

  [[nodiscard]] std::size_t limit() const { return limit_; }
  // A window of that size was wholly acknowledged. Only one that was as large as it might be says
  // that more will do.
  void OnDone(std::size_t events) {
    if (!enabled_ || events < limit_) return;
    best_ = std::max(best_, limit_);
    const std::size_t grown = limit_ + (limit_ + 1) / 2;
    // After a failure, first back to what has worked.
    limit_ = std::min(limit_ < best_ ? std::min(grown, best_) : grown, max_);
  }
  void OnFailed() {
    if (enabled_) limit_ = std::max<std::size_t>(1, limit_ / 2);
  }

 private:
  static constexpr std::size_t kFirst = 10;

  const bool enabled_;
  const std::size_t max_;
  std::size_t limit_;
  std::size_t best_ = 0;  // The largest that was done.
};

}  // namespace agent::logstash
