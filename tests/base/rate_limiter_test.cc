#include "base/rate_limiter.h"

#include <catch2/catch.hpp>

#include "tests/support/fake_clock.h"

namespace agent {

TEST_CASE("rate: starts full, and fills by the rate up to the burst", "[rate]") {
  FakeClock clock;
  RateLimiter limiter(/*lines_per_second=*/10, /*burst=*/3, clock);

  CHECK(limiter.Take(5) == 3);
  CHECK(limiter.Take(1) == 0);
  CHECK(limiter.NanosUntilOne() == kNanosPerSecond / 10 + 1);
  clock.Advance(kNanosPerSecond / 10);
  CHECK(limiter.Take(5) == 1);
  clock.Advance(10 * kNanosPerSecond);
  CHECK(limiter.NanosUntilOne() > 0);  // As of the last call.
  CHECK(limiter.Take(5) == 3);
}

TEST_CASE("rate: what is reserved comes in its time, and others wait behind it", "[rate]") {
  TokenBucket bucket(/*per_second=*/10, /*burst=*/2, /*now_ns=*/0);

  CHECK(bucket.Reserve(2, 0) == 0);
  CHECK(bucket.Reserve(5, 0) == kNanosPerSecond / 2);
  CHECK(bucket.Take(1, kNanosPerSecond / 2) == 0);
  CHECK(bucket.Reserve(5, kNanosPerSecond / 2) == kNanosPerSecond);
}

TEST_CASE("rate: a reservation made late loses nothing of the rate", "[rate]") {
  TokenBucket bucket(/*per_second=*/1000, /*burst=*/1, /*now_ns=*/0);
  int64_t due = 0;
  // Always asked from the moment when the one before was due.
  for (int i = 0; i < 100; ++i)
    due = bucket.Reserve(20, due);

  CHECK(due == 1999 * kNanosPerMilli);
}

TEST_CASE("rate: a burst beyond all numbers is only a number", "[rate]") {
  TokenBucket bucket(/*per_second=*/1e-9, /*burst=*/1e30, /*now_ns=*/0);

  CHECK(bucket.Take(1000, 0) == 1000);
  TokenBucket slow(/*per_second=*/1e-300, /*burst=*/1, /*now_ns=*/0);
  CHECK(slow.Take(1, 0) == 1);
  CHECK(slow.NanosUntilOne() > 0);
  CHECK(slow.Reserve(1000, 5) > 0);
}

}  // namespace agent
