#include "base/backoff.h"

#include <algorithm>
#include <cmath>

namespace agent {
namespace {

std::chrono::milliseconds Scaled(std::chrono::milliseconds period, double factor) {
  return std::chrono::milliseconds(std::llround(static_cast<double>(period.count()) * factor));
}

}  // namespace

std::chrono::milliseconds Backoff::Next() {
  const std::chrono::milliseconds ceiling = std::max(min_, max_);
  std::chrono::milliseconds period = min_;
  for (uint32_t i = 0; i < step_ && period < ceiling; ++i)
    period *= 2;
  if (period < ceiling) ++step_;
  return Scaled(std::min(period, ceiling), 0.5 + 0.5 * random_.Uniform());
}

std::chrono::milliseconds Backoff::Jittered(std::chrono::milliseconds wait) {
  return Scaled(wait, 1.0 + 0.1 * random_.Uniform());
}

}  // namespace agent
