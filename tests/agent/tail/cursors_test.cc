// Positions that are no offsets: what is remembered of them over a crash, and beside another
// program.

#include <unistd.h>

#include <fstream>
#include <string>
#include <string_view>

#include <catch2/catch.hpp>

#include "tests/agent/tail/tail_bed.h"

namespace agent {
namespace {

void WriteText(const std::string& path, std::string_view text) {
  std::ofstream(path, std::ios::trunc | std::ios::binary) << text;
}

void Settle(TailBed& bed, const std::string& value) {
  bed.store().SetCursor("cursor-j", value);
  bed.store().Commit();
}

TEST_CASE("cursors: what has settled since positions.yaml was written survives a crash", "[tail]") {
  TailBed bed;
  Settle(bed, "a");
  bed.store().SavePositions(bed.tailer().Positions());
  Settle(bed, "b");
  Settle(bed, "c");

  SECTION("as it is") {
    bed.Restart();
    CHECK(bed.store().Cursor("cursor-j") == "c");
    bed.Restart();
    CHECK(bed.store().Cursor("cursor-j") == "c");
  }
  SECTION("positions.yaml is gone") {
    bed.Crash();
    ::unlink(bed.PositionsPath().c_str());
    bed.Begin();
    CHECK(bed.store().Cursor("cursor-j") == "c");
  }
  SECTION("the crash came between the journal and positions.yaml") {
    bed.Crash();
    const Result<std::string> before = ReadWholeFile(bed.PositionsPath(), 1 << 20);
    REQUIRE(before.ok());
    bed.Begin();
    bed.store().SavePositions(bed.tailer().Positions());
    Settle(bed, "d");
    bed.Crash();
    WriteText(bed.PositionsPath(), *before);
    bed.Begin();
    CHECK(bed.store().Cursor("cursor-j") == "d");
  }
}

TEST_CASE("cursors: another program's value wins", "[tail]") {
  TailBed bed;
  Settle(bed, "a");
  bed.store().SavePositions(bed.tailer().Positions());
  Settle(bed, "b");
  bed.Crash();
  WriteText(bed.PositionsPath(), "positions:\n  cursor-j: theirs\n");
  bed.Begin();
  CHECK(bed.store().Cursor("cursor-j") == "theirs");
  bed.Restart();
  CHECK(bed.store().Cursor("cursor-j") == "theirs");
}

TEST_CASE(
    "cursors: what another program has left is passed, also with a crash before the file is "
    "written",
    "[tail]") {
  TailBed bed;
  bed.Crash();
  WriteText(bed.PositionsPath(), "positions:\n  cursor-j: theirs\n");
  bed.Begin();
  Settle(bed, "ours");
  bed.Restart();
  CHECK(bed.store().Cursor("cursor-j") == "ours");
}

TEST_CASE("cursors: one that is removed does not come back", "[tail]") {
  TailBed bed;
  Settle(bed, "a");
  bed.store().RemoveCursor("cursor-j");
  bed.store().Commit();
  bed.Restart();
  CHECK(bed.store().Cursor("cursor-j").empty());
}

TEST_CASE("cursors: a journal has them, and an absurd one is left to positions.yaml", "[tail]") {
  JournalState state;
  state.cursors["cursor-j"] = {"settled", "latest", "previous"};
  state.cursors["cursor-k"] = {"s=1;i=2", "", ""};
  JournalState again;
  JournalReport report;
  ReplayJournal(FormatJournal(state), again, report);
  CHECK(again == state);
  CHECK(report.damaged_records == 0);

  TailBed bed;
  Settle(bed, std::string(2'000'000, 'x'));
  bed.StopAndRestart();
  CHECK(bed.store().Cursor("cursor-j").size() == 2'000'000);
}

}  // namespace
}  // namespace agent
