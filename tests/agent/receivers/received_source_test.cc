#include "agent/receivers/received_source.h"

#include <future>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

#include "agent/runtime/worker.h"
#include "base/config/yaml.h"
#include "pipeline/pipeline.h"
#include "tests/support/fake_clock.h"
#include "tests/support/recording_encoder.h"

namespace agent {
namespace {

using Lines = std::vector<std::string>;

ReceivedEntry Received(std::string line, Labels labels = {}, std::optional<int64_t> time = {}) {
  ReceivedEntry entry;
  entry.line = std::move(line);
  if (!labels.empty()) entry.labels = std::make_shared<const Labels>(std::move(labels));
  entry.timestamp_ns = time;
  return entry;
}

std::shared_ptr<ReceivedSource> MakeSource(std::function<void()> drained = nullptr) {
  ReceivedSource::Init init;
  init.name = "test";
  init.job = "job";
  init.labels = {{"job", "j"}};
  init.outputs = 1;
  init.drained = std::move(drained);
  return std::make_shared<ReceivedSource>(std::move(init));
}

// Reads sources through `stages` until the end.
struct Bed {
  explicit Bed(const std::string& stages)
      : worker({clock, logger, budget, nullptr, true, [](const std::shared_ptr<Source>&) {}}) {
    Problems problems;
    const ConfigNode tree = LoadYaml(stages, problems);
    auto pipeline = Pipeline::Build(tree, "pipeline_stages", "job", problems,
                                    {worker.label_sets(), clock, logger, metrics});
    REQUIRE(pipeline != nullptr);
    worker.AddJob({"job", std::move(pipeline), {0}, std::make_shared<JobLedger>(1)});
    worker.AddEncoder(std::make_unique<RecordingEncoder>(worker.label_sets(), recorded));
    worker.Start();
  }
  void Finish() {
    std::promise<void> done;
    worker.Finish([&done] { done.set_value(); });
    done.get_future().wait();
  }

  FakeClock clock;
  Logger logger{2, LogLevel::kError, LogFormat::kLogfmt};
  MemoryBudget budget{std::size_t{8} << 20};
  CustomMetrics metrics;
  Recorded recorded;
  Worker worker;
};

}  // namespace

TEST_CASE("received source: entries keep their labels, times, metadata and newlines",
          "[receivers]") {
  const auto source = MakeSource();
  ReceivedEntry with_metadata = Received("two\nlines", {{"job", "j"}, {"app", "a"}}, 42);
  with_metadata.metadata = {{"trace", "t1"}};
  source->Add(std::move(with_metadata));
  source->Add(Received("of the source"));
  source->Add(Received("other", {{"app", "b"}}, -7));

  Bed bed("- template: {source: seen, template: '{{ .app }}'}\n- labels: {seen: }");
  bed.worker.AddSource(source);
  REQUIRE(bed.recorded.WaitForLines(3));
  bed.Finish();

  CHECK(bed.recorded.lines() == Lines{
                                    "{app=\"a\", job=\"j\", seen=\"a\"} two\nlines [trace=t1]",
                                    R"({job="j", seen="<no value>"} of the source)",
                                    R"({app="b", seen="b"} other)",
                                });
  const std::vector<int64_t> times = bed.recorded.times();
  CHECK(times[0] == 42);
  CHECK(times[1] == bed.clock.WallNanos());
  CHECK(times[2] == -7);
  CHECK(source->progress()->Balance(0).read == 10 + 14 + 6);
}

TEST_CASE("received source: what waits is read before the worker ends", "[receivers]") {
  const auto source = MakeSource();
  Bed bed("");
  bed.worker.AddSource(source);
  auto full = bed.budget.Reserve(std::size_t{9} << 20);  // So nothing is read before.
  for (int i = 0; i < 1000; ++i)
    source->Add(Received("line " + std::to_string(i)));
  bed.worker.WakeSource(source.get());
  bed.Finish();

  CHECK(bed.recorded.lines().size() == 1000);
}

TEST_CASE("received source: says when it is full, and once when there is room again",
          "[receivers]") {
  int drained = 0;
  const auto source = MakeSource([&drained] { ++drained; });
  const std::string line(100'000, 'x');
  int added = 0;
  for (; !source->full(); ++added)
    source->Add(Received(line));
  CHECK(added == 21);

  BlockBuffer buffer;
  Chunk chunk;
  int reads = 0;
  while (source->Read(buffer, std::size_t{256} << 10, chunk) == ReadStatus::kData)
    ++reads;

  CHECK(reads == 11);
  CHECK(drained == 1);
  CHECK(source->waiting_bytes() == 0);
}

TEST_CASE("received source: ends when what waits has been read", "[receivers]") {
  const auto source = MakeSource();
  source->Add(Received("last"));
  source->End();

  BlockBuffer buffer;
  Chunk chunk;
  CHECK(source->Read(buffer, 100, chunk) == ReadStatus::kData);
  CHECK(source->Read(buffer, 100, chunk) == ReadStatus::kEnded);
}

}  // namespace agent
