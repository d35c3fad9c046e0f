#include "base/watcher.h"

#include <fcntl.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <set>
#include <string>

#include <catch2/catch.hpp>

#include "tests/support/temp_dir.h"

namespace agent {
namespace {

class WatcherBed {
 public:
  WatcherBed() : watcher(loop, logger, "tail", MakeCallbacks()) {}
  [[nodiscard]] std::string Path(const std::string& name) const { return dir.path() + "/" + name; }
  void Append(const std::string& name) const { std::ofstream(Path(name), std::ios::app) << "x"; }

  TempDir dir;
  UniqueFd null{::open("/dev/null", O_WRONLY | O_CLOEXEC)};
  Logger logger{null.get(), LogLevel::kDebug, LogFormat::kLogfmt};
  Loop loop;
  std::set<std::string> modified;
  std::vector<std::string> created;
  int rescans = 0;
  Watcher watcher;

 private:
  Watcher::Callbacks MakeCallbacks() {
    return {[this](const std::string& path) { modified.insert(path); }, [this] { ++rescans; },
            [this](const std::string& path) { created.push_back(path); }};
  }
};

TEST_CASE("watcher: tells which file was written, and that names have changed", "[tail][watcher]") {
  WatcherBed bed;
  bed.Append("a.log");
  bed.watcher.SetDirectories({bed.dir.path()});
  for (int i = 0; i < 1000; ++i)
    bed.Append("a.log");
  bed.watcher.ReadEvents();
  CHECK(bed.modified == std::set<std::string>{bed.Path("a.log")});
  CHECK(bed.rescans == 0);
  CHECK(bed.created.empty());

  std::filesystem::rename(bed.Path("a.log"), bed.Path("b.log"));
  bed.watcher.ReadEvents();
  CHECK(bed.rescans == 1);
  CHECK(bed.created == std::vector<std::string>{bed.Path("b.log")});
}

TEST_CASE("watcher: one more directory is watched, and tells what comes into it",
          "[tail][watcher]") {
  WatcherBed bed;
  bed.watcher.Watch(bed.dir.path());
  bed.Append("new.log");
  bed.watcher.ReadEvents();
  CHECK(bed.created == std::vector<std::string>{bed.Path("new.log")});
}

TEST_CASE("watcher: a directory removed and made again is watched again", "[tail][watcher]") {
  WatcherBed bed;
  const std::string sub = bed.Path("sub");
  std::filesystem::create_directory(sub);
  bed.watcher.SetDirectories({sub});
  std::filesystem::remove(sub);
  bed.watcher.ReadEvents();
  CHECK(bed.rescans == 1);
  CHECK(bed.watcher.watches() == 0);

  std::filesystem::create_directory(sub);
  bed.watcher.SetDirectories({sub});
  bed.Append("sub/a.log");
  bed.watcher.ReadEvents();
  CHECK(bed.modified == std::set<std::string>{sub + "/a.log"});
}

TEST_CASE("watcher: a directory moved away is not mistaken for what stands at its path",
          "[tail][watcher]") {
  WatcherBed bed;
  const std::string sub = bed.Path("sub");
  std::filesystem::create_directory(sub);
  bed.watcher.SetDirectories({sub});
  std::filesystem::rename(sub, bed.Path("old"));
  std::filesystem::create_directory(sub);
  bed.watcher.ReadEvents();
  bed.watcher.SetDirectories({sub});
  bed.Append("old/a.log");
  bed.watcher.ReadEvents();
  CHECK(bed.modified.empty());
  bed.Append("sub/a.log");
  bed.watcher.ReadEvents();
  CHECK(bed.modified == std::set<std::string>{sub + "/a.log"});
}

TEST_CASE("watcher: what is not wanted any more is not watched", "[tail][watcher]") {
  WatcherBed bed;
  bed.watcher.SetDirectories({bed.dir.path()});
  bed.watcher.SetDirectories({});
  bed.Append("a.log");
  bed.watcher.ReadEvents();
  CHECK(bed.modified.empty());
  CHECK(bed.watcher.watches() == 0);
}

TEST_CASE("watcher: two names of one directory are both told", "[tail][watcher]") {
  WatcherBed bed;
  std::filesystem::create_directory(bed.Path("real"));
  std::filesystem::create_directory_symlink(bed.Path("real"), bed.Path("link"));
  bed.Append("real/a.log");
  bed.watcher.SetDirectories({bed.Path("link"), bed.Path("real")});
  bed.Append("real/a.log");
  bed.watcher.ReadEvents();
  CHECK(bed.modified == std::set<std::string>{bed.Path("link/a.log"), bed.Path("real/a.log")});
}

TEST_CASE("watcher: a silent directory is listed for polling while it is wanted",
          "[tail][watcher]") {
  WatcherBed bed;
  bed.watcher.SetDirectories({bed.dir.path()});
  bed.watcher.SetSilent(bed.dir.path());
  bed.watcher.SetDirectories({bed.dir.path()});
  CHECK(bed.watcher.polled().contains(bed.dir.path()));
  bed.watcher.SetDirectories({});
  CHECK(bed.watcher.polled().empty());
}

}  // namespace
}  // namespace agent
