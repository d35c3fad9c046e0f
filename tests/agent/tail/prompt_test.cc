// Logs of containers that are gone before anybody looks.

#include <filesystem>
#include <string>

#include <catch2/catch.hpp>

#include "tests/agent/tail/tail_bed.h"

namespace agent {
namespace {

Target Container(const TailBed& bed, const std::string& file, bool awaited) {
  Target target = bed.MakeTarget("job", file);
  target.streams = ContainerStreams{target.labels, std::nullopt};
  target.awaited = awaited;
  return target;
}

// What inotify has to tell reaches the tailer.
void Turn(TailBed& bed) {
  for (int i = 0; i < 5; ++i)
    bed.loop().RunOnce();
}

TEST_CASE("tailer: a container's log is opened as it appears, and read although it is gone",
          "[tail]") {
  TailBed bed;
  bed.SetTargets({});
  bed.Scan();
  std::filesystem::create_directory(bed.Path("c1"));
  bed.SetTargets({Container(bed, "c1/c1.log", /*awaited=*/true)});

  bed.Append("c1/c1.log", "one\n");
  Turn(bed);
  bed.Append("c1/c1.log", "two\n");
  std::filesystem::remove_all(bed.Path("c1"));
  Turn(bed);
  CHECK(bed.host().sources().empty());  // Its labels are not known yet.

  bed.SetTargets({Container(bed, "c1/c1.log", /*awaited=*/false)});
  bed.Read();
  CHECK(bed.text() == "one\ntwo\n");
  CHECK(bed.lines().at(0).filename.empty());

  SECTION("until nothing has come for a while") {
    bed.ScanAndRead();
    CHECK(bed.tailer().counters().files_deleted == 1);
    for (int i = 0; i < 3; ++i) {
      bed.Pass(std::chrono::seconds(61));
      bed.Read();
    }
    CHECK(bed.tailer().counters().files_active == 0);
  }
  SECTION("or its target has gone, too") {
    bed.SetTargets({});
    bed.ScanAndRead();
    bed.Pass(std::chrono::seconds(1));
    CHECK(bed.tailer().counters().files_active == 0);
  }
  CHECK(bed.text() == "one\ntwo\n");
}

TEST_CASE("tailer: a container's log that was there already is read once", "[tail]") {
  TailBed bed;
  bed.SetTargets({});
  bed.Scan();
  bed.Append("c1.log", "one\n");
  bed.SetTargets({Container(bed, "c1.log", /*awaited=*/false)});
  bed.Read();
  CHECK(bed.text() == "one\n");

  bed.ScanAndRead();
  bed.Append("c1.log", "two\n");
  bed.ScanAndRead();
  CHECK(bed.text() == "one\ntwo\n");

  bed.StopAndRestart();
  bed.Append("c1.log", "three\n");
  bed.ScanAndRead();
  CHECK(bed.text() == "one\ntwo\nthree\n");
}

TEST_CASE("tailer: what is left of a deleted file is read when its target goes", "[tail]") {
  TailBed bed;
  bed.Append("app.log", "one\n");
  bed.ScanAndRead();
  bed.Append("app.log", "two\n");
  bed.Remove("app.log");
  bed.SetTargets({});
  bed.Read();
  CHECK(bed.text() == "one\ntwo\n");
}

TEST_CASE("tailer: a container that is awaited no longer leaves no descriptor behind", "[tail]") {
  TailBed bed;
  bed.SetTargets({});
  bed.Scan();
  bed.Append("c1.log", "one\n");
  const auto descriptors = [] {
    const std::filesystem::directory_iterator all("/proc/self/fd");
    return std::distance(begin(all), end(all));
  };
  const auto before = descriptors();
  bed.SetTargets({Container(bed, "c1.log", /*awaited=*/true)});
  CHECK(descriptors() == before + 1);
  bed.SetTargets({});
  CHECK(descriptors() == before);
  CHECK(bed.text().empty());
}

}  // namespace
}  // namespace agent
