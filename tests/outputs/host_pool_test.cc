#include "outputs/host_pool.h"

#include <set>

#include <catch2/catch.hpp>

#include "base/clock.h"

namespace agent {
namespace {

HostPool::Options Hosts(std::size_t hosts, bool load_balance) {
  return {.hosts = hosts,
          .load_balance = load_balance,
          .per_host = 1,
          .min_backoff = std::chrono::milliseconds(1000),
          .max_backoff = std::chrono::milliseconds(4000)};
}

}  // namespace

TEST_CASE("host pool: gives every host its share", "[outputs]") {
  HostPool pool(Hosts(3, true), Random(1));
  std::set<std::size_t> given;
  for (int i = 0; i < 3; ++i)
    given.insert(*pool.Take(0));
  CHECK(given.size() == 3);
  CHECK_FALSE(pool.Take(0));
  pool.Release(1, /*failed=*/false, 0);
  CHECK(pool.Take(0) == std::size_t{1});
}

TEST_CASE("host pool: one that fails is left alone, longer each time, then asked once",
          "[outputs]") {
  HostPool pool(Hosts(1, true), Random(1));
  int64_t now = 0;
  int64_t last_wait = 0;
  for (int i = 0; i < 3; ++i) {
    REQUIRE(pool.Take(now));
    pool.Release(0, /*failed=*/true, now);
    CHECK(pool.all_down(now));
    CHECK_FALSE(pool.Take(now));
    const int64_t next = *pool.NextTry();
    CHECK(next - now >= 500 * kNanosPerMilli << i);
    CHECK(next - now <= 1000 * kNanosPerMilli << i);
    CHECK(next - now > last_wait / 2);
    last_wait = next - now;
    now = next;
  }
  REQUIRE(pool.Take(now));
  CHECK_FALSE(pool.Take(now));
  pool.Release(0, /*failed=*/false, now);
  CHECK_FALSE(pool.NextTry());
  CHECK(pool.Take(now));
}

TEST_CASE("host pool: without balancing one host is used until it fails", "[outputs]") {
  HostPool pool(Hosts(2, false), Random(1));
  const std::size_t first = *pool.Take(0);
  CHECK_FALSE(pool.Take(0));
  pool.Release(first, /*failed=*/false, 0);
  CHECK(pool.Take(0) == first);
  pool.Release(first, /*failed=*/true, 0);
  const std::size_t second = *pool.Take(0);
  CHECK(second != first);
  pool.Release(second, /*failed=*/false, 0);
  // It stays with the one that works.
  const int64_t later = 10 * kNanosPerSecond;
  CHECK(pool.Take(later) == second);
}

TEST_CASE("host pool: says how long a host is left alone", "[es]") {
  HostPool pool(Hosts(1, true), Random(1));
  CHECK(pool.rest_ns(0, 0) == 0);
  REQUIRE(pool.Take(0));

  pool.Release(0, /*failed=*/true, 0);

  CHECK(pool.rest_ns(0, 0) >= 500 * kNanosPerMilli);
  CHECK(pool.rest_ns(0, 0) <= 1000 * kNanosPerMilli);
  CHECK(pool.rest_ns(0, 2000 * kNanosPerMilli) == 0);
}

}  // namespace agent
