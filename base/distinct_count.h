// Counts different values in bounded memory, about: HyperLogLog with 4096 registers, whose estimate
// is within 1.6 % as a rule.

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace agent {

class DistinctCount {
 public:
  // A value by its hash, of which all 64 bits are as good as random.
  void Add(uint64_t hash);
  // How many different ones there were; exact to the last one while they are few.
  [[nodiscard]] uint64_t Estimate() const;

 private:
  static constexpr unsigned kIndexBits = 12;
  static constexpr std::size_t kRegisters = std::size_t{1} << kIndexBits;

  std::array<uint8_t, kRegisters> registers_{};  // The longest row of zeros seen, and one.
};

}  // namespace agent
