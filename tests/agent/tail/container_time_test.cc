#include "agent/tail/container_time.h"

#include <fstream>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "tests/support/temp_dir.h"

namespace agent {
namespace {

std::string LineAt(int second, std::size_t text) {
  const std::string two = std::to_string(second % 60 + 100).substr(1);
  const std::string minute = std::to_string(second / 60 + 100).substr(1);
  // What a program writes may look like the daemon's time.
  return R"({"log":"\"time\":\"2020-01-01T00:00:00Z\" )" + std::string(text, 'x') +
         R"(\n","stream":"stdout","time":"2026-05-04T00:)" + minute + ":" + two + ".5Z\"}\n";
}
constexpr int64_t kMidnight = 1777852800;  // 2026-05-04.

TEST_CASE("container time: the offset of a second", "[tail]") {
  const TempDir dir;
  const std::string path = dir.path() + "/0a-json.log";
  // Several lines a second, some seconds without any, one line longer than a block.
  std::vector<std::pair<int, uint64_t>> lines;
  std::string content;
  for (int second = 10; second < 400; second += second % 7 == 0 ? 3 : 1) {
    for (int n = 0; n <= second % 3; ++n) {
      lines.emplace_back(second, content.size());
      content += LineAt(second, second == 200 ? 60'000 : static_cast<std::size_t>(second % 50));
    }
  }
  const uint64_t whole = content.size();
  std::ofstream(path) << content << R"({"log":"not who)";

  for (int second = 0; second < 410; ++second) {
    uint64_t want = whole;
    for (const auto& [at, offset] : lines) {
      if (at >= second) {
        want = offset;
        break;
      }
    }
    INFO(second);
    CHECK(OffsetOfSecond(path, kMidnight + second) == want);
  }
  for (std::size_t i = 1; i < lines.size(); ++i) {
    CHECK(SecondBefore(path, lines[i].second) == kMidnight + lines[i - 1].first);
  }
  CHECK(SecondBefore(path, 0) == std::nullopt);
  CHECK(SecondBefore(path, whole + 5) == std::nullopt);
}

TEST_CASE("container time: what is no such log", "[tail]") {
  const TempDir dir;
  const std::string path = dir.path() + "/app.log";
  CHECK(OffsetOfSecond(path, kMidnight) == std::nullopt);
  std::ofstream(path) << "";
  CHECK(OffsetOfSecond(path, kMidnight) == 0);
  std::ofstream(path) << "plain\n";
  CHECK(OffsetOfSecond(path, kMidnight) == std::nullopt);
  CHECK(SecondBefore(path, 6) == std::nullopt);
  CHECK(ContainerOfLog("/var/lib/docker/containers/0a/0a-json.log") == "0a");
  CHECK(ContainerOfLog("/var/lib/docker/containers/0a/0a-json.log.1").empty());
}

}  // namespace
}  // namespace agent
