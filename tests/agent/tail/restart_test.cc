// What happens to files while the agent is not there, and where it goes on when it comes back.

#include <filesystem>
#include <string>

#include <catch2/catch.hpp>

#include "tests/agent/tail/tail_bed.h"

namespace agent {
namespace {

TEST_CASE("restart: goes on where everything had settled", "[tail]") {
  TailBed bed;
  bed.Append("app.log", "a1\na2\n");
  bed.ScanAndRead();
  bed.Append("app.log", "a3\n");
  bed.Restart();
  bed.ScanAndRead();
  CHECK(bed.text() == "a1\na2\na3\n");
}

TEST_CASE("restart: what was not settled comes again", "[tail]") {
  TailBed bed;
  bed.Append("app.log", "a1\n");
  bed.ScanAndRead();
  bed.host().hold = true;
  bed.Append("app.log", "a2\n");
  bed.ScanAndRead();
  bed.Restart();
  bed.ScanAndRead();
  CHECK(bed.text() == "a1\na2\na2\n");
}

TEST_CASE("restart: an identity survives: the same id, generation and offset", "[tail]") {
  TailBed bed;
  bed.Append("app.log", "a1\n");
  bed.ScanAndRead();
  const FileStatus before = bed.StatusOf("app.log");
  bed.Restart();
  bed.ScanAndRead();
  CHECK(bed.StatusOf("app.log").source_id == before.source_id);
  CHECK(bed.StatusOf("app.log").generation == before.generation);
}

TEST_CASE("restart: rotated meanwhile, the rest comes first and under the old name", "[tail]") {
  const std::string glob = GENERATE("app.log", "app.log*");
  const std::string rotated = GENERATE("app.log.1", "app-2026-05-04.log");
  TailBed bed;
  bed.SetGlob(glob);
  bed.Append("app.log", "a1\n");
  bed.ScanAndRead();
  bed.Crash();
  bed.Append("app.log", "a2\n");
  bed.Rename("app.log", rotated);
  const bool successor = GENERATE(true, false);
  if (successor) bed.Append("app.log", "b1\n");
  bed.Begin();
  bed.ScanAndRead();

  CHECK(bed.text() == (successor ? "a1\na2\nb1\n" : "a1\na2\n"));
  for (const ReadLine& line : bed.lines())
    CHECK(line.filename == bed.Path("app.log"));
}

TEST_CASE("restart: rotated twice meanwhile", "[tail]") {
  TailBed bed;
  bed.Append("app.log", "a1\n");
  bed.ScanAndRead();
  bed.Crash();
  bed.Append("app.log", "a2\n");
  bed.Rename("app.log", "app.log.2");
  bed.Append("app.log.1", "b1\n");
  bed.Append("app.log", "c1\n");
  bed.Begin();
  bed.ScanAndRead();
  CHECK(bed.text() == "a1\na2\nb1\nc1\n");
}

TEST_CASE("restart: rotated and compressed meanwhile", "[tail]") {
  TailBed bed;
  bed.Append("app.log", "a1\n");
  bed.ScanAndRead();
  bed.Crash();
  std::string many;
  for (int i = 0; i < 100'000; ++i)
    many += "line " + std::to_string(i) + "\n";
  bed.Append("app.log", many);
  bed.Rename("app.log", "app.log.1");
  REQUIRE(Shell("gzip " + bed.Path("app.log.1")));
  bed.Append("app.log", "b1\n");

  bed.Begin();
  bed.ScanAndRead();
  CHECK(bed.text() == "a1\n" + many + "b1\n");
  bed.Pass(std::chrono::seconds(1));
  bed.Restart();
  bed.ScanAndRead();
  CHECK(bed.text() == "a1\n" + many + "b1\n");
}

TEST_CASE("restart: rotated meanwhile behind a symbolic link", "[tail]") {
  TailBed bed;
  std::filesystem::create_directory(bed.Path("pod"));
  std::filesystem::create_symlink(bed.Path("pod/0.log"), bed.Path("app.log"));
  bed.Append("pod/0.log", "a1\n");
  bed.ScanAndRead();
  bed.Crash();
  bed.Append("pod/0.log", "a2\n");
  bed.Rename("pod/0.log", "pod/0.log.20260504-101112");
  bed.Append("pod/0.log", "b1\n");

  bed.Begin();
  bed.ScanAndRead();

  CHECK(bed.text() == "a1\na2\nb1\n");
  CHECK(bed.lines()[1].filename == bed.Path("app.log"));
}

TEST_CASE("restart: a file that cannot be read now is taken for what it was", "[tail]") {
  JournalState state;
  SourceRecord record;
  record.key = {7, 0};
  record.identity = {{1, 2}, HashHead("a1\n")};
  record.path = record.place = "/app.log";
  record.job = "job";
  record.settled = {{"loki", 3}};
  state.sources[record.key] = record;
  const RecordIndex records(state, [](const SourceKey&) { return false; });

  CHECK(records.SameFile({"/app.log", {1, 2}, 3, "", "job", 0}) != nullptr);
  CHECK(records.SameFile({"/app.log", {1, 2}, 2, "", "job", 0}) == nullptr);
  CHECK(records.SameFile({"/app.log", {1, 3}, 3, "", "job", 0}) == nullptr);
  CHECK(records.SameFile({"/app.log", {1, 2}, 3, "b1\n", "job", 0}) == nullptr);
}

TEST_CASE("restart: copied and truncated meanwhile", "[tail]") {
  const std::string glob = GENERATE("app.log", "app.log*");
  TailBed bed;
  bed.SetGlob(glob);
  bed.Append("app.log", "a1\n");
  bed.ScanAndRead();
  bed.Crash();
  bed.Append("app.log", "a2\n");
  bed.Copy("app.log", "app.log.1");
  bed.Replace("app.log", "b1\n");
  bed.Begin();
  bed.ScanAndRead();
  CHECK(bed.text() == "a1\na2\nb1\n");
}

TEST_CASE("restart: truncated or replaced meanwhile, no copy: from the beginning", "[tail]") {
  const std::string after = GENERATE("b\n", "b1\n", "bbbbbbb\nb2\n");
  TailBed bed;
  bed.Append("app.log", "a1\n");
  bed.ScanAndRead();
  const FileStatus before = bed.StatusOf("app.log");
  bed.Crash();
  const bool replaced = GENERATE(false, true);
  if (replaced) bed.Remove("app.log");
  bed.Replace("app.log", after);
  bed.Begin();
  bed.ScanAndRead();
  CHECK(bed.text() == "a1\n" + after);
  if (!replaced) {
    CHECK(bed.StatusOf("app.log").source_id == before.source_id);
    CHECK(bed.StatusOf("app.log").generation == before.generation + 1);
  }
}

TEST_CASE("restart: restored from a backup, the same path and content is the same file", "[tail]") {
  TailBed bed;
  bed.Append("app.log", "a1\na2\n");
  bed.ScanAndRead();
  bed.Crash();
  bed.Copy("app.log", "elsewhere");
  bed.Remove("app.log");
  bed.Rename("elsewhere", "app.log");
  bed.Append("app.log", "a3\n");
  bed.Begin();
  bed.ScanAndRead();
  CHECK(bed.text() == "a1\na2\na3\n");
}

TEST_CASE("restart: a crash in the middle of a rotated file", "[tail]") {
  TailBed bed;
  bed.Append("app.log", "a1\n");
  bed.ScanAndRead();
  bed.host().hold = true;
  bed.Append("app.log", "a2\n");
  bed.Rename("app.log", "app.log.1");
  bed.Append("app.log", "b1\n");
  bed.ScanAndRead();
  bed.Restart();
  bed.ScanAndRead();
  CHECK(bed.text() == "a1\na2\nb1\na2\nb1\n");
}

TEST_CASE("restart: each output goes on from its own position; a new one from the slowest",
          "[tail]") {
  TailBed bed;
  bed.SetOutputs({"loki", "search"});
  bed.Restart();
  bed.Append("app.log", "a1\na2\n");
  bed.Scan();
  // Only the first output settles.
  const auto source = bed.host().sources().at(0);
  const auto progress = source->progress();
  const auto loki = progress->Pin(0, 0);
  const auto search = progress->Pin(1, 0);
  progress->Advance({6, 6, 0, 2});
  progress->Settle(0, loki, 6, 0);
  bed.tailer().RunDirty();
  CHECK(progress->settled(1) == 0);

  bed.SetOutputs({"stash", "search", "loki"});
  bed.Restart();
  bed.Scan();
  const auto again = bed.host().sources().at(0)->progress();
  CHECK(again->start(0) == 0);
  CHECK(again->start(1) == 0);
  CHECK(again->start(2) == 6);
  CHECK(search != loki);
}

TEST_CASE("restart: again and again, then copied and truncated meanwhile", "[tail]") {
  TailBed bed;
  bed.SetGlob("app.log*");
  bed.Append("app.log", "a1\na2\n");
  bed.ScanAndRead();
  bed.Crash();
  bed.Append("app.log", "a3\n");
  bed.Begin();
  bed.ScanAndRead();
  CHECK(bed.StatusOf("app.log").settled_offset == 9);
  bed.Crash();
  bed.Copy("app.log", "app.log.1");
  bed.Replace("app.log", "");
  bed.Begin();
  bed.ScanAndRead();
  bed.ScanAndRead();
  CHECK(bed.text() == "a1\na2\na3\n");
}

}  // namespace
}  // namespace agent
