// How many requests may be on their way to one host. While it is well, no limit; after failures in
// a row, one at a time, whoever sends it; once it answers again 2, 4, 8 …, so that all that has
// waited does not come down on it at once.

#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>

namespace agent {

// Loop thread. `Key` names who asks.
class HostGate {
 public:
  using Key = const void*;
  enum class Result : uint8_t { kHostUp, kHostDown, kNoAnswer };  // The last: cancelled.

  // `admit` is called for one that had to wait, when it may go on; it has entered then.
  explicit HostGate(std::function<void(Key)> admit) : admit_(std::move(admit)) {}

  // True: go on, and call Leave() later. False: wait for `admit`.
  bool Enter(Key key);
  // Gives up waiting.
  void Forget(Key key);
  // After a request. True: the host was down, and is up again.
  bool Leave(Result result);

  [[nodiscard]] bool limited() const { return limit_ != kNoLimit; }

 private:
  static constexpr std::size_t kNoLimit = ~std::size_t{0};
  static constexpr uint32_t kFailuresToClose = 3;
  static constexpr std::size_t kOpenFrom = 64;  // More at once than that is as good as no limit.

  std::function<void(Key)> admit_;
  std::deque<Key> waiting_;
  std::size_t in_flight_ = 0;
  std::size_t limit_ = kNoLimit;
  uint32_t failures_ = 0;
};

}  // namespace agent
