#include "discovery/static.h"

#include <optional>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

namespace agent {
namespace {

DiscoveryResult Discover(std::vector<StaticTargets> groups, std::vector<RelabelRule> rules = {}) {
  StaticDiscoverer discoverer("job", std::move(groups), Relabeling::Compile(rules).value(),
                              "node-1");
  std::optional<DiscoveryResult> result;
  discoverer.Start([&result](DiscoveryResult found) {
    CHECK_FALSE(result);
    result = std::move(found);
  });
  discoverer.Stop();
  REQUIRE(result);
  return *std::move(result);
}

TEST_CASE("static: a group gives a target with its visible labels", "[discovery]") {
  const DiscoveryResult result = Discover(
      {{.addresses = {"localhost"},
        .labels = {{"job", "web"}, {"__path__", "/v/*.log"}, {"__path_exclude__", "/v/x.log"}}}});

  REQUIRE(result.targets.size() == 1);
  CHECK(result.dropped.empty());
  const Target& target = *result.targets[0];
  CHECK(target.job == "job");
  CHECK(target.path == "/v/*.log");
  CHECK(target.path_exclude == "/v/x.log");
  CHECK(FormatLabels(target.labels) == R"({job="web"})");
  CHECK(target.discovered.Value("__address__") == "localhost");
}

TEST_CASE("static: a group without addresses is one target", "[discovery]") {
  CHECK(Discover({{.addresses = {}, .labels = {{"__path__", "/a"}}}}).targets.size() == 1);
}

TEST_CASE("static: the same path, labels and exclusion are one target", "[discovery]") {
  const DiscoveryResult result = Discover({
      {.addresses = {"a", "b"}, .labels = {{"__path__", "/a"}}},
      {.addresses = {}, .labels = {{"__path__", "/a"}, {"job", "x"}}},
      {.addresses = {}, .labels = {{"__path__", "/a"}, {"__path_exclude__", "/b"}}},
  });

  CHECK(result.targets.size() == 3);
  REQUIRE(result.dropped.size() == 1);
  CHECK(result.dropped[0]->reason == "exists");
  CHECK(result.dropped[0]->discovered.Value("__address__") == "b");
}

TEST_CASE("static: targets that are not read say why", "[discovery]") {
  RelabelRule keep;
  keep.action = RelabelAction::kKeep;
  keep.source_labels = {"app"};
  keep.regex = "web";
  const DiscoveryResult result = Discover(
      {
          {.addresses = {}, .labels = {{"app", "db"}, {"__path__", "/a"}}},
          {.addresses = {}, .labels = {{"app", "web"}}},
          {.addresses = {}, .labels = {{"app", "web"}, {"__path__", "/a"}, {"__host__", "node-2"}}},
          {.addresses = {}, .labels = {{"app", "web"}, {"__path__", "/a"}, {"__host__", "node-1"}}},
          {.addresses = {}, .labels = {{"app", "web"}, {"__path__", ""}}},
      },
      {keep});

  CHECK(result.targets.size() == 1);
  REQUIRE(result.dropped.size() == 4);
  CHECK(result.dropped[0]->reason == "dropped");
  CHECK(result.dropped[0]->detail == "relabel_configs[0] (action keep)");
  CHECK(result.dropped[1]->reason == "no_path");
  CHECK(result.dropped[2]->reason == "wrong_host");
  CHECK(result.dropped[2]->detail == "__host__ is 'node-2', this host is 'node-1'");
  CHECK(result.dropped[3]->reason == "no_path");
}

}  // namespace
}  // namespace agent
