// Offsets that another program has left in positions.yaml, when files were rotated before, between
// and after.

#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <string>

#include <catch2/catch.hpp>

#include "tests/agent/tail/tail_bed.h"

namespace agent {
namespace {

int64_t ModifiedAt(const std::string& path) {
  const Result<FileStat> info = StatPath(path);
  return info.ok() ? info->modified_ns : 0;
}

// What another program leaves. Files that are made afterwards are younger than that: the file
// system's clock has ticked when this returns.
void LeaveOffset(const TailBed& bed, const std::string& name, const std::string& offset) {
  std::ofstream(bed.PositionsPath(), std::ios::trunc)
      << "positions:\n  " << bed.Path(name) << ": \"" << offset << "\"\n";
  const std::string probe = bed.dir() + "/probe";
  do {
    std::ofstream(probe, std::ios::trunc) << "x";
  } while (ModifiedAt(probe) <= ModifiedAt(bed.PositionsPath()));
}

TEST_CASE("takeover: rotated after the other program has stopped", "[tail]") {
  TailBed bed;
  bed.Crash();
  bed.Append("app.log.1", "very old, and read\n");
  bed.Age("app.log.1");
  bed.Append("app.log", "a1\na2\na3\n");

  SECTION("once: the rest is read, then the new file") {
    LeaveOffset(bed, "app.log", "3");
    bed.Append("app.log", "a4\n");
    bed.Rename("app.log", "app.log.2");
    bed.Append("app.log", "b1\nb2\n");
    bed.Begin();
    bed.ScanAndRead();
    CHECK(bed.text() == "a2\na3\na4\nb1\nb2\n");
    CHECK(bed.lines().front().filename == bed.Path("app.log"));
  }
  SECTION("twice: what came and went in between, too") {
    LeaveOffset(bed, "app.log", "6");
    bed.Rename("app.log", "app.log.2");
    bed.Append("app.log", "b1\n");
    bed.Rename("app.log", "app.log.3");
    bed.Append("app.log", "c1\n");
    bed.Begin();
    bed.ScanAndRead();
    CHECK(bed.text() == "a3\nb1\nc1\n");
  }
  SECTION("read to its end before") {
    LeaveOffset(bed, "app.log", "9");
    bed.Rename("app.log", "app.log.2");
    bed.Append("app.log", "b1\nb2\nb3\nb4\n");
    bed.Begin();
    bed.ScanAndRead();
    CHECK(bed.text() == "b1\nb2\nb3\nb4\n");
  }
  SECTION("the rotated name is in the glob") {
    bed.Remove("app.log.1");
    LeaveOffset(bed, "app.log", "3");
    bed.Rename("app.log", "app.log.1");
    bed.Append("app.log", "b1\n");
    bed.Begin();
    bed.SetGlob("app.log*");
    bed.ScanAndRead();
    CHECK(bed.text() == "a2\na3\nb1\n");
  }

  const std::string before = bed.text();
  bed.StopAndRestart();
  bed.ScanAndRead();
  CHECK(bed.text() == before);
}

TEST_CASE("takeover: made anew elsewhere, as by a restore, the offset holds", "[tail]") {
  TailBed bed;
  bed.Crash();
  LeaveOffset(bed, "app.log", "3");
  bed.Append("app.log", "a1\na2\n");
  bed.Append("app.log.1", "read long ago\n");

  bed.Begin();
  bed.ScanAndRead();

  CHECK(bed.text() == "a2\n");
}

TEST_CASE("takeover: files that the other program has seen come and go are not read", "[tail]") {
  TailBed bed;
  bed.Append("app.log", "a1\n");
  bed.ScanAndRead();
  bed.Rename("app.log", "app.log.1");
  bed.Append("app.log", "b1\n");
  bed.ScanAndRead();
  bed.StopAndRestart();
  bed.Crash();
  // It reads b2, two more files, and the beginning of a third.
  bed.Append("app.log", "b2\n");
  bed.Rename("app.log", "app.log.2");
  bed.Append("app.log", "c1\n");
  bed.Rename("app.log", "app.log.3");
  bed.Append("app.log", "d1\nd2\nd3\n");
  LeaveOffset(bed, "app.log", "6");
  bed.Begin();
  bed.ScanAndRead();
  CHECK(bed.text() == "a1\nb1\nd3\n");

  // What is rotated from now on is the agent's again.
  bed.Append("app.log", "d4\n");
  bed.Rename("app.log", "app.log.4");
  bed.Append("app.log", "e1\n");
  bed.ScanAndRead();
  CHECK(bed.text() == "a1\nb1\nd3\nd4\ne1\n");

  bed.StopAndRestart();
  bed.Rename("app.log", "app.log.5");
  bed.Append("app.log", "f1\n");
  bed.ScanAndRead();
  CHECK(bed.text() == "a1\nb1\nd3\nd4\ne1\nf1\n");
}

TEST_CASE("takeover: an offset that is ours by chance is the other program's", "[tail]") {
  TailBed bed;
  bed.Append("app.log", "a1\na2\n");
  bed.ScanAndRead();
  bed.StopAndRestart();
  bed.Crash();
  // It reads a3, and two lines of the next file: that is where we were in the one before.
  bed.Append("app.log", "a3\n");
  bed.Rename("app.log", "app.log.1");
  bed.Append("app.log", "b1\nb2\nb3\n");
  LeaveOffset(bed, "app.log", "6");

  bed.Begin();
  bed.ScanAndRead();

  CHECK(bed.text() == "a1\na2\nb3\n");
}

TEST_CASE("takeover: what was read since is not read again after a kill", "[tail]") {
  TailBed bed;
  bed.Append("app.log", "a1\n");
  bed.ScanAndRead();
  bed.StopAndRestart();
  bed.Crash();
  bed.Append("app.log", "a2\na3\n");
  LeaveOffset(bed, "app.log", "6");
  bed.Begin();
  bed.ScanAndRead();
  bed.Append("app.log", "a4\n");
  bed.ScanAndRead();
  REQUIRE(bed.text() == "a1\na3\na4\n");

  bed.Restart();
  bed.ScanAndRead();

  CHECK(bed.text() == "a1\na3\na4\n");
}

TEST_CASE("takeover: no other program wrote what we wrote, whenever we were killed", "[tail]") {
  TailBed bed;
  bed.Append("app.log", "a1\n");
  bed.ScanAndRead();
  bed.store().SavePositions(bed.tailer().Positions());
  bed.clock().Advance(90 * kNanosPerSecond);
  bed.Append("app.log", "a2\n");
  bed.ScanAndRead();
  const bool torn = GENERATE(false, true);
  if (torn) {
    // The journal has the next time already, and the file does not: it could not be replaced.
    std::filesystem::create_directory(bed.PositionsPath() + ".tmp");
    bed.store().SavePositions(bed.tailer().Positions());
  }
  bed.Rename("app.log", "app.log.1");
  bed.Append("app.log", "b1\n");

  bed.Restart();
  bed.ScanAndRead();

  CHECK(bed.text() == "a1\na2\nb1\n");
}

}  // namespace
}  // namespace agent
