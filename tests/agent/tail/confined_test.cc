// Files that may only be in certain folders, wherever links lead.

#include <filesystem>
#include <string>

#include <catch2/catch.hpp>

#include "tests/agent/tail/tail_bed.h"

namespace agent {
namespace {

// Targets below logs/, as far as they are below logs/inside.
struct Confined {
  Confined() {
    std::filesystem::create_directories(bed.Path("inside"));
    std::filesystem::create_directories(bed.Path("outside"));
    Use("inside/*.log");
  }
  void Use(const std::string& glob) {
    Target target = bed.MakeTarget("job", glob);
    target.roots = {bed.Path("inside"), "/nowhere"};
    bed.SetTargets({target});
  }

  TailBed bed;
};

}  // namespace

TEST_CASE("confined: files inside are read, links to them too", "[tail][confined]") {
  Confined confined;
  TailBed& bed = confined.bed;
  bed.Append("inside/a.log", "a\n");
  std::filesystem::create_directories(bed.Path("inside/deep"));
  bed.Append("inside/deep/b", "b\n");
  std::filesystem::create_symlink(bed.Path("inside/deep/b"), bed.Path("inside/b.log"));

  bed.ScanAndRead();

  CHECK(bed.text().size() == 4);  // In either order.
  CHECK_THAT(bed.text(), Catch::Contains("a\n") && Catch::Contains("b\n"));
  CHECK(bed.tailer().counters().files_refused == 0);
}

TEST_CASE("confined: links out are refused, of files and of folders", "[tail][confined]") {
  Confined confined;
  TailBed& bed = confined.bed;
  confined.Use("inside/**/*.log");
  bed.Append("inside/a.log", "a\n");
  bed.Append("outside/secret.log", "secret\n");
  std::filesystem::create_symlink(bed.Path("outside/secret.log"), bed.Path("inside/file.log"));
  std::filesystem::create_symlink(bed.Path("outside"), bed.Path("inside/folder"));
  std::filesystem::create_symlink(bed.Path("inside/file.log"), bed.Path("inside/twice.log"));

  bed.ScanAndRead();

  CHECK(bed.text() == "a\n");
  CHECK(bed.tailer().counters().files_refused == 3);
}

TEST_CASE("confined: a path that leads out by its names is refused", "[tail][confined]") {
  Confined confined;
  TailBed& bed = confined.bed;
  confined.Use("inside/*/../../outside/*.log");
  bed.Append("outside/secret.log", "secret\n");
  bed.ScanAndRead();
  CHECK(bed.text().empty());
  CHECK(bed.tailer().counters().files_refused == 1);
}

TEST_CASE("confined: a root may itself be behind a link", "[tail][confined]") {
  Confined confined;
  TailBed& bed = confined.bed;
  std::filesystem::remove(bed.Path("inside"));
  std::filesystem::create_symlink(bed.Path("outside"), bed.Path("inside"));
  bed.Append("outside/a.log", "a\n");
  bed.ScanAndRead();
  CHECK(bed.text() == "a\n");
}

TEST_CASE("confined: a link in place of a rotated log is not followed", "[tail][confined]") {
  Confined confined;
  TailBed& bed = confined.bed;
  bed.Append("inside/a.log", "a 1\n");
  bed.ScanAndRead();
  bed.Append("outside/secret", "secret\n");
  bed.Rename("inside/a.log", "inside/a.log.1");
  bed.Append("inside/a.log", "a 2\n");
  std::filesystem::create_symlink(bed.Path("outside/secret"),
                                  bed.Path("inside/a.log.20990504-091203"));
  bed.ScanAndRead();
  CHECK(bed.text() == "a 1\na 2\n");
}

TEST_CASE("confined: rotations are not looked for where a link leads out", "[tail][confined]") {
  Confined confined;
  TailBed& bed = confined.bed;
  bed.Append("inside/a.log", "a 1\n");
  bed.ScanAndRead();
  bed.Remove("inside/a.log");
  bed.Append("outside/secret.log", "secret\n");
  bed.Append("outside/secret.log.1", "another\n");
  std::filesystem::create_symlink(bed.Path("outside/secret.log"), bed.Path("inside/a.log"));
  bed.ScanAndRead();
  bed.Restart();
  bed.ScanAndRead();
  CHECK(bed.text() == "a 1\n");
}

TEST_CASE("confined: a file that a link replaces is read to its end, the link is refused",
          "[tail][confined]") {
  Confined confined;
  TailBed& bed = confined.bed;
  bed.Append("inside/a.log", "a 1\n");
  bed.ScanAndRead();
  bed.Append("inside/a.log", "a 2\n");
  bed.Append("outside/secret", "secret\n");
  bed.Remove("inside/a.log");
  std::filesystem::create_symlink(bed.Path("outside/secret"), bed.Path("inside/a.log"));
  bed.ScanAndRead();
  bed.Pass(std::chrono::seconds(61));
  bed.ScanAndRead();
  CHECK(bed.text() == "a 1\na 2\n");
  CHECK(bed.tailer().counters().files_refused == 1);
}

}  // namespace agent
