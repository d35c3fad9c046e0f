#include "agent/runtime/worker.h"

#include <chrono>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

#include "base/config/yaml.h"
#include "pipeline/pipeline.h"
#include "tests/support/fake_clock.h"
#include "tests/support/fake_source.h"
#include "tests/support/recording_encoder.h"

namespace agent {
namespace {

using Lines = std::vector<std::string>;

// A worker with a job "job", whose stages are `stages`, another one "other" without any, and one
// encoder.
class WorkerFixture {
 public:
  explicit WorkerFixture(const std::string& stages = "", RateLimiter* limiter = nullptr)
      : worker_({clock_, logger_, budget_, limiter, /*limiter_drops=*/true,
                 [this](const std::shared_ptr<Source>&) { ended_.set_value(); }}) {
    AddJob("job", stages);
    AddJob("other", "");
    worker_.AddEncoder(std::make_unique<RecordingEncoder>(worker_.label_sets(), recorded_));
    worker_.Start();
  }
  WorkerFixture(const WorkerFixture&) = delete;
  WorkerFixture& operator=(const WorkerFixture&) = delete;
  ~WorkerFixture() { Finish(); }

  void Finish() {
    if (finished_) return;
    finished_ = true;
    std::promise<void> done;
    worker_.Finish([&done] { done.set_value(); });
    done.get_future().wait();
  }

  void AddJob(const std::string& name, const std::string& stages) {
    Problems problems;
    const ConfigNode tree = LoadYaml(stages, problems);
    auto pipeline = Pipeline::Build(tree, "pipeline_stages", name, problems,
                                    {worker_.label_sets(), clock_, logger_, metrics_});
    REQUIRE(pipeline != nullptr);
    auto guard =
        std::make_unique<LabelGuard>(LabelGuard::Options{name, /*max_values=*/1},
                                     worker_.label_sets(), label_values_.Of(name), logger_);
    worker_.AddJob(
        {name, std::move(pipeline), {0}, std::make_shared<JobLedger>(1), std::move(guard)});
  }

  std::shared_ptr<FakeSource> Add(const std::string& lines, Labels labels = {{"a", "1"}},
                                  const std::string& job = "job") {
    auto source = std::make_shared<FakeSource>(job, std::move(labels));
    if (!lines.empty()) source->Give(lines);
    return source;
  }

  FakeClock clock_;
  Logger logger_{2, LogLevel::kError, LogFormat::kLogfmt};
  MemoryBudget budget_{std::size_t{8} << 20};
  CustomMetrics metrics_;
  LabelValues label_values_;
  Recorded recorded_;
  std::promise<void> ended_;
  Worker worker_;

