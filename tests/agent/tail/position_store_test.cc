// What is remembered of files: over a restart, a reload, a disk that is full, and beside another
// program.

#include "agent/tail/position_store.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include <catch2/catch.hpp>

#include "tests/agent/tail/tail_bed.h"

namespace agent {
namespace {

std::string Contents(const std::string& path) {
  const Result<std::string> text = ReadWholeFile(path, 1 << 20);
  return text.ok() ? *text : "";
}

void WriteText(const std::string& path, std::string_view text) {
  std::ofstream(path, std::ios::trunc | std::ios::binary) << text;
}

TEST_CASE("positions: are written as Promtail writes them", "[tail]") {
  TailBed bed;
  bed.Append("app.log", "a1\na2\n");
  bed.ScanAndRead();
  bed.StopAndRestart();
  CHECK(Contents(bed.PositionsPath()) == "positions:\n  " + bed.Path("app.log") + ": \"6\"\n");
  struct stat info {};
  REQUIRE(::stat(bed.PositionsPath().c_str(), &info) == 0);
  CHECK((info.st_mode & 0777U) == 0600U);
}

TEST_CASE("positions: the first start goes on where Promtail stopped", "[tail]") {
  TailBed bed;
  bed.Crash();
  bed.Append("app.log", "a1\na2\na3\n");
  WriteText(bed.PositionsPath(),
            "positions:\n  " + bed.Path("app.log") + ": \"3\"\n  cursor-journal: s=1\n");
  bed.Begin();
  bed.ScanAndRead();
  CHECK(bed.text() == "a2\na3\n");
  CHECK(bed.store().Cursor("cursor-journal") == "s=1");
  bed.StopAndRestart();
  CHECK(Contents(bed.PositionsPath()) ==
        "positions:\n  " + bed.Path("app.log") + ": \"9\"\n  cursor-journal: s=1\n");
}

TEST_CASE("positions: another program's value wins, our own stale one does not", "[tail]") {
  TailBed bed;
  bed.Append("app.log", "a1\na2\na3\n");
  bed.ScanAndRead();
  bed.store().SavePositions(bed.tailer().Positions());
  bed.Append("app.log", "a4\n");
  bed.ScanAndRead();

  SECTION("ours is stale after a crash") {
    bed.Restart();
    bed.ScanAndRead();
    CHECK(bed.text() == "a1\na2\na3\na4\n");
  }
  SECTION("another program wrote it") {
    bed.Crash();
    WriteText(bed.PositionsPath(), "positions:\n  " + bed.Path("app.log") + ": \"6\"\n");
    bed.Begin();
    bed.ScanAndRead();
    CHECK(bed.text() == "a1\na2\na3\na4\na3\na4\n");
  }
  SECTION("it fits no more: beyond the end") {
    bed.Crash();
    WriteText(bed.PositionsPath(), "positions:\n  " + bed.Path("app.log") + ": \"600\"\n");
    bed.Begin();
    bed.ScanAndRead();
    CHECK(bed.text() == "a1\na2\na3\na4\n");
  }
}

TEST_CASE("positions: Promtail's value is for every job that reads the path", "[tail]") {
  TailBed bed;
  bed.Crash();
  bed.Append("app.log", "a1\na2\n");
  WriteText(bed.PositionsPath(), "positions:\n  " + bed.Path("app.log") + ": \"3\"\n");
  bed.Begin();
  bed.SetTargets({bed.MakeTarget("one", "app.log"), bed.MakeTarget("two", "app.log")});
  bed.ScanAndRead();
  CHECK(bed.text() == "a2\na2\n");
}

TEST_CASE("positions: positions.yaml that cannot be replaced takes nothing back", "[tail]") {
  TailBed bed;
  bed.Append("app.log", "a1\n");
  bed.ScanAndRead();
  bed.store().SavePositions(bed.tailer().Positions());
  std::filesystem::create_directory(bed.PositionsPath() + ".tmp");
  for (const char* line : {"a2\n", "a3\n", "a4\n"}) {
    bed.Append("app.log", line);
    bed.ScanAndRead();
    bed.store().SavePositions(bed.tailer().Positions());
    CHECK(!bed.store().problem().empty());
  }

  bed.Restart();
  bed.Append("app.log", "a5\n");
  bed.ScanAndRead();
  CHECK(bed.text() == "a1\na2\na3\na4\na5\n");

  std::filesystem::remove(bed.PositionsPath() + ".tmp");
  bed.store().SavePositions(bed.tailer().Positions());
  CHECK(bed.store().problem().empty());
  bed.Restart();
  bed.ScanAndRead();
  CHECK(bed.text() == "a1\na2\na3\na4\na5\n");
}

TEST_CASE("positions: damaged files never prevent a start, and cost repeats at most", "[tail]") {
  TailBed bed;
  bed.Append("app.log", "a1\n");
  bed.ScanAndRead();
  bed.StopAndRestart();
  bed.ScanAndRead();
  const std::string journal = bed.PositionsPath() + ".journal";
  bed.Crash();

  SECTION("an empty journal: the previous one") {
    WriteText(journal, "");
    WriteText(bed.PositionsPath(), "");
    bed.Begin();
    bed.ScanAndRead();
    CHECK(bed.text() == "a1\n");
  }
  SECTION("NULs in both, the previous one is whole") {
    WriteText(journal, std::string(4096, '\0'));
    WriteText(bed.PositionsPath(), std::string(100, '\0'));
    bed.Begin();
    bed.ScanAndRead();
    CHECK(bed.text() == "a1\n");
  }
  SECTION("everything is garbage: from the beginning") {
    for (const std::string& path : {journal, journal + ".bak", bed.PositionsPath()})
      WriteText(path, "garbage { [ \xff\n:::");
    bed.Begin();
    bed.ScanAndRead();
    CHECK(bed.text() == "a1\na1\n");
  }
  SECTION("a torn end") {
    const std::string whole = Contents(journal);
    WriteText(journal, whole + whole.substr(0, whole.size() / 2));
    bed.Begin();
    bed.ScanAndRead();
    CHECK(bed.text() == "a1\n");
  }
}

TEST_CASE("positions: one file, one agent", "[tail]") {
  TailBed bed;
  PositionStoreOptions options;
  options.filename = bed.PositionsPath();
  const auto second = PositionStore::Open(options, bed.clock(), bed.logger());
  REQUIRE(!second.ok());
  CHECK(second.error().code == ErrorCode::kUnavailable);
  CHECK(second.error().message.find("another agent") != std::string::npos);
}

TEST_CASE("positions: a directory that cannot be written does not stop the agent", "[tail]") {
  TailBed bed;
  bed.Crash();
  std::filesystem::remove_all(bed.PositionsPath() + ".journal");
  std::filesystem::create_directory(bed.PositionsPath() + ".journal.tmp");
  bed.Append("app.log", "a1\n");
  bed.Begin();
  bed.ScanAndRead();
  CHECK(bed.text() == "a1\n");
  CHECK(!bed.store().problem().empty());

  std::filesystem::remove_all(bed.PositionsPath() + ".journal.tmp");
  bed.Pass(std::chrono::seconds(6));
  CHECK(bed.store().problem().empty());
  bed.Restart();
  bed.ScanAndRead();
  CHECK(bed.text() == "a1\n");
}

TEST_CASE("positions: a file that comes back within the grace period is not read again", "[tail]") {
  TailBed bed;
  bed.Append("app.log", "a1\n");
  bed.ScanAndRead();
  std::filesystem::create_directory(bed.dir() + "/away");
  std::filesystem::rename(bed.Path("app.log"), bed.dir() + "/away/app.log");
  bed.ScanAndRead();
  bed.Pass(std::chrono::seconds(1));
  bed.Pass(std::chrono::seconds(61));
  bed.Read();
  bed.Pass(std::chrono::seconds(1));
  CHECK(bed.tailer().Status().empty());
  CHECK(bed.tailer().Positions().empty());

  std::filesystem::rename(bed.dir() + "/away/app.log", bed.Path("app.log"));
  bed.Append("app.log", "a2\n");
  bed.ScanAndRead();
  CHECK(bed.text() == "a1\na2\n");
}

TEST_CASE("positions: what is gone for a day is forgotten", "[tail]") {
  TailBed bed;
  bed.Append("app.log", "a1\n");
  bed.ScanAndRead();
  bed.Remove("app.log");
  bed.ScanAndRead();
  bed.Pass(std::chrono::seconds(1));
  bed.Pass(std::chrono::seconds(61));
  bed.Read();
  bed.Pass(std::chrono::seconds(1));
  CHECK(bed.store().state().sources.size() == 1);
  bed.clock().Advance(int64_t{25} * 3600 * kNanosPerSecond);
  bed.store().ForgetOld();
  CHECK(bed.store().state().sources.empty());
}

TEST_CASE("reload: every file goes on from what has settled, with other outputs", "[tail]") {
  TailBed bed;
  bed.SetGlob("*.log");
  bed.Append("app.log", "a1\n");
  bed.Append("gone.log", "g1\n");
  bed.ScanAndRead();
  bed.Remove("gone.log");
  bed.Scan();
  bed.host().hold = true;
  bed.Append("app.log", "a2\n");
  bed.Read();

  bed.tailer().Pause();
  bed.EndSources();
  FakeHost next;
  bed.tailer().Resume(next, {"search", "loki"});
  next.Read();
  CHECK(next.lines.empty());  // Not before it is known what is still wanted.
  bed.SetGlob("*.log");
  next.Read();
  bed.tailer().RunDirty();

  REQUIRE(next.lines.size() == 1);
  CHECK(next.lines[0].line == "a2\n");
  CHECK(bed.StatusOf("app.log").settled_offset == 6);
  CHECK(bed.tailer().counters().files_deleted == 1);
  // What the old outputs settle late is nobody's any more.
  bed.host().SettleAll();
  bed.tailer().RunDirty();
  CHECK(bed.StatusOf("app.log").settled_offset == 6);
}

TEST_CASE("reload: what was rotated or deleted before it was read goes over to new labels",
          "[tail]") {
  TailBed bed;
  bed.Append("app.log", "a1\n");
  bed.ScanAndRead();
  bed.Append("app.log", "a2\n");
  SECTION("rotated") {
    bed.Rename("app.log", "app.log.1");
  }
  SECTION("deleted") {
    bed.Remove("app.log");
  }
  bed.Append("app.log", "b1\n");
  bed.Scan();

  bed.tailer().Pause();
  bed.EndSources();
  FakeHost next;
  bed.tailer().Resume(next, {"loki"});
  bed.SetTargets({bed.MakeTarget("job", "app.log", {{"version", "2"}})});
  bed.Scan();
  next.Read();

  REQUIRE(next.lines.size() == 2);
  CHECK(next.lines[0].line == "a2\n");
  CHECK(next.lines[1].line == "b1\n");
  for (const auto& source : next.sources())
    CHECK(source->labels().Value("version") == "2");
}

TEST_CASE("reload: what an ended source had on its way is read again", "[tail]") {
  TailBed bed;
  bed.Append("app.log", "a1\n");
  bed.ScanAndRead();
  bed.Crash();
  bed.Append("app.log", "a2\n");
  bed.Rename("app.log", "app.log.1");
  REQUIRE(Shell("gzip " + bed.Path("app.log.1")));
  bed.Append("app.log", "b1\n");
  bed.Begin();
  bed.host().hold = true;
  bed.ScanAndRead();

  bed.tailer().Pause();
  bed.EndSources();
  FakeHost next;
  bed.tailer().Resume(next, {"loki"});
  bed.SetGlob("app.log");
  next.Read();

  REQUIRE(next.lines.size() == 2);
  CHECK(next.lines[0].line == "a2\n");
  CHECK(next.lines[1].line == "b1\n");
}

TEST_CASE("reload: labels that had just changed do not keep a file from being read", "[tail]") {
  TailBed bed;
  bed.Append("app.log", "a1\n");
  bed.ScanAndRead();
  bed.host().hold = true;
  bed.Append("app.log", "a2\n");
  bed.Read();
  const Target changed = bed.MakeTarget("job", "app.log", {{"version", "2"}});
  bed.SetTargets({changed});
  bed.ScanAndRead();

  bed.tailer().Pause();
  bed.EndSources();
  FakeHost next;
  bed.tailer().Resume(next, {"loki"});
  bed.SetTargets({changed});
  bed.Scan();
  next.Read();

  REQUIRE(next.lines.size() == 1);
  CHECK(next.lines[0].line == "a2\n");
}

TEST_CASE("reload: a file that was deleted long ago and is still open", "[tail]") {
  TailBed bed;
  bed.Append("app.log", "a1\n");
  bed.ScanAndRead();
  std::ofstream writer(bed.Path("app.log"), std::ios::app | std::ios::binary);
  bed.Remove("app.log");
  bed.Scan();
  bed.clock().Advance(int64_t{25} * 3600 * kNanosPerSecond);
  bed.store().ForgetOld();

  bed.tailer().Pause();
  bed.EndSources();
  FakeHost next;
  bed.tailer().Resume(next, {"loki"});
  bed.SetGlob("app.log");
  writer << "a2\n" << std::flush;
  next.Read();

  REQUIRE(next.lines.size() == 1);
  CHECK(next.lines[0].line == "a2\n");
}

TEST_CASE("reload: files that nobody wants any more are let go, and remembered", "[tail]") {
  TailBed bed;
  bed.Append("app.log", "a1\n");
  bed.ScanAndRead();
  bed.tailer().Pause();
  bed.EndSources();
  FakeHost next;
  bed.tailer().Resume(next, {"loki"});
  bed.SetTargets({bed.MakeTarget("other", "other.log")});
  bed.Pass(std::chrono::seconds(61));
  next.Read();

  CHECK(next.sources().empty());
  CHECK(bed.tailer().Status().empty());
  CHECK(bed.store().state().sources.size() == 1);
}

TEST_CASE("backfill: everything is read to its end, unfinished lines too", "[tail]") {
  TailBed bed;
  bed.SetGlob("*");
  bed.Append("app.log", "a1\nlast");
  bed.Append("app.log.1", "a1\n");
  bed.Scan();
  bed.tailer().FinishAll();
  bed.Read();
  CHECK(bed.tailer().AllEnded());
  CHECK(bed.lines().size() == 3);
}

}  // namespace
}  // namespace agent
