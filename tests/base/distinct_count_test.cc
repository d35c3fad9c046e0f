#include "base/distinct_count.h"

#include <cmath>
#include <cstdint>

#include <catch2/catch.hpp>

namespace agent {
namespace {

// Of numbers in a row, hashes that look random.
uint64_t Hash(uint64_t number) {
  uint64_t bits = number + 0x9E3779B97F4A7C15ULL;
  bits = (bits ^ bits >> 30U) * 0xBF58476D1CE4E5B9ULL;
  bits = (bits ^ bits >> 27U) * 0x94D049BB133111EBULL;
  return bits ^ bits >> 31U;
}

TEST_CASE("distinct count: few values are counted nearly exactly", "[distinct_count]") {
  DistinctCount count;
  CHECK(count.Estimate() == 0);
  for (uint64_t i = 0; i < 30; ++i)
    count.Add(Hash(i));

  CHECK(std::abs(static_cast<double>(count.Estimate()) - 30) <= 1);
}

TEST_CASE("distinct count: many values are counted about", "[distinct_count]") {
  const auto wanted = GENERATE(uint64_t{1000}, uint64_t{20000}, uint64_t{1000000});
  DistinctCount count;
  for (uint64_t i = 0; i < wanted; ++i)
    count.Add(Hash(i));

  CHECK(static_cast<double>(count.Estimate()) == Approx(static_cast<double>(wanted)).epsilon(0.05));
}

TEST_CASE("distinct count: a value counts once", "[distinct_count]") {
  DistinctCount count;
  for (int i = 0; i < 10000; ++i)
    count.Add(Hash(7));

  CHECK(count.Estimate() == 1);
}

}  // namespace
}  // namespace agent
