#include "outputs/logstash/lumberjack_output.h"

#include <sys/socket.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include <catch2/catch.hpp>

#include "tests/base/net/loopback_peer.h"
#include "tests/outputs/logstash/event_bed.h"
#include "tests/support/temp_dir.h"

namespace agent {
namespace {

using logstash::EventBed;
using std::chrono::milliseconds;

// Reads one window; how many events it has. 0: the connection has ended.
uint32_t ReadWindow(int fd) {
  const auto number = [](const std::string& bytes, std::size_t at) {
    uint32_t value = 0;
    for (std::size_t i = at; i < at + 4; ++i)
      value = value << 8 | static_cast<unsigned char>(bytes[i]);
    return value;
  };
  const std::string head = ReadBytes(fd, 12);
  if (head.size() < 12) return 0;
  ReadBytes(fd, number(head, 8));
  return number(head, 2);
}

void Acknowledge(int fd, uint32_t events) {
  const char bytes[] = {'2', 'A', 0, 0, static_cast<char>(events >> 8), static_cast<char>(events)};
  WriteBytes(fd, {bytes, sizeof(bytes)});
}

void AcknowledgeAll(int fd) {
  while (const uint32_t events = ReadWindow(fd))
    Acknowledge(fd, events);
}

struct Bed : EventBed {
  Bed() {
    options.name = "stash";
    options.min_backoff = milliseconds(1);
    options.max_backoff = milliseconds(5);
  }
  void Make(uint16_t port) {
    options.hosts = {{"127.0.0.1", port}};
    output.emplace(options,
                   LumberjackOutput::Dependencies{.loop = loop,
                                                  .budget = budget,
                                                  .clock = clock,
                                                  .logger = logger,
                                                  .dead_letter = dead_letter},
                   Random(1), 0);
  }
  // Runs until the condition holds; false: not within half a minute.
  bool RunUntil(const std::function<bool()>& done) {
    bool in_time = true;
    Timer look(loop);
    Timer end(loop);
    look.StartRepeating(milliseconds(1), [&] {
      if (done()) loop.Stop();
    });
    end.StartOnce(std::chrono::seconds(30), [&] {
      in_time = false;
      loop.Stop();
    });
    loop.Run();
    return in_time;
  }
  void Drain(milliseconds deadline) {
    bool drained = false;
    output->Drain(deadline, [&drained] { drained = true; });
    CHECK(RunUntil([&drained] { return drained; }));
  }

  TempDir folder;
  Loop loop;
  SystemClock clock;
  Logger logger{2, LogLevel::kError, LogFormat::kLogfmt};
  DeadLetter dead_letter{{folder.path(), 1 << 20}, clock, logger};
  std::optional<LumberjackOutput> output;
};

}  // namespace

TEST_CASE("lumberjack output: what is acknowledged is settled", "[lumberjack]") {
  Bed bed;
  LoopbackPeer peer(AcknowledgeAll);
  bed.Make(peer.port());
  CHECK(bed.output->idle());
  for (std::size_t i = 0; i < 20; ++i)
    bed.output->Enqueue(bed.MakeBatch(10, 10 * i));
  CHECK_FALSE(bed.output->idle());

  CHECK(bed.RunUntil([&bed] { return bed.output->idle(); }));

  CHECK(bed.source->settled(0) == bed.offset);
  CHECK(bed.output->Totals().sent_entries == 200);
  CHECK(bed.output->Status().at(0).state == "idle");
  bed.output.reset();
}

TEST_CASE("lumberjack output: connections that break at any point lose nothing", "[lumberjack]") {
  Bed bed;
  std::atomic<int> connections{0};
  LoopbackPeer peer(
      [&connections](int fd) {
        const int turn = connections++;
        if (turn >= 8) return AcknowledgeAll(fd);
        if (turn % 4 == 1) ReadBytes(fd, 20);
        if (turn % 4 == 2) ReadWindow(fd);
        if (turn % 4 == 3) {
          ReadWindow(fd);
          Acknowledge(fd, 3);
        }
        if (turn % 2 == 0) ResetOnClose(fd);
      },
      9);
  bed.Make(peer.port());
  for (std::size_t i = 0; i < 5; ++i)
    bed.output->Enqueue(bed.MakeBatch(10, 10 * i));

  CHECK(bed.RunUntil([&bed] { return bed.output->idle(); }));

  CHECK(bed.source->settled(0) == bed.offset);
  CHECK(connections == 9);
  bed.output.reset();
}

TEST_CASE("lumberjack output: a drain waits for acknowledgements", "[lumberjack]") {
  Bed bed;
  LoopbackPeer peer(AcknowledgeAll);
  bed.Make(peer.port());
  bed.output->Enqueue(bed.MakeBatch(10));

  bed.Drain(std::chrono::seconds(20));

  CHECK(bed.output->idle());
  CHECK(bed.source->settled(0) == bed.offset);
  bed.output.reset();
}

TEST_CASE("lumberjack output: a drain ends with its deadline, and nothing is settled",
          "[lumberjack]") {
  Bed bed;
  LoopbackPeer peer([](int fd) {
    ReadWindow(fd);
    ReadBytes(fd, 1'000'000);
  });
  bed.Make(peer.port());
  for (std::size_t i = 0; i < 5; ++i)
    bed.output->Enqueue(bed.MakeBatch(10, 10 * i));

  bed.Drain(milliseconds(30));

  CHECK(bed.output->idle());
  CHECK(bed.source->settled(0) == 0);
  bed.output.reset();
}

TEST_CASE("lumberjack output: may go at any time", "[lumberjack]") {
  Bed bed;
  LoopbackPeer peer([](int fd) { ReadBytes(fd, 1'000'000); });
  bed.Make(peer.port());
  bed.output->Enqueue(bed.MakeBatch(10));
  const bool connected = GENERATE(false, true);
  if (connected) {
    int turns = 0;
    bed.RunUntil([&turns] { return ++turns > 20; });
  }

  bed.output.reset();

  CHECK(bed.source->settled(0) == 0);
}

}  // namespace agent
