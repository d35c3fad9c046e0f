// What a lane does with requests that the receiver refuses in part or for their size.

#include <string>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

#include "tests/outputs/lane_bench.h"

namespace agent {
namespace {

using std::chrono::milliseconds;

TEST_CASE("lane: a 400 costs the offending entries and no others", "[lane]") {
  LaneBench bench;
  for (int i = 0; i < 20; ++i)
    bench.maker.Add({{"s", std::to_string(i % 4)}}, "line " + std::to_string(i), 1'000 + i);
  bench.maker.Add({{"s", "2"}}, "bad", 2'000);
  const uint64_t all = bench.maker.offset;
  bench.lane.Enqueue(bench.maker.Take());

  std::vector<std::string> stored;
  const std::size_t requests = bench.Run([&](const std::vector<PushedEntry>& entries) {
    if (Has(entries, "bad")) return Answer(400, "couldn't parse labels\nsecond line");
    for (const PushedEntry& entry : entries)
      stored.push_back(entry.line);
    return Answer(204);
  });

  CHECK(stored.size() == 20);  // Each once.
  CHECK(requests <= loki::Lane::kMaxIsolationRequests);
  CHECK(bench.Dropped(LossReason::kIngesterError) == 1);
  CHECK(bench.maker.source->Balance(0).dropped == 4);
  CHECK(bench.maker.source->Balance(0).settled == all - 4);
  CHECK(bench.maker.source->settled(0) == all);
  const std::string dead = bench.DeadLetterText();
  CHECK(std::count(dead.begin(), dead.end(), '\n') == 1);
  CHECK(dead.find(R"("line":"bad")") != std::string::npos);
  CHECK(dead.find(R"("labels":"{s=\"2\"}")") != std::string::npos);
  CHECK(dead.find("couldn't parse labels") != std::string::npos);
  CHECK(dead.find("second line") == std::string::npos);
}

TEST_CASE("lane: a batch refused through and through ends within its requests", "[lane]") {
  LaneBench bench;
  const int streams = GENERATE(1, 5, 200);
  for (int i = 0; i < 1000; ++i)
    bench.maker.Add({{"s", std::to_string(i % streams)}}, "x" + std::to_string(i));
  bench.lane.Enqueue(bench.maker.Take());

  const std::size_t requests =
      bench.Run([](const std::vector<PushedEntry>&) { return Answer(400); });

  // Every piece has been tried once; splitting has ended at 32.
  CHECK(requests <= 32 + 16 + 32);
  CHECK(bench.Dropped(LossReason::kIngesterError) == 1000);
  CHECK(bench.maker.source->Balance(0).dropped == bench.maker.offset);
}

TEST_CASE("lane: a stream's order survives splitting", "[lane]") {
  LaneBench bench;
  for (int i = 0; i < 64; ++i)
    bench.maker.Add({{"s", std::to_string(i % 2)}}, i == 31 ? "bad" : "x", 100 + i);
  bench.lane.Enqueue(bench.maker.Take());
  std::map<std::string, int64_t> newest;
  bench.Run([&](const std::vector<PushedEntry>& entries) {
    if (Has(entries, "bad")) return Answer(400);
    for (const PushedEntry& entry : entries) {
      CHECK(entry.timestamp_ns > newest[entry.labels]);
      newest[entry.labels] = entry.timestamp_ns;
    }
    return Answer(204);
  });
  CHECK(newest.size() == 2);
}

TEST_CASE("lane: what is too large is halved; a single entry goes to the dead letter", "[lane]") {
  const auto refusal = GENERATE_COPY(
      Answer(413), Answer(500,
                          "rpc error: code = ResourceExhausted desc = trying to send message "
                          "larger than max (5000000 vs. 4194304)"));
  LaneBench bench;
  for (int i = 0; i < 10; ++i)
    bench.maker.Add({{"s", std::to_string(i % 3)}}, std::string(i == 4 ? 500 : 50, 'x'));
  bench.lane.Enqueue(bench.maker.Take());
  std::size_t stored = 0;

  bench.Run([&](const std::vector<PushedEntry>& entries) {
    std::size_t bytes = 0;
    for (const PushedEntry& entry : entries)
      bytes += entry.line.size();
    if (bytes > 200) return refusal;
    stored += entries.size();
    return Answer(204);
  });

  CHECK(stored == 9);
  CHECK(bench.Dropped(LossReason::kIngesterError) == 1);
  CHECK_FALSE(bench.DeadLetterText().empty());
}

TEST_CASE("lane: a rate limited request of several streams is sent stream by stream", "[lane]") {
  LaneBench bench;
  for (int i = 0; i < 6; ++i)
    bench.maker.Add({{"s", std::to_string(i % 3)}}, "x" + std::to_string(i));
  bench.lane.Enqueue(bench.maker.Take());
  bench.Respond(Answer(429));
  bench.Wake();
  for (int i = 0; i < 3; ++i) {
    int streams = 0;
    CHECK(DecodePush(bench.host.posts.back(), &streams)->size() == 2);
    CHECK(streams == 1);
    bench.Respond(Answer(204));
  }
  CHECK(bench.lane.idle());

  SECTION("the next batches too, for a while") {
    bench.maker.Add({{"s", "1"}}, "a");
    bench.maker.Add({{"s", "2"}}, "b");
    bench.lane.Enqueue(bench.maker.Take());
    CHECK(DecodePush(bench.host.posts.back())->size() == 1);
  }
  SECTION("then all at once again") {
    bench.clock.Advance(61 * kNanosPerSecond);
    bench.maker.Add({{"s", "1"}}, "a");
    bench.maker.Add({{"s", "2"}}, "b");
    bench.lane.Enqueue(bench.maker.Take());
    CHECK(DecodePush(bench.host.posts.back())->size() == 2);
  }
}

TEST_CASE("lane: a large batch that stays rate limited is halved", "[lane]") {
  LaneBench bench;
  for (int i = 0; i < 100; ++i)
    bench.maker.Add(kLabels, std::string(5'000, 'x'));
  bench.lane.Enqueue(bench.maker.Take());
  for (int i = 0; i < 3; ++i) {
    CHECK(DecodePush(bench.host.posts.back())->size() == 100);
    bench.Respond(Answer(429));
    bench.Wake();
  }
  CHECK(DecodePush(bench.host.posts.back())->size() == 50);
}

}  // namespace
}  // namespace agent
