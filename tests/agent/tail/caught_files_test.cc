#include "agent/tail/caught_files.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <thread>

#include <catch2/catch.hpp>

#include "base/clock.h"
#include "tests/support/temp_dir.h"

namespace agent {
namespace {

namespace fs = std::filesystem;

bool Within(std::chrono::seconds patience, const std::function<bool()>& condition) {
  const auto end = std::chrono::steady_clock::now() + patience;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::yield();
  }
  return true;
}

std::string ReadAll(const UniqueFd& fd) {
  std::array<char, 4096> text{};
  const ssize_t size = ::pread(fd.get(), text.data(), text.size(), 0);
  return size <= 0 ? std::string() : std::string(text.data(), static_cast<std::size_t>(size));
}

struct Fixture {
  Fixture() : caught(clock, logger) { fs::create_directory(folder); }

  [[nodiscard]] std::string PathOf(char digit) const {
    const std::string id(64, digit);
    return folder + "/" + id + "/" + id + "-json.log";
  }
  void Write(const std::string& path, const std::string& text) const {
    fs::create_directories(fs::path(path).parent_path());
    std::ofstream(path) << text;
  }

  TempDir dir;
  const std::string folder = dir.path() + "/containers";
  SystemClock clock;
  Logger logger{-1, LogLevel::kInfo, LogFormat::kLogfmt};
  CaughtFiles caught;
};

}  // namespace

TEST_CASE("caught files: a log that was deleted can still be read", "[tail][docker]") {
  Fixture f;
  f.caught.SetFolders({f.folder});

  const std::string path = f.PathOf('a');
  f.Write(path, "line\n");
  REQUIRE(Within(std::chrono::seconds(20), [&] { return f.caught.Has(path); }));
  fs::remove_all(fs::path(path).parent_path());

  CHECK(ReadAll(f.caught.Open(path)) == "line\n");
  CHECK(ReadAll(f.caught.Open(path)) == "line\n");  // Several jobs may want it.
  CHECK(f.caught.held() == 1);
}

TEST_CASE("caught files: a container may get its log long after its folder", "[tail][docker]") {
  Fixture f;
  f.caught.SetFolders({f.folder});

  const std::string late = f.PathOf('b');
  fs::create_directories(fs::path(late).parent_path());
  const std::string other = f.PathOf('c');
  f.Write(other, "x");
  REQUIRE(Within(std::chrono::seconds(20), [&] { return f.caught.Has(other); }));
  CHECK_FALSE(f.caught.Has(late));
  f.Write(fs::path(late).parent_path() / "hostname", "x");
  f.Write(late, "late\n");

  CHECK(Within(std::chrono::seconds(20), [&] { return f.caught.Has(late); }));
  CHECK(f.caught.held() == 2);
}

TEST_CASE("caught files: nothing but logs of new containers is opened", "[tail][docker]") {
  Fixture f;
  f.Write(f.PathOf('a'), "old\n");
  f.caught.SetFolders({f.folder, f.dir.path() + "/none"});

  f.Write(f.folder + "/short/short-json.log", "x");
  f.Write(f.PathOf('g'), "no id\n");
  fs::create_directories(fs::path(f.PathOf('d')).parent_path());
  fs::create_symlink("/etc/passwd", f.PathOf('d'));
  f.Write(f.PathOf('e'), "new\n");
  REQUIRE(Within(std::chrono::seconds(20), [&] { return f.caught.Has(f.PathOf('e')); }));

  CHECK(f.caught.held() == 1);
}

TEST_CASE("caught files: they are bounded, and other folders mean other files", "[tail][docker]") {
  Fixture f;
  f.caught.SetFolders({f.folder});
  const std::size_t count = CaughtFiles::kMaxHeld + 20;
  std::string last;
  for (std::size_t i = 0; i < count; ++i) {
    std::string id = std::to_string(i);
    id.insert(0, 64 - id.size(), '0');
    last = f.folder + "/" + id + "/" + id + "-json.log";
    f.Write(last, "x");
  }

  CHECK(Within(std::chrono::seconds(20),
               [&] { return f.caught.Has(last) && f.caught.held() <= CaughtFiles::kMaxHeld; }));
  f.caught.SetFolders({});
  CHECK(f.caught.held() == 0);
  f.Write(f.PathOf('a'), "x");
  CHECK_FALSE(f.caught.Has(f.PathOf('a')));
}

}  // namespace agent
