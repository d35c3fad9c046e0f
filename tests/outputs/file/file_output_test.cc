#include "outputs/file/file_output.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <deque>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

#include "base/mutex.h"
#include "base/unique_fd.h"
#include "outputs/file/stream_appender.h"
#include "tests/outputs/file/file_bed.h"

namespace agent {
namespace {

using file::Appender;
using file::AppendJob;
using file::AppendResult;
using std::chrono::milliseconds;

// What jobs come to, as the test says; all is well where it says nothing.
struct Script {
  Mutex mutex;
  std::vector<std::string> jobs GUARDED_BY(mutex);  // "path: body body sync".
  std::deque<AppendResult> results GUARDED_BY(mutex);

  void Next(AppendResult result) {
    const MutexLock lock(mutex);
    results.push_back(std::move(result));
  }
  std::vector<std::string> Jobs() {
    const MutexLock lock(mutex);
    return jobs;
  }
};

class ScriptedAppender final : public Appender {
 public:
  explicit ScriptedAppender(Script& script) : script_(script) {}

  AppendResult Append(const AppendJob& job) override {
    const MutexLock lock(script_.mutex);
    std::string text = job.path + ":";
    for (const Bytes& body : job.bodies)
      text += " " + std::string(body.data.get(), body.size);
    script_.jobs.push_back(text + (job.sync ? " sync" : ""));
    AppendResult result;
    result.appended = job.bodies.size();
    result.synced = job.sync;
    result.safe = job.sync ? result.appended : 0;
    if (script_.results.empty()) return result;
    result = std::move(script_.results.front());
    script_.results.pop_front();
    return result;
  }

