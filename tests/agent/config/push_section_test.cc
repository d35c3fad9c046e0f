#include <string>

#include <catch2/catch.hpp>

#include "agent/config/effective_yaml.h"
#include "tests/agent/config/load.h"

namespace agent {
namespace {

LoadedConfig LoadPush(const std::string& push) {
  return LoadText(kClients + "scrape_configs:\n- job_name: j\n  loki_push_api: " + push + "\n");
}

TEST_CASE("loki_push_api: its keys, and those of a server", "[config][push]") {
  const LoadedConfig loaded = LoadPush(
      "{server: {http_listen_address: 127.0.0.1, http_listen_port: 3500, grpc_listen_port: 0, "
      "http_path_prefix: in/, http_tls_config: {cert_file: /c, key: hidden}}, "
      "labels: {job: pushed, __origin: x}, use_incoming_timestamp: true, "
      "use_incoming_tenant: true, max_send_msg_size: 1048576}");

  REQUIRE(Errors(loaded).empty());
  CHECK(Warnings(loaded).empty());
  REQUIRE(loaded.config.scrape_configs[0].loki_push_api);
  const LokiPushConfig& push = *loaded.config.scrape_configs[0].loki_push_api;
  CHECK(push.server.http_listen_address == "127.0.0.1");
  CHECK(push.server.http_listen_port == 3500);
  CHECK(push.server.http_path_prefix == "/in");
  CHECK(push.server.http_tls.enabled());
  CHECK(push.labels == Labels{{"job", "pushed"}, {"__origin", "x"}});
  CHECK(push.use_incoming_timestamp);
  CHECK(push.use_incoming_tenant);
  CHECK(push.max_body_bytes == 1048576);
  const std::string printed = EffectiveYaml(loaded.config);
  CHECK_THAT(printed, !Catch::Contains("hidden"));
  CHECK_THAT(printed, Catch::Contains("__origin") &&
                          Catch::Contains("max_send_msg_size: 1048576") &&
                          Catch::Contains("use_incoming_tenant: true") && Catch::Contains("3500"));
  CHECK(Errors(LoadText(printed)).empty());
}

TEST_CASE("loki_push_api: the defaults are Promtail's", "[config][push]") {
  const LoadedConfig loaded = LoadPush("{}");

  REQUIRE(Errors(loaded).empty());
  const LokiPushConfig& push = *loaded.config.scrape_configs[0].loki_push_api;
  CHECK(push.server.http_listen_address.empty());
  CHECK(push.server.http_listen_port == 80);
  CHECK(push.labels.empty());
  CHECK_FALSE(push.use_incoming_timestamp);
  CHECK_FALSE(push.use_incoming_tenant);
  CHECK(push.max_body_bytes == std::size_t{4} << 20U);
}

TEST_CASE("loki_push_api: what is wrong is told", "[config][push]") {
  CHECK_THAT(Errors(LoadPush("{server: {http_listen_prot: 1}}")),
             Catch::Contains("scrape_configs[0].loki_push_api.server: unknown key "
                             "'http_listen_prot'; did you mean 'http_listen_port'?"));
  CHECK_THAT(Errors(LoadPush("{use_incoming_timestamps: true}")),
             Catch::Contains("did you mean 'use_incoming_timestamp'?"));
  CHECK_THAT(Errors(LoadPush("{labels: {a-b: c}}")), Catch::Contains("a-b"));
  CHECK_THAT(Errors(LoadPush("{max_send_msg_size: 0}")), Catch::Contains("must be more than 0"));
  CHECK_THAT(Warnings(LoadPush("{max_send_msg_size: 100MiB}")),
             Catch::Contains("several times its size in memory"));
  CHECK_THAT(Errors(LoadText(kClients + "scrape_configs: [{job_name: j, loki_push_api: }]")),
             Catch::Contains("no valid target scrape config"));
}

}  // namespace
}  // namespace agent
