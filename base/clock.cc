#include "base/clock.h"

#include <ctime>

namespace agent {
namespace {

int64_t Read(clockid_t id) {
  timespec now{};
  clock_gettime(id, &now);
  return static_cast<int64_t>(now.tv_sec) * kNanosPerSecond + now.tv_nsec;
}

}  // namespace

int64_t SystemClock::WallNanos() const {
  return Read(CLOCK_REALTIME);
}
int64_t SystemClock::MonotonicNanos() const {
  return Read(CLOCK_MONOTONIC);
}

}  // namespace agent
