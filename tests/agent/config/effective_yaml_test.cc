#include "agent/config/effective_yaml.h"

#include <string>

#include <catch2/catch.hpp>

#include "agent/config/yaml_writer.h"
#include "tests/agent/config/load.h"

namespace agent {
namespace {

const char* const kFull = R"(
server: {http_listen_port: 1, data_pages_token: hidden1}
clients:
  - url: http://user:hidden2@loki/push
    basic_auth: {username: u, password: hidden3}
    headers: {X-Api-Key: hidden4, X-Plain: shown}
    http_headers: {X-H: {secrets: [hidden5], values: [shown]}}
    tls_config: {cert_file: /c, key: hidden6}
    proxy_url: http://p:hidden7@proxy
    proxy_connect_header: {A: [hidden8]}
    external_labels: {a: 'yes', b: "x: y"}
  - url: http://b/push
    authorization: {credentials: hidden9}
  - url: http://c/push
    oauth2: {client_id: i, client_secret: hidden10, token_url: http://t/, endpoint_params: {password: hidden11}}
scrape_configs:
  - job_name: "job: one"
    static_configs: [{targets: [localhost], labels: {__path__: '*.log'}}, {}]
    relabel_configs: [{action: labeldrop, regex: 'a|b'}, {target_label: a, replacement: ''}]
    pipeline_stages:
      - json: {expressions: {level: , n: "5"}}
      - labels: {}
      - drop: {longer_than: 10, expression: "it's \"x\"\t\\d"}
      - match: {selector: '{a="b"}', stages: [{docker: }, {drop: {source: [a, b]}}]}
      - redact: {mode: hash, Key: hidden-key-of-a-stage, detectors: [email]}
)";

TEST_CASE("effective yaml: secrets are masked, the rest is there", "[config][effective]") {
  const LoadedConfig loaded = LoadText(kFull);
  REQUIRE(Errors(loaded).empty());

  const std::string text = EffectiveYaml(loaded.config);

  CHECK(text.find("hidden") == std::string::npos);
  CHECK(text.find("url: http://user:<secret>@loki/push\n") != std::string::npos);
  CHECK(text.find("    X-Plain: shown\n") != std::string::npos);
  CHECK(text.find("  http_listen_port: 1\n") != std::string::npos);
  CHECK(text.find("      a: 'yes'\n      b: 'x: y'\n") != std::string::npos);
}

TEST_CASE("effective yaml: it loads again and gives itself", "[config][effective]") {
  std::string text = EffectiveYaml(LoadText(kFull).config);

  for (int round = 0; round < 2; ++round) {
    INFO(text);
    const LoadedConfig again = LoadText(text);
    REQUIRE(Errors(again).empty());
    const std::string next = EffectiveYaml(again.config);
    // The names are made of what was masked, and given from the second round on.
    if (round > 0) CHECK(next == text);
    text = next;
  }
}

TEST_CASE("effective yaml: the clients of a dry run", "[config][effective]") {
  const LoadedConfig loaded = LoadText("clients: [{name: main, url: http://l/p}]\n");
  CHECK(ClientsConfigured(loaded.config) ==
        "Clients configured:\n"
        "----------------------\n"
        "name: main\n"
        "url: http://l/p\n"
        "batchwait: 1s\n"
        "batchsize: 1048576\n"
        "follow_redirects: true\n"
        "enable_http2: true\n"
        "backoff_config:\n"
        "  min_period: 500ms\n"
        "  max_period: 5m0s\n"
        "  max_retries: 0\n"
        "timeout: 10s\n"
        "tenant_id: ''\n"
        "drop_rate_limited_batches: false\n"
        "\n");
}

TEST_CASE("effective yaml: texts are quoted where they would be something else",
          "[config][effective]") {
  const auto* text =
      GENERATE("", "plain", "yes", "5", "1.5", "~", "null", "- x", "a: b", "a #b", " x", "x ",
               "it's", "'", "a\nb", "\t", "\x01", "[x]", "*x", "12:30", "a:", "\\d", "{{ .Value }}",
               "%x", "@x", "\xC3\xA4", "-", "?", "<<", "0x1F", "a,b", "!x");
  INFO(text);
  const std::string yaml = "v: " + QuotedYaml(text) + "\n";
  Problems problems("f", yaml);

  const ConfigNode root = LoadYaml(yaml, problems);

  REQUIRE_FALSE(problems.has_errors());
  REQUIRE(root.Find("v") != nullptr);
  CHECK(root.Find("v")->is_scalar());
  CHECK(root.Find("v")->text() == text);
  CHECK_FALSE(root.Find("v")->IsNumber());
  CHECK_FALSE(root.Find("v")->IsBool());
}

}  // namespace
}  // namespace agent
