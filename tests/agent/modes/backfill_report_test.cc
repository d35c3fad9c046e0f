#include "agent/modes/backfill_report.h"

#include <catch2/catch.hpp>

namespace agent {
namespace {

using Catch::Contains;

BackfillStatus Half() {
  return {.files = 7,
          .files_done = 3,
          .size_bytes = 200 << 20,
          .delivered_bytes = 100 << 20,
          .lines = 1'000'000};
}

}  // namespace

TEST_CASE("backfill: the bar says how far it is, how fast, and for how long", "[backfill]") {
  CHECK(BackfillBar(Half(), 10, 120) ==
        "[############------------] 50%  100.0 MiB of 200.0 MiB  100,000 lines/s  ETA 10 s");
}

TEST_CASE("backfill: what earlier runs delivered tells nothing of the rate", "[backfill]") {
  BackfillStatus status = Half();
  status.start_bytes = 50 << 20;

  CHECK_THAT(BackfillBar(status, 10, 120), Contains("50%") && Contains("ETA 20 s"));
}

TEST_CASE("backfill: retries, refusals and the last error stand in the bar", "[backfill]") {
  BackfillStatus status = Half();
  status.retried_entries = 1600;
  status.refused_entries = 2;
  status.last_error = "main: connection refused";

  CHECK_THAT(BackfillBar(status, 10, 200),
             Contains("retries 1,600  refused 2  main: connection refused"));
}

TEST_CASE("backfill: the bar never wraps", "[backfill]") {
  BackfillStatus status = Half();
  status.last_error = std::string(500, 'x');
  const int width = GENERATE(1, 2, 20, 80, 200);

  CHECK(BackfillBar(status, 10, width).size() <= static_cast<std::size_t>(width));
}

TEST_CASE("backfill: nothing to read is no division by zero", "[backfill]") {
  CHECK_THAT(BackfillBar({}, 0, 80), Contains("] 0%"));
  BackfillStatus done;
  done.complete = true;
  CHECK_THAT(BackfillBar(done, 0, 80), Contains("] 100%"));
}

TEST_CASE("backfill: the sentence counts what this run did", "[backfill]") {
  BackfillStatus status = Half();
  status.start_bytes = 50 << 20;
  CHECK(BackfillSentence(status, 21.3) ==
        "delivered 1,000,000 lines (50.0 MiB) of 7 files in 21 s");
}

}  // namespace agent
