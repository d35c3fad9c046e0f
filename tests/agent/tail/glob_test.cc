#include "agent/tail/glob.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "tests/support/temp_dir.h"

namespace agent {
namespace {

bool Matches(const std::string& pattern, const std::string& path) {
  const Result<Glob> glob = Glob::Compile(pattern);
  REQUIRE(glob.ok());
  return glob->Match(path);
}

std::vector<std::string> Expand(const std::string& pattern) {
  const Result<Glob> glob = Glob::Compile(pattern);
  REQUIRE(glob.ok());
  std::vector<std::string> found;
  Glob::Visitor visitor{[&found](const std::string& path) { found.push_back(path); },
                        [](const std::string&) {}};
  CHECK(glob->Expand(visitor));
  std::sort(found.begin(), found.end());
  return found;
}

TEST_CASE("glob: patterns match as doublestar's do", "[tail][glob]") {
  struct Case {
    const char* pattern;
    const char* path;
    bool want;
  };
  const auto c = GENERATE(values<Case>({
      {"/a/*.log", "/a/x.log", true},
      {"/a/*.log", "/a/.log", true},
      {"/a/*.log", "/a/b/x.log", false},
      {"/a/?.log", "/a/x.log", true},
      {"/a/?.log", "/a/xy.log", false},
      {"/a/?.log", "/a/\xc3\xa4.log", true},
      {"/a/[a-c].log", "/a/b.log", true},
      {"/a/[a-c].log", "/a/d.log", false},
      {"/a/[^a-c].log", "/a/d.log", true},
      {"/a/[!a-c].log", "/a/a.log", false},
      {"/a/[]x].log", "/a/].log", true},
      {"/a/{x,yy}.log", "/a/yy.log", true},
      {"/a/{x,y{1,2}}.log", "/a/y2.log", true},
      {"/a/{x,yy}.log", "/a/z.log", false},
      {"/{a,b/c}/x", "/b/c/x", true},
      {"/a/**/x.log", "/a/x.log", true},
      {"/a/**/x.log", "/a/b/c/x.log", true},
      {"/a/**/x.log", "/b/x.log", false},
      {"/a/**", "/a/b/c", true},
      {"/**/b/**/x", "/a/b/b/x", true},
      {"/a/**x", "/a/bx", true},
      {"/a/**x", "/a/b/x", false},
      {"/a/\\*.log", "/a/*.log", true},
      {"/a/\\*.log", "/a/x.log", false},
      {"/a/*a*b*c", "/a/xaybzc", true},
      {"/a/*a*b*c", "/a/xaybz", false},
      {"/a/b", "/a/b", true},
      {"", "", true},
  }));
  INFO(c.pattern << " " << c.path);
  CHECK(Matches(c.pattern, c.path) == c.want);
}

TEST_CASE("glob: a pattern of many stars takes no exponential time", "[tail][glob]") {
  std::string pattern = "/";
  for (int i = 0; i < 60; ++i)
    pattern += "*a";
  CHECK(!Matches(pattern + "b", "/" + std::string(4000, 'a')));
  std::string deep;
  for (int i = 0; i < 40; ++i)
    deep += "/**/a";
  CHECK(!Matches(deep + "/b", std::string("/a") + std::string(400, '/') + "a"));
}

TEST_CASE("glob: what is no pattern is refused", "[tail][glob]") {
  const char* pattern = GENERATE("/a/[b", "/a/{b", "/a/b\\",
                                 "/{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}"
                                 "{a,b}{a,b}{a,b}{a,b}{a,b}");
  const Result<Glob> glob = Glob::Compile(pattern);
  REQUIRE(!glob.ok());
  CHECK(glob.error().code == ErrorCode::kInvalid);
}

TEST_CASE("glob: paths are made absolute and clean", "[tail][glob]") {
  CHECK(AbsolutePath("/a//b/./c/../d") == "/a/b/d");
  CHECK(AbsolutePath("/..") == "/");
  CHECK(AbsolutePath("x/*.log") == std::filesystem::current_path().string() + "/x/*.log");
  CHECK(DirName("/a/b") == "/a");
  CHECK(DirName("/a") == "/");
  CHECK(BaseName("/a/b") == "b");
}

TEST_CASE("glob: expanding walks directories, follows links, ends in loops", "[tail][glob]") {
  TempDir dir;
  const std::string root = dir.path();
  std::filesystem::create_directories(root + "/a/b");
  for (const char* name : {"/x.log", "/a/y.log", "/a/b/z.log", "/a/b/z.txt", "/odd[1].log"})
    std::ofstream(root + name) << "x";
  std::filesystem::create_directory_symlink(root, root + "/a/loop");
  std::filesystem::create_symlink(root + "/x.log", root + "/link.log");
  std::filesystem::create_directory(root + "/dir.log");

  CHECK(Expand(root + "/*.log") ==
        std::vector<std::string>{root + "/link.log", root + "/odd[1].log", root + "/x.log"});
  const auto deep = Expand(root + "/**/z.log");
  CHECK(deep == std::vector<std::string>{root + "/a/b/z.log"});
  CHECK(Expand(root + "/{a,a/b}/*.log") ==
        std::vector<std::string>{root + "/a/b/z.log", root + "/a/y.log"});
  // A path that names an existing file is that file.
  CHECK(Expand(root + "/odd[1].log") == std::vector<std::string>{root + "/odd[1].log"});
  CHECK(Expand(root + "/none/*.log").empty());
}

TEST_CASE("glob: names the directories where something may appear", "[tail][glob]") {
  TempDir dir;
  const std::string root = dir.path();
  std::filesystem::create_directories(root + "/a/b");
  const Result<Glob> glob = Glob::Compile(root + "/*/b/c/*.log");
  REQUIRE(glob.ok());
  std::vector<std::string> directories;
  Glob::Visitor visitor{[](const std::string&) {},
                        [&](const std::string& path) { directories.push_back(path); }};
  CHECK(glob->Expand(visitor));
  CHECK(directories == std::vector<std::string>{root, root + "/a/b"});
}

TEST_CASE("glob: a walk is bounded", "[tail][glob]") {
  TempDir dir;
  for (int i = 0; i < 50; ++i)
    std::ofstream(dir.path() + "/" + std::to_string(i)) << "x";
  const Result<Glob> glob = Glob::Compile(dir.path() + "/*");
  REQUIRE(glob.ok());
  std::size_t found = 0;
  Glob::Visitor visitor{[&found](const std::string&) { ++found; }, [](const std::string&) {}};
  CHECK(!glob->Expand(visitor, /*max_entries=*/10));
  CHECK(found == 10);
}

}  // namespace
}  // namespace agent
