#include "outputs/loki/loki_output.h"

#include <fcntl.h>

#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

#include "base/unique_fd.h"
#include "outputs/registry.h"
#include "tests/support/scriptable_sink.h"
#include "tests/support/temp_dir.h"

namespace agent {
namespace {

using std::chrono::milliseconds;

class MapSink final : public MetricSink {
 public:
  void Add(std::string_view name, std::initializer_list<std::string_view> labels,
           double value) override {
    values[Key(name, labels)] += value;
  }
  void AddHistogram(std::string_view name, std::initializer_list<std::string_view> labels,
                    const HistogramSnapshot& histogram) override {
    for (const uint64_t count : histogram.counts)
      values[Key(name, labels)] += static_cast<double>(count);
  }
  std::map<std::string, double> values;

 private:
  static std::string Key(std::string_view name, std::initializer_list<std::string_view> labels) {
    std::string key(name);
    for (const std::string_view label : labels)
      key += "|" + std::string(label);
    return key;
  }
};

struct Bench {
  explicit Bench(LokiOptions options)
      : null(::open("/dev/null", O_WRONLY)),
        logger(null.get(), LogLevel::kError, LogFormat::kLogfmt),
        dead_letter({folder.path() + "/dead", 1 << 20}, clock, logger),
        output(MakeLokiOutput(std::move(options), loop, budget, clock, Random(1), logger,
                              dead_letter, 0)),
        encoder(
            output->MakeEncoder(sets, [this](Batch batch) { output->Enqueue(std::move(batch)); })) {
    encoder->BeginSource(source);
    tick.StartRepeating(milliseconds(10), [] {});
  }

  void Add(const Labels& labels, const std::string& line, int64_t timestamp_ns = 1) {
    Entry entry;
    entry.labels = sets.Intern(labels);
    entry.line = line;
    entry.timestamp_ns = timestamp_ns;
    entry.offset = offset;
    entry.source_bytes = static_cast<uint32_t>(line.size() + 1);
    encoder->Add(entry, 1);
    offset += entry.source_bytes;
    source->Advance(
        {.end = offset, .read_bytes = entry.source_bytes, .dropped_bytes = 0, .lines = 1});
  }
  template <typename Condition>
  bool RunUntil(Condition condition) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (!condition() && std::chrono::steady_clock::now() < deadline)
      uv_run(loop.uv(), UV_RUN_ONCE);
    return condition();
  }
  bool FlushAll() {
    encoder->Flush(INT64_MAX);
    return RunUntil([this] { return output->idle(); });
  }
  double Metric(const std::string& key) const {
    MapSink sink;
    output->CollectMetrics(sink);
    const auto found = sink.values.find(key);
    return found == sink.values.end() ? -1 : found->second;
  }

