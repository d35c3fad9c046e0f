// How long to wait before the next try: random(0.5 to 1.0) x min(max, min x 2^n), anew after a
// success.

#pragma once

#include <chrono>
#include <cstdint>

#include "base/random.h"

namespace agent {

class Backoff {
 public:
  Backoff(std::chrono::milliseconds min_period, std::chrono::milliseconds max_period, Random random)
      : min_(min_period), max_(max_period), random_(random) {}

  // The wait before the next try; longer each time until Reset().
  std::chrono::milliseconds Next();
  void Reset() { step_ = 0; }

  // `wait` with up to a tenth more, so that agents told the same moment do not come together.
  std::chrono::milliseconds Jittered(std::chrono::milliseconds wait);

 private:
  std::chrono::milliseconds min_;
  std::chrono::milliseconds max_;
  Random random_;
  uint32_t step_ = 0;
};

}  // namespace agent
