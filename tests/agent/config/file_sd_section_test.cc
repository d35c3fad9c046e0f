#include <chrono>
#include <string>

#include <catch2/catch.hpp>

#include "agent/config/effective_yaml.h"
#include "tests/agent/config/load.h"

namespace agent {
namespace {

LoadedConfig LoadFileSd(const std::string& file_sd) {
  return LoadText(kClients + "scrape_configs:\n- job_name: j\n  file_sd_configs: " + file_sd +
                  "\n");
}

TEST_CASE("file_sd_configs: files and refresh_interval", "[config][file_sd]") {
  const LoadedConfig loaded =
      LoadFileSd("[{files: [/etc/t/*.yml, x.json], refresh_interval: 1d}, {files: [y.yaml]}]");

  REQUIRE(Errors(loaded).empty());
  CHECK(Warnings(loaded).empty());
  const auto& configs = loaded.config.scrape_configs[0].file_sd_configs;
  REQUIRE(configs.size() == 2);
  CHECK(configs[0].files == std::vector<std::string>{"/etc/t/*.yml", "x.json"});
  CHECK(configs[0].refresh_interval == std::chrono::hours(24));
  CHECK(configs[1].refresh_interval == std::chrono::minutes(5));
  const std::string printed = EffectiveYaml(loaded.config);
  CHECK_THAT(printed,
             Catch::Contains("refresh_interval: 1d") && Catch::Contains("refresh_interval: 5m"));
  CHECK(Errors(LoadText(printed)).empty());
}

TEST_CASE("file_sd_configs: what is wrong is told", "[config][file_sd]") {
  CHECK_THAT(Errors(LoadFileSd("[]")),
             Catch::Contains("no valid target scrape config defined for \"j\""));
  CHECK_THAT(Errors(LoadFileSd("[{}]")), Catch::Contains("must contain at least one path name"));
  CHECK_THAT(Errors(LoadFileSd("[{files: []}]")),
             Catch::Contains("must contain at least one path name"));
  CHECK_THAT(Errors(LoadFileSd("[{files: [/a/*/b.yml]}]")),
             Catch::Contains("4:30 scrape_configs[0].file_sd_configs[0].files[0]: path name "
                             "'/a/*/b.yml' is not valid for file discovery; wildcards are for the "
                             "part after the last '/' alone"));
  CHECK_THAT(Errors(LoadFileSd("[{files: [/a/b.txt]}]")),
             Catch::Contains("must end in .json, .yml or .yaml"));
  CHECK_THAT(Errors(LoadFileSd("[{files: [a.yml], refresh_interval: 0s}]")),
             Catch::Contains("expected a duration above 0"));
  CHECK_THAT(Errors(LoadFileSd("[{files: [a.yml], refresh_interval: 30}]")),
             Catch::Contains("did you mean 30s?"));
  CHECK_THAT(Errors(LoadFileSd("[{files: [a.yml], refresh_intervall: 3s}]")),
             Catch::Contains("did you mean 'refresh_interval'?"));
}

}  // namespace
}  // namespace agent
