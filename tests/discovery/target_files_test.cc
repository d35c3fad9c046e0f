#include "discovery/target_files.h"

#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "tests/support/temp_dir.h"

namespace agent {
namespace {

class Bed {
 public:
  [[nodiscard]] std::string Path(const std::string& name) const { return dir.path() + "/" + name; }
  void Write(const std::string& name, const std::string& text) const {
    std::ofstream(Path(name), std::ios::trunc) << text;
  }
  // A file with one target.
  void WriteTarget(const std::string& name, const std::string& app) const {
    Write(name, "- targets: [localhost]\n  labels: {app: " + app + "}\n");
  }

  TempDir dir;
};

std::vector<Labels> TargetsOf(const TargetFiles& files) {
  std::vector<Labels> targets;
  files.ForEachTarget([&targets](const Labels& labels) { targets.push_back(labels); });
  return targets;
}

// The label `app` of every target, with the name of its file.
std::string Apps(const TargetFiles& files) {
  std::string out;
  for (const Labels& labels : TargetsOf(files)) {
    const std::string path(labels.Value("__meta_filepath"));
    out += path.substr(path.rfind('/') + 1) + ":" + std::string(labels.Value("app")) + " ";
  }
  return out;
}

TEST_CASE("target files: every target has its file's path and its address",
          "[discovery][file_sd]") {
  const Bed bed;
  bed.Write("web.yml", "- targets: [a, b]\n  labels: {app: web, __path__: /v/*.log}\n");
  TargetFiles files({bed.Path("*.yml")});

  REQUIRE(files.Read());

  const std::vector<Labels> targets = TargetsOf(files);
  REQUIRE(targets.size() == 2);
  CHECK(FormatLabels(targets[0]) == R"({__address__="a", __meta_filepath=")" + bed.Path("web.yml") +
                                        R"(", __path__="/v/*.log", app="web"})");
  CHECK(targets[1].Value("__address__") == "b");
  CHECK(files.problems().empty());
}

TEST_CASE("target files: globs, plain names and links; what does not match is left alone",
          "[discovery][file_sd]") {
  const Bed bed;
  bed.WriteTarget("a.yml", "a");
  bed.WriteTarget("b.json.bak", "no");
  bed.WriteTarget("c.yaml", "c");
  bed.Write("d.json", R"([{"targets": ["x"], "labels": {"app": "d"}}])");
  std::filesystem::create_directory(bed.Path("sub"));
  bed.WriteTarget("sub/e.yml", "no");
  std::filesystem::create_symlink(bed.Path("sub/e.yml"), bed.Path("link.yml"));
  TargetFiles files({bed.Path("[a-b].y*ml"), bed.Path("c.yaml"), bed.Path("*.json"),
                     bed.Path("l?nk.yml"), bed.Path("c.yaml")});

  REQUIRE(files.Read());

  CHECK(Apps(files) == "a.yml:a c.yaml:c d.json:d link.yml:no ");
  CHECK(files.Directories() == std::vector<std::string>{bed.dir.path(), bed.Path("sub")});
  CHECK(files.places().contains(bed.Path("sub/e.yml")));
}

TEST_CASE("target files: changes, new files and files that are gone", "[discovery][file_sd]") {
  const Bed bed;
  bed.WriteTarget("a.yml", "one");
  TargetFiles files({bed.Path("*.yml")});
  REQUIRE(files.Read());
  CHECK_FALSE(files.Read());

  bed.WriteTarget("a.yml", "two");
  CHECK(files.Read());
  CHECK(Apps(files) == "a.yml:two ");

  bed.Write("a.yml", "# a comment more\n- targets: [localhost]\n  labels: {app: two}\n");
  CHECK_FALSE(files.Read());

  bed.WriteTarget("b.yml", "b");
  CHECK(files.Read());
  CHECK(Apps(files) == "a.yml:two b.yml:b ");

  std::filesystem::remove(bed.Path("a.yml"));
  CHECK(files.Read());
  CHECK(Apps(files) == "b.yml:b ");
}

