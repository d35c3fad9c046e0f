#include "discovery/target_builder.h"

#include <memory>
#include <string>

#include <catch2/catch.hpp>

namespace agent {
namespace {

Labels Discovered(const std::string& app, const std::string& more = "") {
  Labels labels{{"app", app}, {"__path__", "/v/" + app}};
  if (!more.empty()) labels.Set("__meta", more);
  return labels;
}

TEST_CASE("target builder: what has not changed is the same object as before", "[discovery]") {
  const auto relabeling = Relabeling::Compile({}).value();
  TargetBuilder builder("job", *relabeling, "host");
  builder.Add(Discovered("a"));
  builder.Add(Discovered("b"));
  builder.Add({{"app", "no path"}});
  const DiscoveryResult first = builder.Take();
  builder.Add(Discovered("a"));
  builder.Add(Discovered("c"));
  builder.Add({{"app", "no path"}});
  const DiscoveryResult second = builder.Take();
  builder.Add(Discovered("b"));
  const DiscoveryResult third = builder.Take();

  REQUIRE(second.targets.size() == 2);
  CHECK(second.targets[0] == first.targets[0]);
  CHECK(second.targets[1]->labels.Value("app") == "c");
  CHECK(second.dropped.at(0) == first.dropped.at(0));
  // Forgotten meanwhile, and made anew.
  REQUIRE(third.targets.size() == 1);
  CHECK(*third.targets[0] == *first.targets[1]);
  CHECK(third.dropped.empty());
}

TEST_CASE("target builder: targets that become the same are one, whoever comes first",
          "[discovery]") {
  const auto relabeling = Relabeling::Compile({}).value();
  TargetBuilder builder("job", *relabeling, "host");
  for (int round = 0; round < 2; ++round) {
    builder.Add(Discovered("a", "1"));
    builder.Add(Discovered("a", "2"));
    builder.Add(Discovered("a", "1"));
    const DiscoveryResult result = builder.Take();

    CHECK(result.targets.size() == 1);
    REQUIRE(result.dropped.size() == 2);
    CHECK(result.dropped[0]->reason == "exists");
    CHECK(result.dropped[0]->discovered.Value("__meta") == "2");
  }
}

}  // namespace
}  // namespace agent