 private:
  Script& script_;
};

AppendResult Failed(const std::string& error) {
  AppendResult result;
  result.error = error;
  return result;
}

struct Bed {
  Bed() {
    options.name = "out";
    options.min_backoff = milliseconds(1);
    options.max_backoff = milliseconds(2);
    tick.StartRepeating(milliseconds(5), [] {});
  }
  void Start(const FileOutput::MakeAppender& make = nullptr) {
    output = std::make_unique<FileOutput>(
        options, "file",
        make ? make
             : [this](const FileOptions&) { return std::make_unique<ScriptedAppender>(script); },
        FileOutput::Dependencies{loop, budget, clock, logger}, Random(1), 0);
  }
  void Add(const std::string& path, const std::string& body) {
    Batch batch;
    batch.tenant = path;
    batch.body = file::ToBytes(body);
    batch.pins.push_back({source, source->Pin(0, offset)});
    batch.origins.push_back({.pin = 0, .source_bytes = 10, .offset = offset});
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
  void Drain(milliseconds deadline) {
    bool done = false;
    output->Drain(deadline, [&] { done = true; });
    REQUIRE(Until([&] { return done; }));
  }

  Script script;
  Loop loop;
  Timer tick{loop};
  SystemClock clock;
  Logger logger{-1, LogLevel::kError, LogFormat::kLogfmt};
  MemoryBudget budget{std::size_t{64} << 20};
  FileOptions options;
  std::shared_ptr<SourceProgress> source =
      std::make_shared<SourceProgress>("job", std::vector<uint64_t>{0}, nullptr);
  uint64_t offset = 0;
  std::unique_ptr<FileOutput> output;
};

}  // namespace

TEST_CASE("file output: a batch is settled when it is on the disk, and not before", "[file]") {
  Bed bed;
  bed.Start();
  bed.Add("/a", "1");
  REQUIRE(bed.Until([&] { return bed.script.Jobs().size() == 1; }));
  CHECK(bed.script.Jobs() == std::vector<std::string>{"/a: 1"});
  CHECK(bed.source->settled(0) == 0);

  REQUIRE(bed.Until([&] { return bed.output->idle(); }));

  CHECK(bed.script.Jobs() == std::vector<std::string>{"/a: 1", "/a: sync"});
  CHECK(bed.source->settled(0) == 10);
  CHECK(bed.output->Totals().sent_entries == 1);
}

TEST_CASE("file output: with sync always or never, at once", "[file]") {
  Bed bed;
  bed.options.sync = GENERATE(FileSync::kAlways, FileSync::kNever);
  bed.Start();
  bed.Add("/a", "1");

  REQUIRE(bed.Until([&] { return bed.output->idle(); }));

  const bool always = bed.options.sync == FileSync::kAlways;
  CHECK(bed.script.Jobs() == std::vector<std::string>{always ? "/a: 1 sync" : "/a: 1"});
}

TEST_CASE("file output: what was written and may be lost is written again, in order", "[file]") {
  Bed bed;
  bed.Start();
  bed.Add("/a", "1");
  REQUIRE(bed.Until([&] { return bed.script.Jobs().size() == 1; }));
  AppendResult lost = Failed("sync failed");
  lost.lost = true;
  bed.script.Next(lost);

  REQUIRE(bed.Until([&] { return bed.output->idle(); }));

  CHECK(bed.script.Jobs() == std::vector<std::string>{"/a: 1", "/a: sync", "/a: 1", "/a: sync"});
  CHECK(bed.source->settled(0) == 10);
}

TEST_CASE("file output: a path that cannot be written waits alone", "[file]") {
  Bed bed;
  bed.options.sync = FileSync::kAlways;
  bed.options.min_backoff = bed.options.max_backoff = std::chrono::seconds(60);
  bed.script.Next(Failed("disk full"));
  bed.Start();
  bed.Add("/bad", "1");
  bed.Add("/good", "2");

  REQUIRE(bed.Until([&] { return bed.output->Totals().sent_entries == 1; }));

  CHECK_FALSE(bed.output->idle());
  CHECK(bed.source->settled(0) == 0);
  const std::vector<LaneStatus> lanes = bed.output->Status();
  REQUIRE(lanes.size() == 2);
  CHECK((lanes[0].tenant == "/bad" && lanes[0].state == "retrying"));
  CHECK(lanes[0].last_error == "disk full");
  CHECK((lanes[0].queued_batches == 1 && lanes[0].attempts == 1));
  CHECK(lanes[1].state == "idle");
  CHECK(bed.output->Totals().failed_requests == 1);
  // What would be tried after the deadline is given up, and read again.
  bed.Drain(milliseconds(1000));
  CHECK(bed.output->idle());
  CHECK(bed.source->settled(0) == 0);
}

TEST_CASE("file output: a job that is done in part goes on behind it", "[file]") {
  Bed bed;
  bed.options.sync = FileSync::kAlways;
  AppendResult part = Failed("disk full");
  part.appended = 1;
  part.synced = true;
  part.safe = 1;
  bed.script.Next(Failed("first"));
  bed.script.Next(part);
  bed.Start();
  bed.Add("/a", "1");
  bed.Add("/a", "2");

  REQUIRE(bed.Until([&] { return bed.output->idle(); }));

  CHECK(bed.script.Jobs() == std::vector<std::string>{"/a: 1 sync", "/a: 1 2 sync", "/a: 2 sync"});
  CHECK(bed.source->settled(0) == 20);
}

TEST_CASE("file output: draining syncs at once", "[file]") {
  Bed bed;
  bed.Start();
  bed.Add("/a", "1");
  bed.Add("/b", "2");

  bed.Drain(std::chrono::seconds(10));

  CHECK(bed.source->settled(0) == 20);
}

TEST_CASE("stream appender: waits for a slow reader, and leaves whole lines when it may not",
          "[file]") {
  ::signal(SIGPIPE, SIG_IGN);  // NOLINT(cert-err33-c)
  int ends[2] = {-1, -1};
  REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
  UniqueFd read(ends[0]);
  const UniqueFd write(ends[1]);
  std::string line(99, 'x');
  line += '\n';
  std::string text;
  while (text.size() < 200'000)
    text += line;
  file::StreamAppender appender(write.get());

  AppendResult result;
  std::thread writer([&] { result = appender.Append({"", {file::ToBytes(text)}, false}); });
  // When the pipe is full, it is interrupted.
  pollfd full{write.get(), POLLOUT, 0};
  while (::poll(&full, 1, 0) == 1)
    std::this_thread::yield();
  appender.Interrupt();
  writer.join();

  CHECK((result.appended == 0 && !result.closed && !result.error.empty()));
  std::string got(100'000, '\0');
  const ssize_t size = ::read(read.get(), got.data(), got.size());
  REQUIRE(size > 4096);
  CHECK(size % 100 == 0);
  read.Reset();
  file::StreamAppender again(write.get());
  CHECK(again.Append({"", {file::ToBytes("1\n")}, false}).closed);
}

}  // namespace agent