TEST_CASE("target files: a bad file keeps the last good targets, and is told each time",
          "[discovery][file_sd]") {
  const Bed bed;
  bed.WriteTarget("a.yml", "good");
  bed.WriteTarget("b.yml", "other");
  TargetFiles files({bed.Path("*.yml")});
  REQUIRE(files.Read());

  bed.Write("a.yml", "- targets: [x\n");
  CHECK_FALSE(files.Read());
  CHECK_FALSE(files.Read());
  CHECK(Apps(files) == "a.yml:good b.yml:other ");
  REQUIRE(files.problems().size() == 1);
  CHECK_THAT(files.problems()[0].message, Catch::StartsWith(bed.Path("a.yml") + ":2:1: "));

  bed.WriteTarget("a.yml", "better");
  CHECK(files.Read());
  CHECK(Apps(files) == "a.yml:better b.yml:other ");
  CHECK(files.problems().empty());
}

TEST_CASE("target files: what cannot be read is a problem and blocks nothing",
          "[discovery][file_sd]") {
  const Bed bed;
  REQUIRE(::mkfifo(bed.Path("fifo.yml").c_str(), 0600) == 0);
  std::filesystem::create_symlink("/nowhere", bed.Path("dangling.yml"));
  std::filesystem::create_directory(bed.Path("folder.yml"));
  bed.Write("huge.yml", std::string(TargetFiles::kMaxFileBytes + 1, '#'));
  bed.WriteTarget("ok.yml", "ok");
  TargetFiles files({bed.Path("*.yml")});

  REQUIRE(files.Read());

  CHECK(Apps(files) == "ok.yml:ok ");
  REQUIRE(files.problems().size() == 4);
  CHECK_THAT(files.problems()[1].message, Catch::Contains("not a regular file"));
  CHECK_THAT(files.problems()[3].message, Catch::Contains("larger than 16 MiB"));
}

TEST_CASE("target files: nothing there is no problem; the nearest directory is watched",
          "[discovery][file_sd]") {
  const Bed bed;
  TargetFiles files({bed.Path("not/yet/*.yml"), bed.Path("no.json")});

  CHECK(files.Read());  // The first time.

  CHECK(TargetsOf(files).empty());
  CHECK(files.problems().empty());
  CHECK(files.remarks().size() == 2);
  CHECK(files.Directories() == std::vector<std::string>{bed.dir.path()});
}

TEST_CASE("target files: a group without targets gives none, and is remarked",
          "[discovery][file_sd]") {
  const Bed bed;
  bed.Write("a.yml", "- labels: {app: a}\n");
  TargetFiles files({bed.Path("a.yml")});

  REQUIRE(files.Read());

  CHECK(TargetsOf(files).empty());
  REQUIRE(files.remarks().size() == 1);
  CHECK_THAT(files.remarks()[0].message, Catch::Contains("no targets"));
}

TEST_CASE("target files: patterns as Prometheus has them", "[discovery][file_sd]") {
  for (const char* good :
       {"a.yml", "/etc/*.json", "/etc/x[0-9].YAML", "dir/t?.yml", "/a.b/c.JSON"}) {
    CHECK(WhatIsWrongWithFilePattern(good).empty());
  }
  for (const char* bad : {"", "/etc/*", "a.txt", "/etc/yml", "/*/a.yml", "/x?/a.yml", "/a.yml/b"}) {
    CHECK_FALSE(WhatIsWrongWithFilePattern(bad).empty());
  }
  CHECK(MatchesFilePattern("/etc/*.yml", "/etc/a.yml"));
  CHECK_FALSE(MatchesFilePattern("/etc/*.yml", "/etc/sub/a.yml"));
  CHECK_FALSE(MatchesFilePattern("/etc/*.yml", "/etc/a.yml.swp"));
  CHECK(MatchesFilePattern("a.yml", "./a.yml"));
}

}  // namespace
}  // namespace agent
