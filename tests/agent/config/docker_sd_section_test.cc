#include <chrono>
#include <string>

#include <catch2/catch.hpp>

#include "agent/config/effective_yaml.h"
#include "tests/agent/config/load.h"

namespace agent {
namespace {

LoadedConfig LoadDockerSd(const std::string& item) {
  return LoadText(kClients + "scrape_configs:\n- job_name: j\n  docker_sd_configs: [" + item +
                  "]\n");
}

TEST_CASE("docker_sd_configs: all keys, and their defaults", "[config][docker]") {
  const LoadedConfig loaded = LoadDockerSd(
      "{host: 'unix:///var/run/docker.sock'}, {host: 'tcp://10.0.0.1:2376', port: 9000, "
      "host_networking_host: me, match_first_network: false, refresh_interval: 1d, "
      "log_path_prefix: /host/, exited_max_age: 0s, filters: [{name: label, values: [a=b, c]}], "
      "basic_auth: {username: u, password: secret}, tls_config: {ca_file: /ca, "
      "insecure_skip_verify: true}}");

  REQUIRE(Errors(loaded).empty());
  CHECK(Warnings(loaded).empty());
  const auto& configs = loaded.config.scrape_configs[0].docker_sd_configs;
  REQUIRE(configs.size() == 2);
  CHECK(configs[0].host == "unix:///var/run/docker.sock");
  CHECK(configs[0].port == 80);
  CHECK(configs[0].host_networking_host == "localhost");
  CHECK(configs[0].match_first_network);
  CHECK(configs[0].refresh_interval == std::chrono::seconds(60));
  CHECK(configs[0].log_path_prefix.empty());
  CHECK(configs[0].exited_max_age == std::chrono::hours(1));
  CHECK(configs[1].port == 9000);
  CHECK_FALSE(configs[1].match_first_network);
  CHECK(configs[1].log_path_prefix == "/host");
  CHECK(configs[1].exited_max_age.count() == 0);
  REQUIRE(configs[1].filters.size() == 1);
  CHECK(configs[1].filters[0].second == std::vector<std::string>{"a=b", "c"});
  CHECK(configs[1].http.tls.ca_file == "/ca");

  const std::string printed = EffectiveYaml(loaded.config);
  CHECK(printed.find("secret") == printed.find("secret>"));
  CHECK_THAT(printed, Catch::Contains("host: tcp://10.0.0.1:2376") &&
                          Catch::Contains("refresh_interval: 1d") && Catch::Contains("- a=b"));
}

TEST_CASE("docker_sd_configs: what is wrong is told", "[config][docker]") {
  struct Case {
    const char* item;
    const char* want;
  };
  const auto c = GENERATE(values<Case>({
      {"{}", "host: missing: a value is required"},
      {"", "no valid target scrape config defined for \"j\""},
      {"~", "empty or null section in docker_sd_configs"},
      {"{host: 'unix://docker.sock'}", "host: a Unix socket needs an absolute path"},
      {"{host: 'npipe:////./pipe/docker'}", "host: expected unix://, tcp://, http:// or https://"},
      {"{host: /var/run/docker.sock}", "host: expected unix://, tcp://, http:// or https://"},
      {"{host: 'tcp://'}", "host: a URL needs a host"},
      {"{host: 'http://d', port: 70000}", "port: "},
      {"{host: 'http://d', refresh_interval: 0s}", "expected a duration above 0"},
      {"{host: 'http://d', log_path_prefix: host}", "log_path_prefix: expected an absolute path"},
      {"{host: 'http://d', filter: []}", "unknown key 'filter'"},
      {"{host: 'http://d', filters: [{value: x}]}", "unknown key 'value'"},
  }));
  INFO(c.item);
  CHECK_THAT(Errors(LoadDockerSd(c.item)), Catch::Contains(c.want));
}

}  // namespace
}  // namespace agent
