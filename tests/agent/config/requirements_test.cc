// The configurations that the agent was asked for, as they were written.

#include <chrono>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "tests/agent/config/load.h"

namespace agent {
namespace {

LoadedConfig LoadRequirement(const std::string& name) {
  std::ifstream file(std::string(AGENT_REQUIREMENTS) + "/" + name);
  REQUIRE(file);
  return LoadText({std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()});
}

TEST_CASE("requirements: the full stack loads, its containers filtered by label",
          "[config][requirements]") {
  const LoadedConfig loaded = LoadRequirement("full_stack.yaml");

  CHECK(Errors(loaded).empty());
  const DockerSdConfig& docker = loaded.config.scrape_configs.at(0).docker_sd_configs.at(0);
  CHECK(docker.host == "unix:///var/run/docker.sock");
  CHECK(docker.refresh_interval == std::chrono::seconds(5));
  CHECK(docker.filters.at(0).first == "label");
  CHECK(docker.filters.at(0).second == std::vector<std::string>{"logging=promtail"});
  CHECK(
      Warnings(loaded) ==
      "128:20 scrape_configs[0].pipeline_stages[5].replace.replace: only the group is replaced, "
      "the "
      "text around it stays: this gives \"user_id\":\"\"user_id\":\"***REDACTED***\"\"; did you "
      "mean "
      "replace: '***REDACTED***'?\n"
      "28:20 clients[0].backoff_config.max_retries: after about 9 minutes of outage each batch is "
      "moved to the dead letter; leave max_retries out, or 0, to wait for the receiver for ever\n"
      "224:18 limits_config.readline_rate: has no effect without readline_rate_enabled: true");
  REQUIRE(loaded.config.scrape_configs.size() == 3);
  CHECK(loaded.config.scrape_configs[0].relabel_configs.size() == 6);
  CHECK(loaded.config.scrape_configs[2].static_configs.at(0).labels.Value("__path__") ==
        "/var/log/syslog");
  CHECK(loaded.config.clients.at(0).backoff.max_retries == 10);
}

TEST_CASE("requirements: the platform's files are read", "[config][requirements]") {
  const LoadedConfig loaded = LoadRequirement("platform.yaml");

  CHECK(Errors(loaded).empty());
  CHECK(loaded.config.scrape_configs.at(0).docker_sd_configs.size() == 1);
  CHECK(Warnings(loaded).find("label 'epoch' is a number") != std::string::npos);
}

TEST_CASE("requirements: doubled backslashes in Kubernetes are pointed at",
          "[config][requirements]") {
  const LoadedConfig loaded = LoadRequirement("kubernetes.yaml");

  CHECK(Errors(loaded).empty());
  CHECK(Warnings(loaded).find("backslashes are doubled: this matches a backslash and the letter d; "
                              "did you mean 'Epoch: (?P<epoch>\\d+), Loss: (?P<loss>[\\d.]+), "
                              "Accuracy: (?P<accuracy>[\\d.]+)'?") != std::string::npos);
  CHECK(Warnings(loaded).find("label 'loss'") != std::string::npos);
}

}  // namespace
}  // namespace agent
