#include "agent/convert/promtail.h"

#include <algorithm>

#include <catch2/catch.hpp>

#include "agent/stage_check.h"

namespace agent::convert {
namespace {

using enum FindingKind;

const std::string kJobs =
    "scrape_configs:\n"
    "- job_name: a\n"
    "  static_configs:\n"
    "  - labels: {__path__: /var/log/*.log}  # all\n";
const std::string kServer = "server: {http_listen_port: 9080}\n";
const std::string kClients = "clients:\n- url: http://loki:3100/loki/api/v1/push\n";

std::optional<std::string> NoVariable(const std::string& /*name*/) {
  return std::nullopt;
}

Conversion Convert(const std::string& text, const Flags& flags = {}) {
  return ConvertPromtail("p.yaml", text, flags, CheckStages, NoVariable);
}

bool Says(const Conversion& conversion, FindingKind kind, const std::string& key) {
  return std::any_of(
      conversion.findings.begin(), conversion.findings.end(),
      [&](const Finding& finding) { return finding.kind == kind && finding.key == key; });
}

void CheckLoads(const Conversion& conversion) {
  const LoadedConfig loaded =
      LoadConfigText("out.yaml", conversion.text, {}, CheckStages, NoVariable);
  INFO(conversion.text);
  INFO(loaded.problems.Format(/*color=*/false));
  CHECK_FALSE(loaded.problems.has_errors());
}

}  // namespace

TEST_CASE("promtail: what is the same in both stays as it is", "[convert]") {
  const std::string text = "# ours\n" + kServer + kClients + "\n" + kJobs;

  const Conversion conversion = Convert(text);

  CHECK(conversion.error.empty());
  CHECK(conversion.text == text);
  CHECK(CountOf(conversion.findings, kNoEquivalent) == 0);
}

TEST_CASE("promtail: what does nothing here is taken out, and said", "[convert]") {
  const Conversion conversion = Convert(
      "server:\n  http_listen_port: 9080\n  grpc_listen_port: 0\n  log_source_ips_full: true\n"
      "wal:\n  enabled: true\ntracing: {enabled: true}\n" +
      kClients + kJobs);

  CHECK(conversion.text == "server:\n  http_listen_port: 9080\n" + kClients + kJobs);
  for (const char* key :
       {"server.grpc_listen_port", "server.log_source_ips_full", "wal", "tracing"}) {
    INFO(key);
    CHECK(Says(conversion, kNoEffect, key));
  }
}

TEST_CASE("promtail: a job whose source is not built becomes a comment", "[convert]") {
  const Conversion conversion = Convert(kServer + kClients + kJobs +
                                        "- job_name: bus\n  kafka:\n    brokers: [b:9092]\n"
                                        "  relabel_configs:\n  - source_labels: [x]\n");

  CHECK(conversion.text ==
        kServer + kClients + kJobs +
            "# No equivalent: kafka.\n# - job_name: bus\n#   kafka:\n#     brokers: [b:9092]\n"
            "#   relabel_configs:\n#   - source_labels: [x]\n");
  REQUIRE(CountOf(conversion.findings, kNoEquivalent) == 1);
  const auto& finding = *std::ranges::find(conversion.findings, kNoEquivalent, &Finding::kind);
  CHECK(finding.key == "scrape_configs[1].kafka");
  CHECK(finding.place.line == 9);
  CHECK(finding.place.column == 3);
  CheckLoads(conversion);
}

TEST_CASE("promtail: every source that is not built is named, and what is left loads",
          "[convert]") {
  const auto* const source = GENERATE(
      "gcplog", "kafka", "gelf", "cloudflare", "heroku_drain", "azure_event_hubs", "windows_events",
      "consul_sd_configs", "consulagent_sd_configs", "dns_sd_configs", "ec2_sd_configs",
      "gce_sd_configs", "azure_sd_configs", "openstack_sd_configs", "digitalocean_sd_configs",
      "dockerswarm_sd_configs", "marathon_sd_configs", "nerve_sd_configs", "serverset_sd_configs",
      "triton_sd_configs", "lightsail_sd_configs", "http_sd_configs");
  INFO(source);
  const std::string block = "  " + std::string(source) + ":\n    x: 1\n";

  const Conversion alone = Convert(kServer + kClients + "scrape_configs:\n- job_name: b\n" + block);
  const Conversion beside = Convert(kServer + kClients + kJobs + block);

  CHECK(Says(alone, kNoEquivalent, "scrape_configs[0]." + std::string(source)));
  CHECK(alone.text.find("scrape_configs: []\n") != std::string::npos);
  CheckLoads(alone);
  CHECK(beside.text.find("\n- job_name: a\n") != std::string::npos);
  CheckLoads(beside);
}

TEST_CASE("promtail: a single client becomes an item", "[convert]") {
  const Conversion conversion =
      Convert(kServer + "client:\n  # main\n  url: http://l:3100/p\n  basic_auth:\n" +
              "    username: u\n    password: p\n" + kJobs);

  CHECK(conversion.text == kServer +
                               "clients:\n    # main\n  - url: http://l:3100/p\n    basic_auth:\n"
                               "      username: u\n      password: p\n" +
                               kJobs);
  CHECK(Says(conversion, kDeprecated, "client"));
  CheckLoads(conversion);
}

TEST_CASE("promtail: without a server it listens where Promtail does", "[convert]") {
  const Conversion conversion = Convert("# first\n" + kClients + kJobs);

  CHECK(conversion.text == "# first\nserver:\n  http_listen_port: 80\n\n" + kClients + kJobs);
  CHECK(Says(conversion, kDiffers, "server"));
}

TEST_CASE("promtail: what behaves differently is said where it stands", "[convert]") {
  const Conversion conversion = Convert(
      kServer + kClients + "  backoff_config: {max_retries: 3}\n- url: http://b:3100/p\n" + kJobs +
      "  decompression: {enabled: false}\nlimits_config: {max_streams: 5}\n"
      "positions: {ignore_invalid_yaml: true}\n");

  CHECK(Says(conversion, kDiffers, "clients[0].backoff_config.max_retries"));
  CHECK(Says(conversion, kDiffers, "clients[1]"));
  CHECK(Says(conversion, kDiffers, "scrape_configs[0].decompression"));
  CHECK(Says(conversion, kDiffers, "limits_config.max_streams"));
  CHECK(Says(conversion, kNoEffect, "positions.ignore_invalid_yaml"));
}

TEST_CASE("promtail: what cannot be built is named as the agent names it", "[convert]") {
  const Conversion conversion =
      Convert(kServer + kClients + kJobs + "  pipeline_stages:\n  - regex: {expression: '('}\n");

  CHECK(Says(conversion, kNoEquivalent, "scrape_configs[0].pipeline_stages[0].regex.expression"));
}

TEST_CASE("promtail: the client of flags is written down", "[convert]") {
  constexpr std::array kArguments = {"-client.url=http://f:3100/p", "-client.timeout=3s",
                                     "-client.max-retries=4", "-server.grpc-listen-port=1",
                                     "-client.tenant-id=t"};
  const ParsedFlags parsed = ParseFlags(kArguments);
  REQUIRE(parsed.error.empty());
  const std::string item =
      "  - url: http://f:3100/p\n    tenant_id: t\n    timeout: 3s\n    backoff_config:\n"
      "      max_retries: 4\n";

  const Conversion alone = Convert(kServer + kJobs, parsed.flags);
  const Conversion beside =
      Convert(kServer + "clients:\n  - url: http://l:3100/p\n" + kJobs, parsed.flags);

  CHECK(alone.text == kServer + kJobs + "\nclients:\n" + item);
  CHECK(beside.text == kServer + "clients:\n  - url: http://l:3100/p\n" + item + kJobs);
  CHECK(Says(beside, kDeprecated, "-client.url"));
  CHECK(Says(beside, kDiffers, "-client.max-retries"));
  CHECK(Says(beside, kNoEffect, "-server.grpc-listen-port"));
  CheckLoads(alone);
  CheckLoads(beside);
}

TEST_CASE("promtail: a text that is no YAML says where", "[convert]") {
  CHECK(Convert("a: [1\n").error.find("p.yaml:") != std::string::npos);
  CHECK(Convert("- a\n").error.find("expected a map") != std::string::npos);
}

}  // namespace agent::convert