 private:
  bool finished_ = false;
};

}  // namespace

TEST_CASE("worker: reads a source's lines through its pipeline into the encoder", "[worker]") {
  WorkerFixture fixture("- static_labels: {b: '2'}");
  const auto source = fixture.Add("one\ntwo\n");

  fixture.worker_.AddSource(source);
  REQUIRE(fixture.recorded_.WaitForLines(2));
  fixture.Finish();

  CHECK(fixture.recorded_.lines() == Lines{R"({a="1", b="2"} one)", R"({a="1", b="2"} two)"});
  CHECK(source->progress()->processed_end() == 8);
  CHECK(fixture.worker_.counters().lines.value() == 2);
}

TEST_CASE("worker: counts the labels of its sources while it reads them, and those of lines",
          "[worker]") {
  WorkerFixture fixture(R"([{regex: {expression: '(?P<user>.*)'}}, {labels: {user: }}])");
  const auto source = fixture.Add("one\ntwo\n");

  fixture.worker_.AddSource(source);
  REQUIRE(fixture.recorded_.WaitForLines(2));
  const JobLabelValues& values = *fixture.label_values_.Find("job");
  const std::vector<LabelValuesStatus> while_read = values.Status();
  fixture.worker_.RemoveSource(source.get());
  fixture.ended_.get_future().wait();

  REQUIRE(while_read.size() == 2);
  CHECK(while_read[0].name == "a");
  CHECK(while_read[0].from_targets == 1);
  CHECK(while_read[1].name == "user");
  CHECK(while_read[1].values == 2);
  CHECK(while_read[1].exceeded == 1);
  CHECK(values.Status()[0].from_targets == 0);
}

TEST_CASE("worker: goes on with a source when it is woken", "[worker]") {
  WorkerFixture fixture;
  const auto source = fixture.Add("one\n");
  fixture.worker_.AddSource(source);
  REQUIRE(fixture.recorded_.WaitForLines(1));

  source->Give("two\n");
  fixture.worker_.WakeSource(source.get());

  CHECK(fixture.recorded_.WaitForLines(2));
}

TEST_CASE("worker: reads nothing while the budget is used up, and goes on afterwards", "[worker]") {
  WorkerFixture fixture;
  auto full = fixture.budget_.Reserve(std::size_t{9} << 20);
  const auto first = fixture.Add("one\n");
  fixture.worker_.AddSource(first);
  // Removing another source is done after the first one's turn would have come.
  const auto marker = fixture.Add("");
  fixture.worker_.AddSource(marker);
  fixture.worker_.RemoveSource(marker.get());
  fixture.ended_.get_future().wait();
  CHECK(fixture.recorded_.lines().empty());

  full.Reset();
  fixture.worker_.Notify();

  CHECK(fixture.recorded_.WaitForLines(1));
}

TEST_CASE("worker: a successor waits until its predecessor is read", "[worker]") {
  WorkerFixture fixture;
  const auto old_file = fixture.Add("old\n");
  const auto new_file = fixture.Add("new\n");
  new_file->SetPredecessor(old_file.get());

  fixture.worker_.AddSource(new_file);
  fixture.worker_.AddSource(old_file);
  REQUIRE(fixture.recorded_.WaitForLines(2));

  CHECK(fixture.recorded_.lines() == Lines{R"({a="1"} old)", R"({a="1"} new)"});
}

TEST_CASE("worker: reports the end of a source after its last line", "[worker]") {
  WorkerFixture fixture;
  const auto source = fixture.Add("last without newline");
  source->End();

  fixture.worker_.AddSource(source);
  fixture.ended_.get_future().wait();

  CHECK(fixture.recorded_.lines() == Lines{R"({a="1"} last without newline)"});
}

TEST_CASE("worker: standard input's lines are trimmed and empty ones skipped", "[worker]") {
  WorkerFixture fixture;
  const auto source = fixture.Add("one\r\n\n\r\ntwo\n");
  source->SetTrims();

  fixture.worker_.AddSource(source);
  REQUIRE(fixture.recorded_.WaitForLines(2));
  fixture.Finish();

  CHECK(fixture.recorded_.lines() == Lines{R"({a="1"} one)", R"({a="1"} two)"});
  const LedgerBalance balance = source->progress()->Balance(0);
  CHECK(balance.read == 12);
  CHECK(balance.dropped == 3);
}

TEST_CASE("worker: finishing hands over what is open", "[worker]") {
  WorkerFixture fixture;
  fixture.worker_.AddSource(fixture.Add("one\n"));
  REQUIRE(fixture.recorded_.WaitForLines(1));

  fixture.Finish();

  CHECK(fixture.recorded_.flushes() >= 1);
}

TEST_CASE("worker: lines over the rate limit are dropped and counted", "[worker]") {
  FakeClock clock;
  RateLimiter limiter(1, 2, clock);
  WorkerFixture fixture("", &limiter);
  const auto source = fixture.Add("1\n2\n3\n");

  fixture.worker_.AddSource(source);
  REQUIRE(fixture.recorded_.WaitForLines(2));
  fixture.Finish();

  CHECK(fixture.recorded_.lines().size() == 2);
  CHECK(fixture.worker_.counters().rate_limited_lines.value() == 1);
  CHECK(source->progress()->Balance(0).dropped == 2);
}

TEST_CASE("worker: reads nothing of a job whose lines wait for their time; other jobs go on",
          "[worker]") {
  WorkerFixture fixture("- limit: {rate: 1, burst: 2}");
  const auto source = fixture.Add("1\n2\n3\n");
  source->Give("4\n");
  fixture.worker_.AddSource(source);
  REQUIRE(fixture.recorded_.WaitForLines(2));
  fixture.worker_.AddSource(fixture.Add("x\n", {{"b", "2"}}, "other"));
  REQUIRE(fixture.recorded_.WaitForLines(3));
  CHECK(source->unread() == 1);

  fixture.clock_.Advance(kNanosPerSecond);
  fixture.worker_.Notify();
  REQUIRE(fixture.recorded_.WaitForLines(4));
  fixture.clock_.Advance(kNanosPerSecond);
  fixture.worker_.Notify();
  REQUIRE(fixture.recorded_.WaitForLines(5));

  CHECK(fixture.recorded_.lines() ==
        Lines{R"({a="1"} 1)", R"({a="1"} 2)", R"({b="2"} x)", R"({a="1"} 3)", R"({a="1"} 4)"});
}

TEST_CASE("worker: input that cannot be read again ends when its last line has had its time",
          "[worker]") {
  WorkerFixture fixture("- limit: {rate: 1, burst: 1}\n- multiline: {firstline: '^>'}");
  const auto source = fixture.Add("1\n2\n>3\n");
  source->SetNotRereadable();
  source->End();
  auto ended = fixture.ended_.get_future();
  fixture.worker_.AddSource(source);
  REQUIRE(fixture.recorded_.WaitForLines(1));
  fixture.clock_.Advance(kNanosPerSecond);
  fixture.worker_.Notify();
  REQUIRE(fixture.recorded_.WaitForLines(2));
  CHECK(ended.wait_for(std::chrono::seconds(0)) == std::future_status::timeout);

  fixture.clock_.Advance(kNanosPerSecond);
  fixture.worker_.Notify();
  ended.wait();

  CHECK(fixture.recorded_.lines() == Lines{R"({a="1"} 1)", R"({a="1"} 2)", R"({a="1"} >3)"});
}

TEST_CASE("worker: stopping does not wait for lines to have their time", "[worker]") {
  WorkerFixture fixture("- limit: {rate: 1, burst: 1}");
  const auto source = fixture.Add("1\n2\n3\n");
  const bool rereadable = GENERATE(true, false);
  if (!rereadable) source->SetNotRereadable();
  fixture.worker_.AddSource(source);
  REQUIRE(fixture.recorded_.WaitForLines(1));

  fixture.Finish();

  if (rereadable) {
    CHECK(fixture.recorded_.lines().size() == 1);
    CHECK(source->progress()->min_settled() == 2);  // The others are read again.
  } else {
    CHECK(fixture.recorded_.lines() == Lines{R"({a="1"} 1)", R"({a="1"} 2)", R"({a="1"} 3)"});
  }
}

TEST_CASE("worker: a source that is removed while its lines wait ends once", "[worker]") {
  WorkerFixture fixture("- limit: {rate: 1, burst: 1}");
  const auto source = fixture.Add("1\n2\n");
  source->Give("3\n");
  fixture.worker_.AddSource(source);
  REQUIRE(fixture.recorded_.WaitForLines(1));

  fixture.worker_.RemoveSource(source.get());
  fixture.ended_.get_future().wait();
  fixture.clock_.Advance(kNanosPerSecond);
  fixture.worker_.Notify();
  REQUIRE(fixture.recorded_.WaitForLines(2));
  fixture.Finish();

  CHECK(fixture.recorded_.lines() == Lines{R"({a="1"} 1)", R"({a="1"} 2)"});
  CHECK(source->unread() == 1);
}

TEST_CASE("worker: lines of one entry are put together however slowly they are read", "[worker]") {
  WorkerFixture fixture("- multiline: {firstline: '^>', max_wait_time: 3s}");
  const auto source = fixture.Add(">1\n");
  std::string wanted = R"({a="1"} >1)";
  for (const char c : std::string("abcdefghij")) {  // Some turns.
    source->Give(std::string(1, c) + "\n");
    wanted += std::string("\n") + c;
  }
  source->OnRead([&fixture] { fixture.clock_.Advance(5 * kNanosPerSecond); });

  fixture.worker_.AddSource(source);
  REQUIRE(fixture.recorded_.WaitForLines(1));
  fixture.Finish();

  CHECK(fixture.recorded_.lines() == Lines{wanted});
}

TEST_CASE("worker: is busy while it reads, and at rest while it waits", "[worker]") {
  WorkerFixture fixture;
  CHECK(fixture.worker_.busy_since_ns() == 0);
  // Holds it in the middle of its turn.
  std::promise<void> entered;
  std::promise<void> leave;
  const auto source = fixture.Add("one\n");
  source->OnRead([&, first = true]() mutable {
    if (!std::exchange(first, false)) return;
    entered.set_value();
    leave.get_future().wait();
  });
  fixture.clock_.Advance(5);
  const int64_t given = fixture.clock_.MonotonicNanos();

  fixture.worker_.AddSource(source);
  entered.get_future().wait();
  fixture.clock_.Advance(kNanosPerSecond);
  fixture.worker_.WakeSource(source.get());  // What comes meanwhile does not make it look fresh.
  CHECK(fixture.worker_.busy_since_ns() == given);

  leave.set_value();
  REQUIRE(fixture.recorded_.WaitForLines(1));
  while (fixture.worker_.busy_since_ns() != 0)
    std::this_thread::yield();
  fixture.Finish();
  fixture.worker_.Notify();
  CHECK(fixture.worker_.busy_since_ns() == 0);  // It has ended: nothing is left to do.
}

}  // namespace agent
