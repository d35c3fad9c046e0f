#include "base/distinct_count.h"

#include <algorithm>
#include <cmath>

namespace agent {

void DistinctCount::Add(uint64_t hash) {
  const auto index = static_cast<std::size_t>(hash >> (64 - kIndexBits));
  // A bit at the end bounds the row of zeros.
  const uint64_t rest = hash << kIndexBits | uint64_t{1} << (kIndexBits - 1);
  const auto rank = static_cast<uint8_t>(__builtin_clzll(rest) + 1);
  registers_[index] = std::max(registers_[index], rank);
}

uint64_t DistinctCount::Estimate() const {
  constexpr auto kCount = static_cast<double>(kRegisters);
  constexpr double kAlpha = 0.7213 / (1 + 1.079 / kCount);
  double sum = 0;
  double empty = 0;
  for (const uint8_t rank : registers_) {
    sum += std::ldexp(1.0, -rank);
    if (rank == 0) ++empty;
  }
  const double raw = kAlpha * kCount * kCount / sum;
  // While many registers are empty, how many says more.
  const bool few = raw <= 2.5 * kCount && empty > 0;
  return static_cast<uint64_t>(std::llround(few ? kCount * std::log(kCount / empty) : raw));
}

}  // namespace agent
