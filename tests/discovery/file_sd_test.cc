#include "discovery/file_sd.h"

#include <fcntl.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "base/unique_fd.h"
#include "discovery/combined.h"
#include "discovery/static.h"
#include "tests/support/recording_metrics.h"
#include "tests/support/temp_dir.h"

namespace agent {
namespace {

using std::chrono::milliseconds;

class Bed {
 public:
  explicit Bed(milliseconds refresh = milliseconds(600'000)) {
    std::vector<std::unique_ptr<Discoverer>> parts;
    const std::shared_ptr<const Relabeling> none = Relabeling::Compile({}).value();
    parts.push_back(std::make_unique<StaticDiscoverer>(
        "job",
        std::vector<StaticTargets>{{.addresses = {}, .labels = {{"__path__", "/s"}, {"a", "s"}}}},
        none, "host"));
    parts.push_back(std::make_unique<FileSdDiscoverer>(
        FileSdDiscoverer::Dependencies{loop, logger}, "job",
        FileSdOptions{{dir.path() + "/*.yml"}, refresh}, none, "host"));
    discoverer = std::make_unique<CombinedDiscoverer>(std::move(parts));
  }

  void Write(const std::string& name, const std::string& text) const {
    const std::string path = dir.path() + "/" + name;
    std::ofstream(path + ".tmp") << text;
    std::filesystem::rename(path + ".tmp", path);
  }
  void WriteApp(const std::string& app) const {
    Write("t.yml", "- targets: [x]\n  labels: {a: " + app + ", __path__: /" + app + "}\n");
  }

  void Start() {
    discoverer->Start([this](DiscoveryResult found) { result = std::move(found); });
  }
  // Turns the loop until the targets' labels `a` are these; false when that takes too long.
  bool Until(const std::string& apps) {
    return Turn([&] {
      std::string now;
      for (const auto& target : result.targets)
        now += target->labels.Value("a");
      return now == apps;
    });
  }
  template <typename Condition>
  bool Turn(Condition condition) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (!condition()) {
      if (std::chrono::steady_clock::now() > deadline) return false;
      uv_run(loop.uv(), UV_RUN_ONCE);
    }
    return true;
  }

  TempDir dir;
  UniqueFd null{::open("/dev/null", O_WRONLY | O_CLOEXEC)};
  Logger logger{null.get(), LogLevel::kDebug, LogFormat::kLogfmt};
  Loop loop;
  std::unique_ptr<Discoverer> discoverer;
  DiscoveryResult result;
};

TEST_CASE("file_sd: targets come with those of static_configs, and follow the files",
          "[discovery][file_sd]") {
  Bed bed;
  bed.WriteApp("1");
  bed.Start();
  CHECK(bed.result.targets.size() == 1);  // The static one is there at once.
  REQUIRE(bed.Until("s1"));

  bed.WriteApp("2");  // Renamed into place.
  CHECK(bed.Until("s2"));
  std::ofstream(bed.dir.path() + "/t.yml", std::ios::app)
      << "- targets: [y]\n  labels: {a: '3', __path__: /3}\n";  // Written in place.
  CHECK(bed.Until("s23"));
  std::filesystem::remove(bed.dir.path() + "/t.yml");
  CHECK(bed.Until("s"));

  bed.discoverer->Stop();
}

TEST_CASE("file_sd: a bad file is counted and told, and its targets stay", "[discovery][file_sd]") {
  Bed bed;
  bed.WriteApp("1");
  bed.Start();
  REQUIRE(bed.Until("s1"));

  bed.Write("t.yml", "- targets: {}\n");
  REQUIRE(bed.Turn([&] { return !bed.discoverer->Problems().empty(); }));

  CHECK_THAT(bed.discoverer->Problems()[0], Catch::Contains("t.yml:1:12: [0].targets"));
  CHECK(bed.Until("s1"));
  RecordingMetrics metrics;
  bed.discoverer->CollectMetrics(metrics);
  CHECK(metrics.Value("agent_discovery_failures_total job file") >= 1);
  bed.WriteApp("2");
  CHECK(bed.Until("s2"));
  CHECK(bed.discoverer->Problems().empty());
}

TEST_CASE("file_sd: the refresh finds what inotify does not tell", "[discovery][file_sd]") {
  const TempDir elsewhere;
  std::filesystem::create_directory(elsewhere.path() + "/old");
  std::filesystem::create_directory(elsewhere.path() + "/new");
  std::ofstream(elsewhere.path() + "/old/t")
      << "- targets: [x]\n  labels: {a: '1', __path__: /1}\n";
  std::ofstream(elsewhere.path() + "/new/t")
      << "- targets: [x]\n  labels: {a: '2', __path__: /2}\n";
  Bed bed(milliseconds(50));
  // Nobody watches the link between the link and the file.
  std::filesystem::create_directory_symlink(elsewhere.path() + "/old", elsewhere.path() + "/now");
  std::filesystem::create_symlink(elsewhere.path() + "/now/t", bed.dir.path() + "/t.yml");
  bed.Start();
  REQUIRE(bed.Until("s1"));

  std::filesystem::remove(elsewhere.path() + "/now");
  std::filesystem::create_directory_symlink(elsewhere.path() + "/new", elsewhere.path() + "/now");

  CHECK(bed.Until("s2"));
}

TEST_CASE("file_sd: a target that both parts find is one", "[discovery][file_sd]") {
  Bed bed;
  bed.Write("t.yml", "- targets: [x]\n  labels: {a: s, __path__: /s}\n");
  bed.Start();

  REQUIRE(bed.Turn([&] { return !bed.result.dropped.empty(); }));

  CHECK(bed.result.targets.size() == 1);
  CHECK(bed.result.dropped[0]->reason == "exists");
  CHECK(bed.result.dropped[0]->discovered.Has("__meta_filepath"));
}

TEST_CASE("file_sd: stopped while it reads, it reports no more", "[discovery][file_sd]") {
  Bed bed;
  bed.WriteApp("1");
  bed.Start();
  bed.discoverer->Stop();
  bed.discoverer.reset();

  uv_run(bed.loop.uv(), UV_RUN_NOWAIT);

  CHECK(bed.Until("s"));
}

}  // namespace
}  // namespace agent