  TempDir folder;
  SystemClock clock;
  UniqueFd null;
  Logger logger;
  Loop loop;
  Timer tick{loop};  // A turn of the loop never lasts longer.
  MemoryBudget budget{std::size_t{24} << 20};
  DeadLetter dead_letter;
  LabelSets sets;
  std::shared_ptr<SourceProgress> source =
      std::make_shared<SourceProgress>("job", std::vector<uint64_t>{0}, nullptr);
  uint64_t offset = 0;
  std::unique_ptr<Output> output;
  std::unique_ptr<Encoder> encoder;
};

LokiOptions OptionsFor(const ScriptableSink& sink) {
  LokiOptions options;
  options.name = "c1";
  options.url = sink.push_url();
  options.min_backoff = milliseconds(10);
  options.max_backoff = milliseconds(50);
  return options;
}

SinkAnswer Status(int status) {
  SinkAnswer answer;
  answer.status = status;
  return answer;
}

const Labels kLabels{{"app", "web"}};

TEST_CASE("loki output: delivers as Promtail does", "[loki_output]") {
  ScriptableSink sink;
  LokiOptions options = OptionsFor(sink);
  options.tenant_id = "team-a";
  options.user_agent = "log-agent/1";
  Bench bench(options);
  bench.Add(kLabels, "hello", 1'700'000'000'000'000'001);
  REQUIRE(bench.FlushAll());

  const auto requests = sink.requests();
  REQUIRE(requests.size() == 1);
  CHECK(requests[0].path == "/loki/api/v1/push");
  CHECK(requests[0].headers.at("content-type") == "application/x-protobuf");
  CHECK(requests[0].headers.at("user-agent") == "log-agent/1");
  CHECK(requests[0].headers.count("content-encoding") == 0);
  CHECK(requests[0].tenant == "team-a");
  REQUIRE(requests[0].entries.size() == 1);
  CHECK(requests[0].entries[0].labels == R"({app="web"})");
  CHECK(requests[0].entries[0].line == "hello");
  CHECK(requests[0].entries[0].timestamp_ns == 1'700'000'000'000'000'001);
  CHECK(bench.source->settled(0) == 6);
  CHECK(bench.budget.used() == 0);

  const std::string host = "127.0.0.1:" + std::to_string(sink.port());
  CHECK(bench.Metric("promtail_sent_entries_total|" + host) == 1);
  CHECK(bench.Metric("promtail_sent_bytes_total|" + host) ==
        static_cast<double>(requests[0].body_bytes));
  CHECK(bench.Metric("promtail_encoded_bytes_total|" + host) ==
        static_cast<double>(requests[0].body_bytes));
  CHECK(bench.Metric("promtail_request_duration_seconds|204|" + host) == 1);
  CHECK(bench.Metric("promtail_dropped_entries_total|" + host + "|team-a|rate_limited") == 0);
  CHECK(bench.Metric("promtail_mutated_entries_total|" + host + "|team-a|line_too_long") == 0);
  CHECK(bench.Metric("promtail_batch_retries_total|" + host + "|team-a") == 0);
}

TEST_CASE("loki output: all that can go wrong on the way loses and reorders nothing",
          "[loki_output]") {
  ScriptableSink sink;
  LokiOptions options = OptionsFor(sink);
  options.http.timeout = milliseconds(300);
  options.batchsize_bytes = 2'000;
  Bench bench(options);
  std::vector<SinkAnswer> answers;
  for (const auto way :
       {SinkAnswer::Way::kHangUp, SinkAnswer::Way::kHalfAnswer, SinkAnswer::Way::kResetInBody,
        SinkAnswer::Way::kStall, SinkAnswer::Way::kAnswerAndClose, SinkAnswer::Way::kAnswer}) {
    SinkAnswer answer;
    answer.way = way;
    answer.read_bytes = 50;
    answers.push_back(answer);
    answers.push_back(Status(503));
    answers.push_back(Status(429));
  }
  sink.Script(answers);
  for (int i = 0; i < 200; ++i)
    bench.Add(kLabels, "line " + std::to_string(i) + std::string(50, '.'), 1'000 + i);
  REQUIRE(bench.FlushAll());

  const auto accepted = sink.accepted();
  REQUIRE(accepted.size() == 200);  // Each once: what the receiver did not take was not counted.
  for (std::size_t i = 0; i < accepted.size(); ++i)
    CHECK(accepted[i].timestamp_ns == static_cast<int64_t>(1'000 + i));
  CHECK(bench.source->settled(0) == bench.offset);
  CHECK(bench.source->Balance(0).in_flight == 0);
  const std::string host = "127.0.0.1:" + std::to_string(sink.port());
  // Not all four: on a kept connection the client tries again by itself.
  CHECK(bench.Metric("promtail_request_duration_seconds|-1|" + host) >= 2);
}

TEST_CASE("loki output: no request comes before Retry-After", "[loki_output]") {
  ScriptableSink sink;
  SinkAnswer wait = Status(429);
  wait.headers["Retry-After"] = "1";
  sink.Script({wait});
  Bench bench(OptionsFor(sink));
  bench.Add(kLabels, "x");
  REQUIRE(bench.FlushAll());

  const auto requests = sink.requests();
  REQUIRE(requests.size() == 2);
  CHECK(requests[1].arrived - requests[0].arrived >= milliseconds(1'000));
}

TEST_CASE("loki output: a tenant in trouble does not hold up the others", "[loki_output]") {
  ScriptableSink sink;
  SinkAnswer wait = Status(429);
  wait.headers["Retry-After"] = "600";
  sink.Script({wait});
  Bench bench(OptionsFor(sink));
  bench.Add({{"a", "1"}, {"__tenant_id__", "slow"}}, "x");
  bench.encoder->Flush(INT64_MAX);
  REQUIRE(bench.RunUntil([&] { return sink.request_count() == 1; }));
  bench.Add({{"a", "1"}, {"__tenant_id__", "fast"}}, "y");
  bench.encoder->Flush(INT64_MAX);

  REQUIRE(bench.RunUntil([&] { return sink.accepted_entries() == 1; }));
  CHECK(sink.accepted()[0].tenant == "fast");
  REQUIRE(bench.RunUntil([&] { return bench.output->Status()[0].state == "idle"; }));
  const auto status = bench.output->Status();
  REQUIRE(status.size() == 2);
  CHECK(status[1].tenant == "slow");
  CHECK(status[1].state == "retrying");
  CHECK(status[1].queued_batches == 1);
}

TEST_CASE("loki output: draining delivers what it can", "[loki_output]") {
  ScriptableSink sink;
  Bench bench(OptionsFor(sink));
  bool done = false;

  SECTION("nothing to do") {
    bench.output->Drain(std::chrono::seconds(5), [&] { done = true; });
    CHECK_FALSE(done);  // Later, never from within.
  }
  SECTION("all delivered") {
    sink.Script({Status(503)});
    bench.Add(kLabels, "x");
    bench.encoder->Flush(INT64_MAX);
    bench.output->Drain(std::chrono::seconds(5), [&] { done = true; });
  }
  REQUIRE(bench.RunUntil([&] { return done; }));
  CHECK(bench.output->idle());
  CHECK(bench.source->settled(0) == bench.offset);
}

TEST_CASE("loki output: draining ends with the deadline, the rest unsettled", "[loki_output]") {
  ScriptableSink sink;
  SinkAnswer stall;
  stall.way = SinkAnswer::Way::kStall;
  sink.SetDefault(stall);
  Bench bench(OptionsFor(sink));
  bench.Add(kLabels, "x");
  bench.encoder->Flush(INT64_MAX);
  REQUIRE(bench.RunUntil([&] { return sink.request_count() == 1; }));
  bool done = false;
  const auto start = std::chrono::steady_clock::now();

  bench.output->Drain(milliseconds(200), [&] { done = true; });
  REQUIRE(bench.RunUntil([&] { return done; }));

  CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(3));
  CHECK(bench.output->idle());
  CHECK(bench.source->settled(0) == 0);
  CHECK(bench.source->Balance(0).in_flight == 2);
}

TEST_CASE("loki output: one probe at a time while the host is down", "[loki_output]") {
  ScriptableSink sink;
  SinkAnswer slow = Status(503);
  slow.delay = milliseconds(30);
  sink.SetDefault(slow);
  Bench bench(OptionsFor(sink));
  for (int i = 0; i < 20; ++i)
    bench.Add({{"a", "1"}, {"__tenant_id__", "t" + std::to_string(i)}}, "x");
  bench.encoder->Flush(INT64_MAX);
  REQUIRE(bench.RunUntil([&] { return sink.request_count() >= 30; }));
  // The first 20 went out together; then one after the other, 30 ms each.
  const auto requests = sink.requests();
  CHECK(requests[29].arrived - requests[21].arrived > milliseconds(7 * 30));

  sink.SetDefault(SinkAnswer());
  REQUIRE(bench.RunUntil([&] { return bench.output->idle(); }));
  CHECK(sink.accepted_entries() == 20);
}

TEST_CASE("loki output: refused entries are in the dead letter before the batch settles",
          "[loki_output]") {
  ScriptableSink sink;
  SinkAnswer refused = Status(400);
  refused.body = "entry too far behind";
  sink.SetDefault(refused);
  Bench bench(OptionsFor(sink));
  bench.Add(kLabels, "x");
  REQUIRE(bench.FlushAll());

  CHECK(bench.dead_letter.written_entries() == 1);
  CHECK(bench.source->settled(0) == 2);
  CHECK(bench.source->Balance(0).dropped == 2);
  const std::string host = "127.0.0.1:" + std::to_string(sink.port());
  CHECK(bench.Metric("promtail_dropped_entries_total|" + host + "||ingester_error") == 1);
  CHECK(bench.Metric("agent_dead_letter_entries_total|c1|ingester_error") == 1);
}

}  // namespace
}  // namespace agent
