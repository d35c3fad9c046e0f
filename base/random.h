// Randomness as a dependency: identities, jitter, sampling. A test passes a fixed seed.

#pragma once

#include <cstdint>

namespace agent {

// splitmix64: fast, small state, good enough for jitter and sampling; not for secrets.
class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}
  // Seeded by the operating system.
  static Random FromSystem();

  uint64_t Next() {
    uint64_t z = (state_ += 0x9e3779b97f4a7c15ULL);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    return z ^ (z >> 31);
  }
  // In [0, 1).
  double Uniform() { return static_cast<double>(Next() >> 11) * 0x1.0p-53; }

 private:
  uint64_t state_;
};

}  // namespace agent
