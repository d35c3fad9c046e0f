#include "outputs/host_gate.h"

#include <algorithm>

#include "base/check.h"

namespace agent {

bool HostGate::Enter(Key key) {
  if (in_flight_ >= limit_) {
    waiting_.push_back(key);
    return false;
  }
  ++in_flight_;
  return true;
}

void HostGate::Forget(Key key) {
  waiting_.erase(std::remove(waiting_.begin(), waiting_.end(), key), waiting_.end());
}

bool HostGate::Leave(Result result) {
  CHECK(in_flight_ > 0);
  --in_flight_;
  bool recovered = false;
  if (result == Result::kHostDown) {
    ++failures_;
    if (failures_ >= kFailuresToClose) limit_ = 1;
  } else if (result == Result::kHostUp) {
    recovered = failures_ >= kFailuresToClose;
    failures_ = 0;
    if (limit_ != kNoLimit) limit_ = limit_ * 2 > kOpenFrom ? kNoLimit : limit_ * 2;
  }
  while (!waiting_.empty() && in_flight_ < limit_) {
    const Key next = waiting_.front();
    waiting_.pop_front();
    ++in_flight_;
    admit_(next);
  }
  return recovered;
}

}  // namespace agent
