#include "outputs/loki/lane.h"

#include <fcntl.h>

#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

#include "base/unique_fd.h"
#include "tests/outputs/batch_maker.h"
#include "tests/support/fake_clock.h"
#include "tests/support/push_decoder.h"
#include "tests/support/temp_dir.h"

namespace agent {
namespace {

using std::chrono::milliseconds;

HttpResponse Answer(int status, std::string body = "", std::string retry_after = "") {
  HttpResponse response;
  response.status = status;
  response.status_text = std::to_string(status) + " Text";
  response.body = std::move(body);
  if (status == 0) response.error = "connection reset";
  if (!retry_after.empty()) response.headers["retry-after"] = std::move(retry_after);
  return response;
}

class FakeHost final : public loki::LaneHost {
 public:
  bool Admit(loki::Lane& /*lane*/) override { return admits; }
  void ForgetAdmission(loki::Lane& /*lane*/) override {}
  void Post(loki::Lane& /*lane*/, std::string_view body) override {
    posts.emplace_back(body);
    in_flight = true;
  }
  void CancelPost(loki::Lane& /*lane*/) override { in_flight = false; }
  void WakeAfter(loki::Lane& /*lane*/, std::optional<milliseconds> delay) override { wake = delay; }
  void CountSent(std::size_t entries, std::size_t /*bytes*/) override {
    sent_entries += entries;
    ++accepted_requests;
  }
  [[nodiscard]] uint64_t accepted() const override { return accepted_requests; }
  void OnIdle(loki::Lane& /*lane*/) override {}

  bool admits = true;
  bool in_flight = false;
  std::vector<std::string> posts;
  std::optional<milliseconds> wake;
  std::size_t sent_entries = 0;
  uint64_t accepted_requests = 0;
};

// A lane with everything that it stands on.
struct Bench {
  explicit Bench(LokiOptions options_in = LokiOptions())
      : options(std::move(options_in)),
        maker(options),
        null(::open("/dev/null", O_WRONLY)),
        logger(null.get(), LogLevel::kError, LogFormat::kLogfmt),
        dead_letter({.path = folder.path() + "/dead", .max_size_bytes = 1 << 20}, clock, logger),
        lane({.options = options,
              .host = host,
              .counters = maker.counters->ForTenant(""),
              .clock = clock,
              .logger = logger,
              .dead_letter = dead_letter,
              .snappy = snappy},
             "", Random(1)) {}

  void Respond(const HttpResponse& response) {
    REQUIRE(host.in_flight);
    host.in_flight = false;
    lane.OnResponse(response);
  }
  // Lets the time pass that the lane waits.
  milliseconds Wake() {
    REQUIRE(host.wake.has_value());
    const milliseconds waited = *host.wake;
    clock.Advance(waited.count() * kNanosPerMilli);
    lane.OnWake();
    return waited;
  }
  // Answers each request by what is in it until the lane is idle; returns the number of requests.
  template <typename Policy>
  std::size_t Run(Policy policy) {
    const std::size_t before = host.posts.size();
    for (int turns = 0; turns < 20'000 && !lane.idle(); ++turns) {
      if (host.in_flight) {
        Respond(policy(*DecodePush(host.posts.back())));
      } else {
        Wake();
      }
    }
    CHECK(lane.idle());
    return host.posts.size() - before + 1;
  }
  std::string DeadLetterText() const {
    std::string all;
    std::error_code error;
    for (const auto& file : std::filesystem::directory_iterator(folder.path() + "/dead", error)) {
      std::stringstream text;
      text << std::ifstream(file.path()).rdbuf();
      all += text.str();
    }
    return all;
  }
  uint64_t Dropped(LossReason reason) {
    return maker.counters->ForTenant("").dropped[static_cast<std::size_t>(reason)].entries;
  }

  TempDir folder;
  LokiOptions options;
  BatchMaker maker;
  FakeClock clock;
  UniqueFd null;
  Logger logger;
  DeadLetter dead_letter;
  SnappyEncoder snappy;
  FakeHost host;
  loki::Lane lane;
};

const Labels kLabels{{"app", "web"}};

bool Has(const std::vector<PushedEntry>& entries, std::string_view line) {
  for (const PushedEntry& entry : entries)
    if (entry.line == line) return true;
  return false;
}

TEST_CASE("lane: an accepted batch settles, and the next one goes out", "[lane]") {
  const int status = GENERATE(200, 204, 299);
  Bench bench;
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
  Bench bench;
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
  Bench bench;
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
  Bench bench;
  bench.maker.Add(kLabels, "one");
  bench.lane.Enqueue(bench.maker.Take());

  bench.Respond(Answer(status, "", c.header));

  const int64_t waited = bench.Wake().count();
  CHECK(waited >= c.least_ms);
  CHECK(waited <= c.most_ms);
}

TEST_CASE("lane: what is not the data's fault is held and tried rarely", "[lane]") {
  const int status = GENERATE(260, 301, 302, 401, 403, 404, 405, 406, 415, 501, 505);
  Bench bench;
  bench.maker.Add(kLabels, "one");
  bench.lane.Enqueue(bench.maker.Take());
  for (int attempt = 0; attempt < 6; ++attempt) {
    bench.Respond(Answer(status));
    CHECK(bench.lane.Status().state == "holding");
    const milliseconds waited = bench.Wake();
    CHECK(waited >= milliseconds(30'000));
    CHECK(waited <= milliseconds(300'000));
  }
  CHECK(bench.maker.source->Balance(0).in_flight == 4);

  bench.Respond(Answer(204));
  CHECK(bench.maker.source->Balance(0).settled == 4);
}

TEST_CASE("lane: a 400 costs the offending entries and no others", "[lane]") {
  Bench bench;
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
  Bench bench;
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
  Bench bench;
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
  Bench bench;
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
  Bench bench;
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
  Bench bench;
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

TEST_CASE("lane: drop_rate_limited_batches drops at once, and keeps nothing", "[lane]") {
  LokiOptions options;
  options.drop_rate_limited_batches = true;
  Bench bench(options);
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
  Bench bench(options);
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
  Bench bench(options);
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
  Bench bench;
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
  Bench bench;
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
  Bench bench;
  bench.host.admits = false;
  bench.maker.Add(kLabels, "x");
  bench.lane.Enqueue(bench.maker.Take());
  CHECK(bench.host.posts.empty());

  bench.lane.OnAdmitted();

  CHECK(bench.host.posts.size() == 1);
}

TEST_CASE("lane: a host that is up again ends the wait, but not one that was asked for", "[lane]") {
  Bench bench;
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
  Bench bench;
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
  Bench bench;
  bench.maker.Add(kLabels, "x");
  bench.lane.Enqueue(bench.maker.Take());
  bench.Respond(Answer(429, "", "60"));

  bench.lane.Drain(bench.clock.MonotonicNanos() + 5 * kNanosPerSecond);

  CHECK(bench.host.posts.size() == 1);
  CHECK(bench.lane.idle());
}

TEST_CASE("lane: 422 is dropped, counted and kept", "[lane]") {
  Bench bench;
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
  Bench bench(options);
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
