// Truncation and copytruncate, as agent/tail/README.md lists them: each case with real files.

#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <string>

#include <catch2/catch.hpp>

#include "agent/tail/rotation.h"
#include "tests/agent/tail/tail_bed.h"

namespace agent {
namespace {

constexpr std::chrono::seconds kSecond{1};

TEST_CASE("tailer: a truncated file is read from its beginning", "[tail]") {
  struct Case {
    const char* name;
    std::string after;
  };
  const auto c = GENERATE(values<Case>({
      {"shorter", "new\n"},
      {"the same length", "new 1\nnew 2\n"},
      {"longer", "new 1\nnew 2\nnew 3\n"},
      {"much longer", std::string(200'000, 'x') + "\n"},
  }));
  INFO(c.name);
  TailBed bed;
  bed.Append("app.log", "old 1\nold 2\n");
  bed.ScanAndRead();

  bed.Replace("app.log", c.after);
  bed.ScanAndRead();

  CHECK(bed.text() == "old 1\nold 2\n" + c.after);
  CHECK(bed.lines().back().offset + bed.lines().back().line.size() == c.after.size());
  CHECK(bed.StatusOf("app.log").generation == 1);
}

TEST_CASE("tailer: truncated to nothing, then written again", "[tail]") {
  TailBed bed;
  bed.Append("app.log", "old 1\n");
  bed.ScanAndRead();
  bed.Replace("app.log", "");
  bed.ScanAndRead();
  bed.Append("app.log", "new 1\n");
  bed.ScanAndRead();

  CHECK(bed.text() == "old 1\nnew 1\n");
}

TEST_CASE(
    "tailer: a truncation with the same first kilobyte is seen by what stood before the offset",
    "[tail]") {
  const std::string banner = std::string(2000, '#') + "\n";
  TailBed bed;
  bed.Append("app.log", banner + "old 1\n");
  bed.ScanAndRead();
  bed.Replace("app.log", banner + "new 1\nnew 2\n");
  bed.ScanAndRead();

  CHECK(bed.text() == banner + "old 1\n" + banner + "new 1\nnew 2\n");
}

TEST_CASE("tailer: truncation before the end was read is counted", "[tail]") {
  TailBed bed;
  bed.Append("app.log", "old 1\n");
  bed.ScanAndRead();
  bed.Append("app.log", "never seen\n");
  bed.Scan();
  bed.host().Read(0);
  bed.Replace("app.log", "n\n");
  bed.ScanAndRead();

  CHECK(bed.text() == "old 1\nn\n");
  CHECK(bed.tailer().counters().truncations == 1);
}

TEST_CASE("tailer: a writer without O_APPEND leaves a hole, which is skipped", "[tail]") {
  TailBed bed;
  const UniqueFd writer(::open(bed.Path("app.log").c_str(), O_WRONLY | O_CREAT, 0600));
  REQUIRE(::write(writer.get(), "old 1\n", 6) == 6);
  bed.ScanAndRead();
  REQUIRE(::truncate(bed.Path("app.log").c_str(), 0) == 0);
  SECTION("nobody looks between") {}
  SECTION("the empty file is seen first") {
    bed.ScanAndRead();
  }
  REQUIRE(::write(writer.get(), "new 1\n", 6) == 6);
  bed.ScanAndRead();

  CHECK(bed.text() == "old 1\nnew 1\n");
}

TEST_CASE("tailer: copytruncate gives back from the copy what was not read of the original",
          "[tail]") {
  const std::string glob = GENERATE("app.log", "app.log*", "app*");
  const std::string copy = GENERATE("app.log.1", "app.log-20260504", "app-1.log");
  INFO(glob << " " << copy);
  TailBed bed;
  bed.SetGlob(glob);
  bed.Append("app.log", "a1\n");
  bed.ScanAndRead();

  bed.Append("app.log", "a2\na3\n");
  bed.Copy("app.log", copy);
  bed.Replace("app.log", "");
  bed.Append("app.log", "b1\n");
  bed.ScanAndRead();

  CHECK(bed.text() == "a1\na2\na3\nb1\n");
  for (const ReadLine& line : bed.lines())
    CHECK(line.filename == bed.Path("app.log"));
  CHECK(bed.tailer().counters().copies_recovered == 1);
  CHECK(bed.tailer().counters().lost_bytes == 0);
}

TEST_CASE("tailer: a copy is not read while it may be one of copytruncate", "[tail]") {
  TailBed bed;
  bed.SetGlob("app.log*");
  bed.Append("app.log", "a1\na2\n");
  bed.ScanAndRead();
  bed.Copy("app.log", "app.log.1");
  bed.ScanAndRead();
  CHECK(bed.text() == "a1\na2\n");

  SECTION("truncated after it: nothing twice, also later") {
    bed.Replace("app.log", "b1\n");
    bed.ScanAndRead();
    bed.Pass(61 * kSecond);
    bed.ScanAndRead();
    bed.Rename("app.log.1", "app.log.2");
    bed.ScanAndRead();
    bed.Restart();
    bed.ScanAndRead();
    CHECK(bed.text() == "a1\na2\nb1\n");
  }
  SECTION("not truncated: two files with equal heads are two files") {
    bed.Pass(9 * kSecond);
    bed.Read();
    CHECK(bed.text() == "a1\na2\n");
    bed.Pass(2 * kSecond);
    bed.Read();
    CHECK(bed.text() == "a1\na2\na1\na2\n");
    CHECK(bed.lines().back().filename == bed.Path("app.log.1"));
  }
  SECTION("it grows otherwise: a file of its own at once") {
    bed.Append("app.log.1", std::string(10, 'x'));
    bed.Replace("app.log.1", "other\n");
    bed.ScanAndRead();
    CHECK(bed.text() == "a1\na2\nother\n");
  }
}

TEST_CASE("tailer: copytruncate again and again", "[tail]") {
  TailBed bed;
  bed.SetGlob("app.log*");
  std::string want;
  for (int i = 0; i < 5; ++i) {
    const std::string first = "first " + std::to_string(i) + "\n";
    const std::string second = "second " + std::to_string(i) + "\n";
    bed.Append("app.log", first);
    bed.ScanAndRead();
    bed.Append("app.log", second);
    for (int n = 4; n > 0; --n) {
      const std::string from = "app.log." + std::to_string(n);
      if (std::filesystem::exists(bed.Path(from))) {
        bed.Rename(from, "app.log." + std::to_string(n + 1));
      }
    }
    bed.Copy("app.log", "app.log.1");
    bed.Replace("app.log", "");
    bed.ScanAndRead();
    want += first + second;
    bed.Pass(61 * kSecond);
    bed.ScanAndRead();
  }
  CHECK(bed.text() == want);
}

}  // namespace
}  // namespace agent
