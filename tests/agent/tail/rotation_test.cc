// Rotation, as agent/tail/README.md lists it: each case with real files.

#include "agent/tail/rotation.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <string>

#include <catch2/catch.hpp>

#include "tests/agent/tail/tail_bed.h"

namespace agent {
namespace {

constexpr std::chrono::seconds kSecond{1};

TEST_CASE("tailer: reads a file from its beginning and what is appended", "[tail]") {
  TailBed bed;
  bed.Append("app.log", "one\ntwo\n");
  bed.ScanAndRead();
  CHECK(bed.text() == "one\ntwo\n");

  bed.Append("app.log", "three\nunfin");
  bed.Read();
  CHECK(bed.text() == "one\ntwo\nthree\n");
  bed.Append("app.log", "ished\n");
  bed.Read();

  CHECK(bed.text() == "one\ntwo\nthree\nunfinished\n");
  CHECK(bed.lines().back() == ReadLine{bed.Path("app.log"), "unfinished\n", 14});
  CHECK(bed.StatusOf("app.log").settled_offset == 25);
}

TEST_CASE("tailer: a renamed file is read to its end under its old name, in the glob or not",
          "[tail]") {
  const std::string glob = GENERATE("app.log", "app.log*", "*");
  TailBed bed;
  bed.SetGlob(glob);
  bed.Append("app.log", "a1\n");
  bed.ScanAndRead();

  bed.Append("app.log", "a2\n");
  bed.Rename("app.log", "app.log.1");
  bed.Append("app.log.1", "a3\n");
  bed.Append("app.log", "b1\n");
  bed.ScanAndRead();
  bed.Append("app.log.1", "a4\n");
  bed.Append("app.log", "b2\n");
  bed.ScanAndRead();

  CHECK(bed.text() == "a1\na2\na3\nb1\na4\nb2\n");
  for (const ReadLine& line : bed.lines())
    CHECK(line.filename == bed.Path("app.log"));
}

TEST_CASE("tailer: the successor waits until the rotated file is read, and shares its lineage",
          "[tail]") {
  TailBed bed;
  bed.Append("app.log", "a1\n");
  bed.ScanAndRead();
  bed.Append("app.log", "a2\n");
  bed.Rename("app.log", "app.log.1");
  bed.Append("app.log", "b1\n");

  bed.Scan();

  REQUIRE(bed.host().sources().size() == 2);
  const Source& rotated = *bed.host().sources()[0];
  const Source& successor = *bed.host().sources()[1];
  CHECK(successor.predecessor() == &rotated);
  CHECK(successor.lineage() == rotated.lineage());
  bed.Read();
  CHECK(successor.predecessor() == nullptr);
  CHECK(bed.text() == "a1\na2\nb1\n");
}

TEST_CASE("tailer: several rotations between two looks lose nothing", "[tail]") {
  const std::string glob = GENERATE("app.log", "app.log*");
  TailBed bed;
  bed.SetGlob(glob);
  bed.Append("app.log", "a1\n");
  bed.ScanAndRead();

  bed.Append("app.log", "a2\n");
  bed.Rename("app.log", "app.log.1");
  bed.Append("app.log", "b1\n");
  bed.Rename("app.log.1", "app.log.2");
  bed.Rename("app.log", "app.log.1");
  bed.Append("app.log", "c1\n");
  bed.ScanAndRead();

  CHECK(bed.text() == "a1\na2\nb1\nc1\n");
}

TEST_CASE("tailer: several rotations between two looks, behind a symbolic link", "[tail]") {
  TailBed bed;
  std::filesystem::create_directory(bed.Path("pod"));
  std::filesystem::create_symlink(bed.Path("pod/0.log"), bed.Path("app.log"));
  bed.Append("pod/0.log", "a1\n");
  bed.ScanAndRead();

  bed.Rename("pod/0.log", "pod/0.log.20260504-101112");
  bed.Append("pod/0.log", "b1\n");
  bed.Rename("pod/0.log", "pod/0.log.20260504-101113");
  bed.Append("pod/0.log", "c1\n");
  bed.ScanAndRead();

  CHECK(bed.text() == "a1\nb1\nc1\n");
}

TEST_CASE("tailer: a neighbour with a name like a rotation's is left alone", "[tail]") {
  TailBed bed;
  SECTION("it is older than the last look") {
    bed.clock().SetWall(SystemClock().WallNanos() + kNanosPerSecond);
  }
  SECTION("it is another job's") {
    bed.SetTargets({bed.MakeTarget("job", "app.log"), bed.MakeTarget("other", "app_8080.log")});
  }
  bed.Append("app_8080.log", "n1\n");
  bed.Append("app.log", "a1\n");
  bed.ScanAndRead();
  bed.Append("app_8080.log", "n2\n");
  bed.Rename("app.log", "app.log.1");
  bed.Append("app.log", "b1\n");
  bed.ScanAndRead();
  bed.ScanAndRead();

  std::string ours;
  for (const ReadLine& line : bed.lines()) {
    if (line.filename == bed.Path("app.log")) ours += line.line;
  }
  CHECK(ours == "a1\nb1\n");
}

TEST_CASE("tailer: files rotated before the agent came are no part of a plain path", "[tail]") {
  TailBed bed;
  bed.Append("app.log.2", "older\n");
  bed.Age("app.log.2");
  bed.Append("app.log.1", "old\n");
  bed.Age("app.log.1");  // A rotated file's time is older than its successor's by a tick at least.
  bed.Append("app.log", "a1\n");
  bed.ScanAndRead();
  bed.Append("app.log", "a2\n");
  bed.Rename("app.log", "app.log.3");
  bed.Append("app.log", "b1\n");
  bed.ScanAndRead();

  CHECK(bed.text() == "a1\na2\nb1\n");
}

TEST_CASE("tailer: a deleted file is read to its end, its unfinished line too", "[tail]") {
  TailBed bed;
  bed.Append("app.log", "a1\n");
  bed.ScanAndRead();
  bed.Append("app.log", "a2\nlast");
  bed.Remove("app.log");

  bed.ScanAndRead();
  CHECK(bed.text() == "a1\na2\n");
  CHECK(bed.tailer().counters().files_deleted == 1);
  bed.Pass(kSecond);
  bed.Pass(59 * kSecond);
  bed.Read();
  CHECK(bed.text() == "a1\na2\n");
  bed.Pass(kSecond);
  bed.Read();

  CHECK(bed.text() == "a1\na2\nlast");
  bed.Pass(kSecond);
  CHECK(bed.tailer().Status().empty());
}

TEST_CASE("tailer: a deleted file that is not settled is kept", "[tail]") {
  TailBed bed;
  bed.Append("app.log", "a1\n");
  bed.host().hold = true;
  bed.ScanAndRead();
  bed.Remove("app.log");
  bed.ScanAndRead();
  bed.Pass(600 * kSecond);
  bed.Read();
  CHECK(bed.tailer().counters().files_deleted == 1);

  bed.host().SettleAll();
  bed.Pass(61 * kSecond);
  bed.Read();
  bed.Pass(kSecond);

  CHECK(bed.tailer().Status().empty());
}

TEST_CASE("tailer: deleted and created anew under the same name", "[tail]") {
  TailBed bed;
  bed.Append("app.log", "a1\n");
  bed.ScanAndRead();
  bed.Append("app.log", "a2\n");
  bed.Remove("app.log");
  bed.Append("app.log", "b1\n");
  bed.ScanAndRead();

  CHECK(bed.text() == "a1\na2\nb1\n");
}

TEST_CASE("tailer: a symbolic link is read under the link's name; a swap is a new file", "[tail]") {
  TailBed bed;
  bed.SetGlob("*.link");
  bed.Append("a.txt", "a1\n");
  std::filesystem::create_symlink(bed.Path("a.txt"), bed.Path("app.link"));
  bed.ScanAndRead();

  bed.Append("a.txt", "a2\n");
  bed.Append("b.txt", "b1\n");
  bed.Remove("app.link");
  std::filesystem::create_symlink(bed.Path("b.txt"), bed.Path("app.link"));
  bed.ScanAndRead();
  bed.Append("a.txt", "a3\n");
  bed.ScanAndRead();

  CHECK(bed.text() == "a1\na2\nb1\na3\n");
  for (const ReadLine& line : bed.lines())
    CHECK(line.filename == bed.Path("app.link"));
}

TEST_CASE("tailer: hard links and overlapping globs of one job are read once", "[tail]") {
  TailBed bed;
  bed.Append("app.log", "a1\n");
  std::filesystem::create_hard_link(bed.Path("app.log"), bed.Path("same.log"));
  bed.SetTargets({bed.MakeTarget("job", "*.log"), bed.MakeTarget("job", "app*")});
  bed.ScanAndRead();
  bed.Append("app.log", "a2\n");
  bed.ScanAndRead();

  CHECK(bed.text() == "a1\na2\n");
}

TEST_CASE("tailer: two jobs, or two label sets, each read a file of their own", "[tail]") {
  TailBed bed;
  bed.Append("app.log", "a1\n");
  bed.SetTargets({bed.MakeTarget("one", "app.log"), bed.MakeTarget("two", "app.log"),
                  bed.MakeTarget("two", "app.log", {{"env", "x"}})});
  bed.ScanAndRead();
  CHECK(bed.text() == "a1\na1\na1\n");

  bed.Restart();
  bed.ScanAndRead();
  CHECK(bed.text() == "a1\na1\na1\n");
}

TEST_CASE("tailer: a directory is removed and made again", "[tail]") {
  TailBed bed;
  bed.SetGlob("sub/*.log");
  std::filesystem::create_directory(bed.Path("sub"));
  bed.Append("sub/app.log", "a1\n");
  bed.ScanAndRead();
  std::filesystem::remove_all(bed.Path("sub"));
  bed.ScanAndRead();
  std::filesystem::create_directory(bed.Path("sub"));
  bed.Append("sub/app.log", "b1\n");
  bed.ScanAndRead();

  CHECK(bed.text() == "a1\nb1\n");
}

TEST_CASE("tailer: what is no file is left alone", "[tail]") {
  TailBed bed;
  bed.SetGlob("*");
  std::filesystem::create_directory(bed.Path("dir.log"));
  REQUIRE(::mkfifo(bed.Path("fifo.log").c_str(), 0600) == 0);
  bed.Append("app.log", "a1\n");
  bed.ScanAndRead();

  CHECK(bed.text() == "a1\n");
}

TEST_CASE("tailer: NUL, invalid UTF-8 and carriage returns come out as they are", "[tail]") {
  TailBed bed;
  const std::string text("a\0b\xff\xfe\r\n\n\xe2\x82\n", 11);
  bed.Append("app.log", text);
  bed.ScanAndRead();
  CHECK(bed.text() == text);
}

TEST_CASE("tailer: a line of 10 MB comes whole, in pieces written or at once", "[tail]") {
  TailBed bed;
  // NOLINTNEXTLINE(bugprone-string-constructor): large is what it is about.
  const std::string line = std::string(10'000'000, 'x') + "\n";
  SECTION("at once") {
    bed.Append("app.log", "a\n" + line + "b\n");
  }
  SECTION("in pieces") {
    bed.Append("app.log", "a\n");
    for (std::size_t i = 0; i < line.size(); i += 3'000'000) {
      bed.Append("app.log", line.substr(i, 3'000'000));
      bed.ScanAndRead();
    }
    bed.Append("app.log", "b\n");
  }
  bed.ScanAndRead();
  CHECK(bed.text() == "a\n" + line + "b\n");
}

TEST_CASE("tailer: a line beyond the limit is skipped and counted", "[tail]") {
  TailerOptions options;
  options.max_line_bytes = 100'000;
  TailBed bed(options);
  bed.Append("app.log", "a\n" + std::string(150'000, 'x') + "\nb\n" + std::string(300'000, 'y'));
  bed.ScanAndRead();
  bed.Append("app.log", "y\nc\n");
  bed.ScanAndRead();

  CHECK(bed.text() == "a\nb\nc\n");
  CHECK(bed.tailer().counters().lines_too_long == 2);
  const auto balance = bed.StatusOf("app.log").progress->Balance(0);
  CHECK(balance.read == 450'009);
  CHECK(balance.dropped == 450'003);
  CHECK(balance.settled == 6);
  CHECK(balance.in_flight == 0);
}

TEST_CASE("tailer: a file that no worker has come to yet is not lost by rotation", "[tail]") {
  TailBed bed;
  bed.Append("app.log", "a1\n");
  bed.Scan();
  bed.Append("app.log", "a2\n");
  bed.Rename("app.log", "app.log.1");
  REQUIRE(Shell("gzip " + bed.Path("app.log.1")));
  bed.Append("app.log", "b1\n");
  bed.ScanAndRead();
  CHECK(bed.text() == "a1\na2\nb1\n");
}

TEST_CASE("tailer: more files than descriptors", "[tail]") {
  TailerOptions options;
  options.max_open_files = 4;
  TailBed bed(options);
  bed.SetGlob("*.log");
  for (int i = 0; i < 20; ++i)
    bed.Append(std::to_string(i) + ".log", "one\n");
  bed.ScanAndRead();
  CHECK(bed.lines().size() == 20);
  CHECK(bed.tailer().counters().files_open <= 4);

  for (int i = 0; i < 20; ++i) {
    const std::string name = std::to_string(i);
    bed.Append(name + ".log", "two\n");
    bed.Rename(name + ".log", name + ".log.1");
    bed.Append(name + ".log", "three\n");
  }
  bed.ScanAndRead();
  CHECK(bed.lines().size() == 60);
}

TEST_CASE("tailer: an inode that was reused is another file", "[tail]") {
  TailerOptions options;
  options.max_open_files = 1;
  TailBed bed(options);
  bed.SetGlob("*.log");
  bed.Append("a.log", "a1\n");
  bed.Append("b.log", "b1\n");
  bed.ScanAndRead();
  bed.Remove("a.log");
  bed.Remove("b.log");
  bed.Append("c.log", "c1, longer\n");
  bed.Append("d.log", "d1, longer\n");
  bed.ScanAndRead();

  std::string text = bed.text();
  CHECK(text.find("c1, longer\n") != std::string::npos);
  CHECK(text.find("d1, longer\n") != std::string::npos);
  CHECK(text.size() == 28);
}

TEST_CASE("tailer: a file whose target is gone is read to where it ended then", "[tail]") {
  TailBed bed;
  bed.Append("app.log", "a1\n");
  bed.Scan();
  bed.SetTargets({});
  bed.Append("app.log", "a2\n");
  bed.Read();
  CHECK(bed.text().starts_with("a1\n"));
  bed.Pass(kSecond);
  CHECK(bed.tailer().Status().empty());

  bed.SetTargets({bed.MakeTarget("job", "app.log")});
  bed.ScanAndRead();
  CHECK(bed.text() == "a1\na2\n");
}

TEST_CASE("tailer: labels that change do not repeat a line", "[tail]") {
  TailBed bed;
  bed.Append("app.log", "a1\n");
  bed.ScanAndRead();
  bed.SetTargets({bed.MakeTarget("job", "app.log", {{"pod", "x"}})});
  bed.Append("app.log", "a2\n");
  bed.ScanAndRead();
  bed.Pass(kSecond);
  bed.ScanAndRead();
  CHECK(bed.text() == "a1\na2\n");
}

TEST_CASE("tailer: labels that change lose nothing of a file that is rotated meanwhile", "[tail]") {
  TailBed bed;
  bed.Append("app.log", "a1\n");
  bed.ScanAndRead();
  bed.host().hold = true;
  bed.Append("app.log", "a2\n");
  bed.Read();
  bed.SetTargets({bed.MakeTarget("job", "app.log", {{"pod", "x"}})});
  bed.Read();
  bed.Append("app.log", "a3\n");
  bed.Rename("app.log", "app.log.1");
  bed.Append("app.log", "b1\n");
  bed.ScanAndRead();

  bed.host().hold = false;
  bed.host().SettleAll();
  bed.tailer().RunDirty();
  bed.Pass(kSecond);
  bed.ScanAndRead();

  CHECK(bed.text() == "a1\na2\nb1\na3\n");
}

TEST_CASE("tailer: compressed leftovers in the glob are skipped", "[tail]") {
  TailBed bed;
  bed.SetGlob("app.log*");
  bed.Append("app.log", "a1\n");
  bed.ScanAndRead();
  bed.Rename("app.log", "app.log.1");
  bed.Append("app.log", "b1\n");
  bed.ScanAndRead();
  REQUIRE(Shell("gzip " + bed.Path("app.log.1")));
  bed.ScanAndRead();
  CHECK(bed.text() == "a1\nb1\n");
}

}  // namespace
}  // namespace agent
