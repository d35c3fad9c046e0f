// The tailer with a real loop, real inotify and the real logrotate: what the hand-cranked tests
// leave out.

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <set>
#include <string>
#include <thread>

#include <catch2/catch.hpp>

#include "agent/tail/tailer.h"
#include "tests/agent/tail/tail_bed.h"

namespace agent {
namespace {

// Turns the loop and reads, until `done` or for ten seconds at most.
bool RunUntil(TailBed& bed, const std::function<bool()>& done) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (!done()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    bed.loop().RunOnce();
    bed.host().Read();
    bed.EndSources();
    std::this_thread::yield();
  }
  return true;
}

TEST_CASE("tailer: with inotify, lines and new files come without waiting for a scan",
          "[tail][integration]") {
  TailerOptions options;
  options.sync_period = std::chrono::hours(1);
  TailBed bed(options);
  bed.SetGlob("*.log");
  bed.Append("app.log", "a1\n");
  bed.tailer().Start();
  CHECK(RunUntil(bed, [&] { return bed.lines().size() == 1; }));

  const std::size_t wakes = bed.host().wakes;
  bed.Append("app.log", "a2\n");
  CHECK(RunUntil(bed, [&] { return bed.host().wakes > wakes; }));
  bed.Append("new.log", "n1\n");
  CHECK(RunUntil(bed, [&] { return bed.lines().size() == 3; }));
  bed.tailer().Pause();
  bed.tailer().Stop();
  const Result<std::string> positions = ReadWholeFile(bed.PositionsPath(), 1 << 20);
  REQUIRE(positions.ok());
  CHECK(positions->find("app.log: \"6\"") != std::string::npos);
}

TEST_CASE("tailer: logrotate, with create, copytruncate and compress", "[tail][integration]") {
  if (!Shell("command -v logrotate > /dev/null")) return;
  const std::string how = GENERATE("create", "copytruncate", "create\n compress", "nocreate");
  INFO(how);
  TailBed bed;
  std::ofstream(bed.dir() + "/rotate.conf")
      << bed.Path("app.log") << " {\n rotate 50\n size 1\n " << how << "\n}\n";
  std::filesystem::permissions(bed.dir() + "/logs", std::filesystem::perms::owner_all);
  std::filesystem::permissions(bed.dir() + "/rotate.conf", std::filesystem::perms::owner_read);
  const std::string rotate = "logrotate -f -s " + bed.dir() + "/rotate.state " + bed.dir() +
                             "/rotate.conf > /dev/null 2>&1";
  bed.tailer().Start();
  int next = 1;
  for (int round = 0; round < 10; ++round) {
    for (int i = 0; i < 50; ++i)
      bed.Append("app.log", std::to_string(next++) + "\n");
    // Now and then the agent sees it before the rotation, and sometimes only after.
    if (round % 2 == 0) {
      const auto seen = static_cast<std::size_t>(next - 1);
      CHECK(RunUntil(bed, [&] { return bed.lines().size() >= seen; }));
    }
    REQUIRE(Shell(rotate));
    if (round % 3 == 0) bed.loop().RunOnce();
    if (how == "copytruncate") {
      const auto seen = static_cast<std::size_t>(next - 1);
      CHECK(RunUntil(bed, [&] { return bed.lines().size() >= seen; }));
    }
  }
  const auto all = static_cast<std::size_t>(next - 1);
  CHECK(RunUntil(bed, [&] { return bed.lines().size() >= all; }));
  std::set<std::string> distinct;
  for (const ReadLine& line : bed.lines())
    distinct.insert(line.line);
  CHECK(distinct.size() == all);
  CHECK(bed.lines().size() == all);
  bed.tailer().Pause();
  bed.tailer().Stop();
}

}  // namespace
}  // namespace agent
