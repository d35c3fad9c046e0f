#include "outputs/buffer/buffered_output.h"

#include <fcntl.h>

#include <chrono>
#include <deque>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

#include "outputs/buffer/buffer_folder.h"
#include "tests/outputs/buffer/store_bed.h"
#include "tests/support/recording_metrics.h"

namespace agent {
namespace {

using std::chrono::milliseconds;
using Bodies = std::vector<std::string>;

// Keeps what it gets until the test says what became of it.
class HeldOutput final : public Output {
 public:
  ~HeldOutput() override { AbandonAll(); }
  [[nodiscard]] const std::string& name() const override { return name_; }
  std::unique_ptr<Encoder> MakeEncoder(LabelSets& /*sets*/, BatchSink /*sink*/) override {
    return nullptr;
  }
  void Enqueue(Batch batch) override {
    bodies.emplace_back(batch.body.data.get(), batch.body.size);
    queue.push_back(std::move(batch));
  }
  [[nodiscard]] bool idle() const override { return queue.empty(); }
  void Drain(milliseconds /*deadline*/, std::function<void()> done) override {
    AbandonAll();
    done();
  }
  [[nodiscard]] std::vector<LaneStatus> Status() const override {
    LaneStatus status;
    status.state = state;
    return {status};
  }
  [[nodiscard]] OutputTotals Totals() const override { return {}; }
  void CollectMetrics(MetricSink& /*sink*/) const override {}

  void SettleFirst(const std::vector<bool>& refused = {}) {
    Batch batch = std::move(queue.front());
    queue.pop_front();
    batch.Settle(refused);
  }
  void AbandonAll() {
    for (Batch& batch : queue)
      batch.Abandon();
    queue.clear();
  }

  Bodies bodies;  // Of everything that came, in order.
  std::deque<Batch> queue;
  std::string state = "sending";

 private:
  std::string name_ = "out";
};

struct Bed {
  Bed() : folder(TempDir::InMemory()), null(::open("/dev/null", O_WRONLY)) {
    options.folder = folder.path() + "/out";
    options.kind = "test";
    options.min_free_bytes = 0;
    options.window_bytes = 20;
    tick.StartRepeating(milliseconds(5), [] {});
  }
  void Start() {
    auto made = std::make_unique<HeldOutput>();
    inner = made.get();
    output = std::make_unique<BufferedOutput>(
        std::move(made), options, BufferedOutput::Dependencies{loop, budget, clock, logger});
  }
  void Add(const std::string& body) {
    Batch batch;
    batch.body.size = body.size();
    batch.body.data = std::make_unique_for_overwrite<char[]>(body.size());
    std::memcpy(batch.body.data.get(), body.data(), body.size());
    batch.pins.push_back({source, source->Pin(0, offset)});
    batch.origins.push_back({.pin = 0, .source_bytes = 10, .offset = offset});
    batch.created_ns = clock.MonotonicNanos();
    offset += 10;
    source->Advance({.end = offset, .read_bytes = 10, .dropped_bytes = 0, .lines = 1});
    output->Enqueue(std::move(batch));
  }
  template <typename Condition>
  bool Until(Condition condition) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (!condition() && std::chrono::steady_clock::now() < deadline)
      uv_run(loop.uv(), UV_RUN_ONCE);
    return condition();
  }
  bool GotBodies(std::size_t count) {
    return Until([&] { return inner->bodies.size() >= count; });
  }
  void Stop() {
    bool done = false;
    output->Drain(milliseconds(100), [&] { done = true; });
    REQUIRE(Until([&] { return done; }));
    output.reset();
  }
  [[nodiscard]] std::string State() const { return output->Status().at(0).state; }
  [[nodiscard]] double Metric(const std::string& name) const {
    RecordingMetrics metrics;
    output->CollectMetrics(metrics);
    return metrics.Value(name);
  }

