#include "agent/tail/backlog.h"

#include <catch2/catch.hpp>

namespace agent {
namespace {

TEST_CASE("backlog: none while all is settled", "[tail]") {
  Backlog backlog;
  backlog.Note(0, 0, 1);
  backlog.Note(100, 100, 2);
  CHECK(backlog.since_ns() == 0);
}

TEST_CASE("backlog: begins when the file grows, ends when that is settled", "[tail]") {
  Backlog backlog;
  backlog.Note(100, 100, 10);
  backlog.Grew(50);
  backlog.Grew(60);
  CHECK(backlog.since_ns() == 50);
  backlog.Note(100, 180, 70);
  CHECK(backlog.since_ns() == 50);
  backlog.Note(180, 180, 90);
  CHECK(backlog.since_ns() == 0);
}

TEST_CASE("backlog: stays as old as it is while nothing settles", "[tail]") {
  Backlog backlog;
  backlog.Note(0, 100, 10);
  for (int64_t now = 20; now < 1000; now += 10)
    backlog.Note(0, 100 + static_cast<uint64_t>(now), now);
  CHECK(backlog.since_ns() == 10);
}

TEST_CASE("backlog: of a file that is always written it is at most twice too old", "[tail]") {
  Backlog backlog;
  constexpr int64_t kDelay = 100;  // From written to settled; a byte is written each tick.
  for (int64_t now = 1; now < 10'000; ++now) {
    const auto settled = static_cast<uint64_t>(now > kDelay ? now - kDelay : 0);
    backlog.Note(settled, static_cast<uint64_t>(now), now);
    REQUIRE(backlog.since_ns() > 0);
    CHECK(now - backlog.since_ns() <= 2 * kDelay);
    if (now > kDelay) CHECK(now - backlog.since_ns() >= kDelay - 1);
  }
}

}  // namespace
}  // namespace agent
