#include <string>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

#include "tests/outputs/lane_bench.h"

namespace agent {
namespace {

using std::chrono::milliseconds;

TEST_CASE("lane: an accepted batch settles, and the next one goes out", "[lane]") {
  const int status = GENERATE(200, 204, 299);
  LaneBench bench;
  bench.maker.Add(kLabels, "one");
  bench.lane.Enqueue(bench.maker.Take());
  bench.maker.Add(kLabels, "two");
  bench.lane.Enqueue(bench.maker.Take());
  REQUIRE(bench.host.posts.size() == 1);  // One request in flight.

  bench.Respond(Answer(status));

  CHECK(bench.maker.source->Balance(0).settled == 4);
  REQUIRE(bench.host.posts.size() == 2);
  bench.Respond(Answer(status));
  CHECK(bench.lane.idle());
  CHECK(bench.host.sent_entries == 2);
  CHECK(bench.maker.source->Balance(0).in_flight == 0);
}

TEST_CASE("lane: a failed batch is sent again unchanged, before the ones behind it", "[lane]") {
  const int status = GENERATE(0, 408, 425, 500, 502, 503, 504, 418);
  LaneBench bench;
  bench.maker.Add(kLabels, "one");
  bench.lane.Enqueue(bench.maker.Take());
  bench.maker.Add(kLabels, "two");
  bench.lane.Enqueue(bench.maker.Take());

  bench.Respond(Answer(status));
  CHECK(bench.maker.source->Balance(0).settled == 0);
  CHECK(bench.lane.Status().state == "retrying");
  CHECK_FALSE(bench.lane.Status().last_error.empty());
  const milliseconds waited = bench.Wake();

  CHECK(waited >= milliseconds(250));
  CHECK(waited <= milliseconds(500));
  REQUIRE(bench.host.posts.size() == 2);
  CHECK(bench.host.posts[0] == bench.host.posts[1]);
  CHECK(bench.maker.counters->ForTenant("").batch_retries == 1);
}

TEST_CASE("lane: waits grow to the bound and start over after a success", "[lane]") {
  LaneBench bench;
  bench.maker.Add(kLabels, "one");
  bench.lane.Enqueue(bench.maker.Take());
  int64_t expected = 500;
  for (int attempt = 0; attempt < 14; ++attempt) {
    bench.Respond(Answer(503));
    const int64_t waited = bench.Wake().count();
    CHECK(waited >= expected / 2);
    CHECK(waited <= expected);
    expected = std::min<int64_t>(expected * 2, 300'000);
  }
  bench.Respond(Answer(204));
  bench.maker.Add(kLabels, "two");
  bench.lane.Enqueue(bench.maker.Take());
  bench.Respond(Answer(503));
  CHECK(bench.Wake() <= milliseconds(500));
}

TEST_CASE("lane: Retry-After is never undercut, and bounded", "[lane]") {
  struct Case {
    std::string header;
    int64_t least_ms;
    int64_t most_ms;
  };
  const auto c = GENERATE(values<Case>({
      {"7", 7'000, 7'700},
      {"Fri, 02 Jan 2026 03:04:25 GMT", 20'000, 22'000},
      {"999999", 600'000, 660'000},
      {"0", 250, 500},
      {"Thu, 01 Jan 1970 00:00:00 GMT", 250, 500},
      {"soon", 250, 500},
  }));
  const int status = GENERATE(429, 503);
  INFO(c.header);
  LaneBench bench;
  bench.maker.Add(kLabels, "one");
  bench.lane.Enqueue(bench.maker.Take());

  bench.Respond(Answer(status, "", c.header));

  const int64_t waited = bench.Wake().count();
  CHECK(waited >= c.least_ms);
  CHECK(waited <= c.most_ms);
}

TEST_CASE("lane: what is not the data's fault is held and tried rarely", "[lane]") {
  const int status = GENERATE(260, 301, 302, 400, 401, 403, 404, 405, 406, 415, 501, 505);
  // A 400 of a proxy is a page.
  const std::string body = status == 400 ? "<html>\r\n<head><title>400</title></head>" : "";
  LaneBench bench;
  bench.maker.Add(kLabels, "one");
  bench.lane.Enqueue(bench.maker.Take());
  for (int attempt = 0; attempt < 6; ++attempt) {
    bench.Respond(Answer(status, body));
    CHECK(bench.lane.Status().state == "holding");
    const milliseconds waited = bench.Wake();
    CHECK(waited >= milliseconds(30'000));
    CHECK(waited <= milliseconds(300'000));
  }
  CHECK(bench.maker.source->Balance(0).in_flight == 4);

  bench.Respond(Answer(204));
  CHECK(bench.maker.source->Balance(0).settled == 4);
}

TEST_CASE("lane: drop_rate_limited_batches drops at once, and keeps nothing", "[lane]") {
  LokiOptions options;
  options.drop_rate_limited_batches = true;
  LaneBench bench(options);
  bench.maker.Add(kLabels, "x");
  bench.lane.Enqueue(bench.maker.Take());

  bench.Respond(Answer(429));

  CHECK(bench.lane.idle());
  CHECK(bench.Dropped(LossReason::kRateLimited) == 1);
  CHECK(bench.DeadLetterText().empty());
}

TEST_CASE("lane: max_retries is the number of attempts", "[lane]") {
  const int status = GENERATE(0, 429, 503);
  LokiOptions options;
  options.max_retries = 3;
  LaneBench bench(options);
  bench.maker.Add({{"s", "1"}}, "x");
  bench.maker.Add({{"s", "2"}}, "y");
  bench.lane.Enqueue(bench.maker.Take());

  const std::size_t requests =
      bench.Run([&](const std::vector<PushedEntry>&) { return Answer(status); });

  // Rate limited, the two streams have gone separate ways after the first attempt.
  CHECK(requests == (status == 429 ? 5 : 3));
  CHECK(bench.Dropped(status == 429 ? LossReason::kRateLimited : LossReason::kIngesterError) == 2);
  const std::string dead = bench.DeadLetterText();
  CHECK(std::count(dead.begin(), dead.end(), '\n') == 2);
  CHECK(bench.maker.source->settled(0) == bench.maker.offset);
}

TEST_CASE("lane: without max_retries nothing is given up", "[lane]") {
  LokiOptions options;
  options.max_retries = GENERATE(std::optional<int>(), std::optional<int>(0));
  LaneBench bench(options);
  bench.maker.Add(kLabels, "x");
  bench.lane.Enqueue(bench.maker.Take());
  for (int attempt = 0; attempt < 500; ++attempt) {
    bench.Respond(Answer(503));
    bench.Wake();
  }
  CHECK(bench.maker.source->Balance(0).in_flight == 2);
}

TEST_CASE("lane: a poisonous entry is found while others pass", "[lane]") {
  const int status = GENERATE(500, 503);
  LaneBench bench;
  for (int i = 0; i < 8; ++i)
    bench.maker.Add(kLabels, i == 5 ? "poison" : "x", 100 + i);
  bench.lane.Enqueue(bench.maker.Take());
  std::size_t stored = 0;

  bench.Run([&](const std::vector<PushedEntry>& entries) {
    ++bench.host.accepted_requests;  // Another lane's.
    if (Has(entries, "poison")) return Answer(status);
    stored += entries.size();
    return Answer(204);
  });

  CHECK(stored == 7);
  CHECK(bench.DeadLetterText().find("poison") != std::string::npos);
}

TEST_CASE("lane: a lane alone finds the poisonous half by trying", "[lane]") {
  LaneBench bench;
  for (int i = 0; i < 8; ++i)
    bench.maker.Add(kLabels, i == 7 ? "poison" : "x", 100 + i);
  bench.lane.Enqueue(bench.maker.Take());
  std::size_t stored = 0;
  for (int turn = 0; turn < 2'000 && stored < 7; ++turn) {
    const auto entries = *DecodePush(bench.host.posts.back());
    if (Has(entries, "poison")) {
      bench.Respond(Answer(500));
      bench.Wake();
    } else {
      stored += entries.size();
      bench.Respond(Answer(204));
    }
  }
  CHECK(stored == 7);
}

TEST_CASE("lane: waits until the host admits it", "[lane]") {
  LaneBench bench;
  bench.host.admits = false;
  bench.maker.Add(kLabels, "x");
  bench.lane.Enqueue(bench.maker.Take());
  CHECK(bench.host.posts.empty());

  bench.lane.OnAdmitted();

  CHECK(bench.host.posts.size() == 1);
}

TEST_CASE("lane: a host that is up again ends the wait, but not one that was asked for", "[lane]") {
  LaneBench bench;
  bench.maker.Add(kLabels, "x");
  bench.lane.Enqueue(bench.maker.Take());

  bench.Respond(Answer(503, "", "60"));
  bench.lane.OnHostUp();
  CHECK_FALSE(bench.host.in_flight);
  bench.Wake();

  bench.Respond(Answer(503));
  bench.lane.OnHostUp();
  CHECK(bench.host.in_flight);
}

TEST_CASE("lane: draining tries once more and then gives up, unsettled", "[lane]") {
  LaneBench bench;
  bench.maker.Add(kLabels, "x");
  bench.lane.Enqueue(bench.maker.Take());
  for (int i = 0; i < 12; ++i) {
    bench.Respond(Answer(503));
    bench.Wake();
  }
  bench.Respond(Answer(503));
  const std::size_t before = bench.host.posts.size();

  bench.lane.Drain(bench.clock.MonotonicNanos() + 5 * kNanosPerSecond);
  REQUIRE(bench.host.posts.size() == before + 1);
  bench.Respond(Answer(503));

  CHECK(bench.lane.idle());
  CHECK(bench.maker.source->settled(0) == 0);
  CHECK(bench.maker.source->Balance(0).in_flight == 2);
}

TEST_CASE("lane: draining does not come before a Retry-After", "[lane]") {
  LaneBench bench;
  bench.maker.Add(kLabels, "x");
  bench.lane.Enqueue(bench.maker.Take());
  bench.Respond(Answer(429, "", "60"));

  bench.lane.Drain(bench.clock.MonotonicNanos() + 5 * kNanosPerSecond);

  CHECK(bench.host.posts.size() == 1);
  CHECK(bench.lane.idle());
}

TEST_CASE("lane: 422 is dropped, counted and kept", "[lane]") {
  LaneBench bench;
  bench.maker.Add(kLabels, "x");
  bench.lane.Enqueue(bench.maker.Take());
  bench.Respond(Answer(422));
  CHECK(bench.lane.idle());
  CHECK(bench.Dropped(LossReason::kIngesterError) == 1);
  CHECK_FALSE(bench.DeadLetterText().empty());
}

TEST_CASE("lane: max_streams_per_request sends streams apart", "[lane]") {
  LokiOptions options;
  options.max_streams_per_request = 2;
  LaneBench bench(options);
  for (int i = 0; i < 5; ++i)
    bench.maker.Add({{"s", std::to_string(i)}}, "x");
  bench.lane.Enqueue(bench.maker.Take());
  const std::size_t requests = bench.Run([](const std::vector<PushedEntry>& entries) {
    CHECK(entries.size() <= 2);
    return Answer(204);
  });
  CHECK(requests == 3);
}

}  // namespace
}  // namespace agent