  TempDir folder;
  Loop loop;
  Timer tick{loop};
  SystemClock clock;
  UniqueFd null;
  Logger logger{null.get(), LogLevel::kError, LogFormat::kLogfmt};
  MemoryBudget budget{std::size_t{1} << 20};
  std::shared_ptr<SourceProgress> source =
      std::make_shared<SourceProgress>("job", std::vector<uint64_t>{0}, nullptr);
  uint64_t offset = 0;
  BufferedOptions options;
  HeldOutput* inner = nullptr;
  std::unique_ptr<BufferedOutput> output;
};

TEST_CASE("buffered output: what is taken goes straight through", "[buffer]") {
  Bed bed;
  bed.Start();
  bed.Add("one");
  REQUIRE(bed.GotBodies(1));

  CHECK(bed.source->settled(0) == 0);
  bed.inner->SettleFirst();

  CHECK(bed.source->settled(0) == 10);
  CHECK(bed.output->idle());
  CHECK(ListSegments(bed.options.folder).empty());
  CHECK(bed.budget.used() == 0);
}

TEST_CASE("buffered output: in trouble, everything is safe on the disk, and nothing is sent twice",
          "[buffer]") {
  Bed bed;
  bed.Start();
  bed.Add("first, and long enough");
  bed.Add("second");
  bed.Add("third");
  REQUIRE(bed.GotBodies(1));
  bed.inner->state = "retrying";

  // The one that is with the receiver is on the disk as well: no position waits for it.
  REQUIRE(bed.Until([&] { return bed.source->settled(0) == 30; }));
  CHECK(bed.State() == "spilling");
  CHECK(bed.source->idle());
  CHECK(bed.inner->bodies == Bodies{"first, and long enough"});
  bed.Add("fourth");
  REQUIRE(bed.Until([&] { return bed.source->settled(0) == 40; }));
  CHECK(bed.Metric("agent_buffer_spooled_entries_total out") == 4);

  bed.inner->state = "sending";
  bed.inner->SettleFirst();
  REQUIRE(bed.GotBodies(4));
  CHECK(bed.inner->bodies == Bodies{"first, and long enough", "second", "third", "fourth"});
  CHECK(bed.inner->queue.front().pins.at(0).progress->job() == "job");
  CHECK(bed.inner->queue.front().origins.at(0).offset == 10);
  while (!bed.inner->queue.empty())
    bed.inner->SettleFirst();
  REQUIRE(bed.Until([&] { return bed.output->idle(); }));
  REQUIRE(bed.Until([&] { return ListSegments(bed.options.folder).empty(); }));
  CHECK(bed.Metric("agent_buffer_entries out ") == 0);
  CHECK(bed.budget.used() == 0);
  bed.Add("fifth");
  CHECK(bed.inner->bodies.back() == "fifth");
}

TEST_CASE("buffered output: what falls behind for a second goes to the disk", "[buffer]") {
  Bed bed;
  bed.Start();
  bed.Add(std::string(30, 'a'));
  bed.Add("b");
  REQUIRE(bed.GotBodies(1));

  REQUIRE(bed.Until([&] { return bed.source->settled(0) == 20; }));

  CHECK(bed.inner->bodies.size() == 1);
  bed.inner->SettleFirst();
  REQUIRE(bed.GotBodies(2));
  CHECK(bed.inner->bodies.back() == "b");
}

TEST_CASE("buffered output: a refusal after the disk is counted there", "[buffer]") {
  Bed bed;
  bed.Start();
  bed.inner->state = "retrying";
  bed.Add("one");
  REQUIRE(bed.Until([&] { return bed.source->settled(0) == 10; }));

  bed.inner->SettleFirst({true});

  CHECK(bed.Metric("agent_buffer_refused_entries_total out") == 1);
  CHECK(bed.source->Balance(0).settled == 10);
  CHECK(bed.source->Balance(0).in_flight == 0);
}

TEST_CASE("buffered output: a stop leaves on the disk what was not taken, in order", "[buffer]") {
  Bed bed;
  bed.Start();
  bed.Add(std::string(30, 'a'));
  bed.Add("b");
  bed.Add("c");
  REQUIRE(bed.GotBodies(1));

  bed.Stop();

  CHECK(bed.source->settled(0) == 30);
  CHECK(bed.source->idle());
  bed.Start();
  REQUIRE(bed.GotBodies(1));
  bed.inner->SettleFirst();
  REQUIRE(bed.GotBodies(3));
  CHECK(bed.inner->bodies == Bodies{std::string(30, 'a'), "b", "c"});
}

TEST_CASE("buffered output: what comes after a restart goes behind what is left", "[buffer]") {
  Bed bed;
  bed.Start();
  bed.inner->state = "retrying";
  bed.Add("old");
  REQUIRE(bed.Until([&] { return bed.source->settled(0) == 10; }));
  bed.Stop();

  bed.Start();
  bed.Add("new");

  REQUIRE(bed.GotBodies(2));
  CHECK(bed.inner->bodies == Bodies{"old", "new"});
  while (!bed.inner->queue.empty())
    bed.inner->SettleFirst();
  REQUIRE(bed.Until([&] { return bed.output->idle(); }));
  bed.Stop();
  bed.Start();
  bed.Add("newest");
  REQUIRE(bed.GotBodies(1));
  CHECK(bed.inner->bodies == Bodies{"newest"});
}

TEST_CASE("buffered output: full, it keeps batches in memory until there is room", "[buffer]") {
  Bed bed;
  bed.options.max_bytes = 400;
  bed.Start();
  bed.inner->state = "retrying";
  for (int i = 0; i < 20; ++i)
    bed.Add("batch " + std::to_string(i));
  REQUIRE(bed.Until([&] { return bed.Metric("agent_buffer_full out ") == 1; }));
  CHECK(bed.source->settled(0) < 200);

  bed.inner->state = "sending";
  REQUIRE(bed.Until([&] {
    if (!bed.inner->queue.empty()) bed.inner->SettleFirst();
    return bed.output->idle();
  }));

  CHECK(bed.source->settled(0) == 200);
  REQUIRE(bed.inner->bodies.size() == 20);
  for (std::size_t i = 0; i < 20; ++i)
    CHECK(bed.inner->bodies[i] == "batch " + std::to_string(i));
  CHECK(bed.budget.used() == 0);
}

TEST_CASE("buffered output: full, it drops the newest if told, and none that is on its way",
          "[buffer]") {
  Bed bed;
  bed.options.max_bytes = 400;
  bed.options.when_full = WhenFull::kDropNewest;
  bed.Start();
  bed.inner->state = "retrying";
  for (int i = 0; i < 20; ++i)
    bed.Add("batch " + std::to_string(i));
  REQUIRE(
      bed.Until([&] { return bed.Metric("agent_buffer_dropped_entries_total out newest") > 0; }));

  bed.inner->state = "sending";
  REQUIRE(bed.Until([&] {
    if (!bed.inner->queue.empty()) bed.inner->SettleFirst();
    return bed.output->idle();
  }));

  const double dropped = bed.Metric("agent_buffer_dropped_entries_total out newest");
  CHECK(static_cast<double>(bed.inner->bodies.size()) + dropped == 20);
  CHECK(bed.source->Balance(0).dropped == static_cast<uint64_t>(dropped) * 10);
  CHECK(bed.source->Balance(0).in_flight == 0);
}

TEST_CASE("buffered output: not required and without a buffer, it never holds on to much",
          "[buffer]") {
  Bed bed;
  bed.options.folder.clear();
  bed.options.required = false;
  bed.Start();
  for (int i = 0; i < 10; ++i)
    bed.Add("batch " + std::to_string(i));

  CHECK(bed.inner->bodies == Bodies{"batch 0", "batch 1", "batch 2"});
  CHECK(bed.Metric("agent_buffer_dropped_entries_total out not_required") == 7);
  CHECK(bed.source->Balance(0).dropped == 70);
  bed.inner->SettleFirst();
  bed.Add("batch 10");
  CHECK(bed.inner->bodies.back() == "batch 10");
}

TEST_CASE("buffered output: without a folder that can be written it works without", "[buffer]") {
  Bed bed;
  WriteFile(bed.folder.path() + "/file", "x");
  bed.options.folder = bed.folder.path() + "/file/out";
  bed.Start();
  bed.Add("one");

  REQUIRE(bed.GotBodies(1));
  bed.inner->SettleFirst();
  CHECK(bed.source->settled(0) == 10);
  CHECK(bed.Metric("agent_buffer_write_failures_total out") == 1);
}

TEST_CASE("buffered output: the one before it may still be ending", "[buffer]") {
  Bed bed;
  bed.Start();
  bed.inner->state = "retrying";
  bed.Add("old");
  REQUIRE(bed.Until([&] { return bed.source->settled(0) == 10; }));
  HeldOutput* const before = bed.inner;
  std::unique_ptr<BufferedOutput> old = std::move(bed.output);

  bed.Start();
  bed.Add("new");
  CHECK(bed.inner->bodies.empty());
  CHECK(before->bodies == Bodies{"old"});
  old.reset();

  REQUIRE(bed.GotBodies(2));
  CHECK(bed.inner->bodies == Bodies{"old", "new"});
}

}  // namespace
}  // namespace agent
