#include "outputs/logstash/slow_start.h"

#include <cstddef>
#include <vector>

#include <catch2/catch.hpp>

namespace agent::logstash {

TEST_CASE("slow start: off, windows are as large as they may be", "[lumberjack]") {
  SlowStart slow_start(false, 2048);
  slow_start.OnFailed();
  CHECK(slow_start.limit() == 2048);
}

TEST_CASE("slow start: grows by half with each full window", "[lumberjack]") {
  SlowStart slow_start(true, 40);
  std::vector<std::size_t> limits;
  for (int i = 0; i < 6; ++i) {
    limits.push_back(slow_start.limit());
    slow_start.OnDone(slow_start.limit());
  }
  CHECK(limits == std::vector<std::size_t>{10, 15, 23, 35, 40, 40});
}

TEST_CASE("slow start: a small window proves nothing", "[lumberjack]") {
  SlowStart slow_start(true, 40);
  slow_start.OnDone(9);
  CHECK(slow_start.limit() == 10);
}

TEST_CASE("slow start: after a failure half, then back to what worked, then on", "[lumberjack]") {
  SlowStart slow_start(true, 2048);
  slow_start.OnDone(10);
  slow_start.OnDone(15);
  REQUIRE(slow_start.limit() == 23);
  slow_start.OnFailed();
  CHECK(slow_start.limit() == 11);
  slow_start.OnDone(11);
  CHECK(slow_start.limit() == 15);
  slow_start.OnDone(15);
  CHECK(slow_start.limit() == 23);
}

TEST_CASE("slow start: never below one", "[lumberjack]") {
  SlowStart slow_start(true, 3);
  for (int i = 0; i < 5; ++i)
    slow_start.OnFailed();
  CHECK(slow_start.limit() == 1);
}

}  // namespace agent::logstash
