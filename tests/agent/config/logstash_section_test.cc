#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

#include "agent/config/effective_yaml.h"
#include "tests/agent/config/load.h"

namespace agent {
namespace {

using std::chrono::seconds;

std::string With(const std::string& keys) {
  return std::string(kClients) + "outputs: [{name: stash, logstash: {" + keys + "}}]\n";
}

}  // namespace

TEST_CASE("logstash: the defaults are Beats'", "[config][logstash]") {
  const LoadedConfig loaded = LoadText(With("hosts: [logstash]"));

  REQUIRE(Errors(loaded).empty());
  REQUIRE(loaded.config.outputs.size() == 1);
  const LogstashConfig& config = *loaded.config.outputs[0].logstash;
  CHECK(config.hosts == std::vector<std::string>{"logstash:5044"});
  CHECK(config.protocol == "lumberjack");
  CHECK_FALSE(config.tls);
  CHECK_FALSE(config.load_balance);
  CHECK(config.workers == 1);
  CHECK(config.batch_entries == 2048);
  CHECK(config.batch_bytes == uint64_t{4} << 20U);
  CHECK(config.compression_level == 3);
  CHECK(config.pipelining == 2);
  CHECK_FALSE(config.slow_start);
  CHECK(config.timeout == seconds(30));
  CHECK(config.backoff.min_period == seconds(1));
  CHECK(config.backoff.max_period == seconds(60));
}

TEST_CASE("logstash: Beats' names of keys are understood", "[config][logstash]") {
  const LoadedConfig loaded = LoadText(With(
      "hosts: ['a:1', '[::1]'], loadbalance: true, worker: 3, bulk_max_size: 100, "
      "compression_level: 0, pipelining: 5, slow_start: true, timeout: 3s, ttl: 60s, "
      "backoff: {init: 2s, max: 4s}, index: shop, pipeline: p, ack_stall_limit: 5m, "
      "id_mode: none, ssl: {certificate_authorities: [/ca.pem], certificate: /c.pem, key: /k.pem, "
      "key_passphrase: hush, verification_mode: certificate, supported_protocols: [TLSv1.2, "
      "TLSv1.3]}"));

  REQUIRE(Errors(loaded).empty());
  const LogstashConfig& config = *loaded.config.outputs[0].logstash;
  CHECK(config.hosts == std::vector<std::string>{"a:1", "[::1]:5044"});
  CHECK(config.load_balance);
  CHECK(config.workers == 3);
  CHECK(config.batch_entries == 100);
  CHECK(config.backoff.max_period == seconds(4));
  CHECK(config.ack_stall_limit == std::chrono::minutes(5));
  CHECK(config.tls);
  CHECK(config.tls_config.ca_file == "/ca.pem");
  CHECK(config.tls_config.key_passphrase == "hush");
  CHECK(config.tls_config.any_server_name);
  CHECK_FALSE(config.tls_config.insecure_skip_verify);
  CHECK(config.tls_config.min_version == TlsVersion::kTls12);
  CHECK(config.tls_config.max_version == TlsVersion::kTls13);
}

TEST_CASE("logstash: TLS is used when it is spoken of", "[config][logstash]") {
  const auto c = GENERATE(values<std::pair<std::string, bool>>({
      {"ssl: {}", true},
      {"ssl: {enabled: true}", true},
      {"ssl: {enabled: false}", false},
      {"ssl: null", false},
      {"tls_config: {ca_file: /ca.pem}", true},
      {"tls_config: {}", true},
  }));
  INFO(c.first);

  const LoadedConfig loaded = LoadText(With("hosts: [x], " + c.first));

  REQUIRE(Errors(loaded).empty());
  CHECK(loaded.config.outputs[0].logstash->tls == c.second);
}

TEST_CASE("logstash: what is effective loads again, without the secrets", "[config][logstash]") {
  const std::string keys = GENERATE(
      "hosts: [x]", "hosts: [a, b], ssl: {}, index: i, pipeline: p, ttl: 1m",
      "hosts: [a], ssl: {certificate_authorities: [/ca.pem], verification_mode: certificate}",
      "hosts: [a], ssl: {certificate: /c, key: /k}",
      "hosts: [a], ssl: {ca_trusted_fingerprint: "
      "\"AB:cd:00000000000000000000000000000000000000000000000000000000000f\"}",
      "hosts: [a], load_balance: true, workers: 2, document: {layout: flat, tags: [t]}");
  const LoadedConfig first = LoadText(With(keys));
  REQUIRE(Errors(first).empty());

  const LoadedConfig second = LoadText(EffectiveYaml(first.config));

  INFO(EffectiveYaml(first.config));
  CHECK(Errors(second).empty());
  CHECK(second.config.outputs == first.config.outputs);
}

TEST_CASE("logstash: a fingerprint is 64 digits", "[config][logstash]") {
  const LoadedConfig loaded = LoadText(With("hosts: [a], ssl: {ca_trusted_fingerprint: abc}"));

  CHECK(Errors(loaded).find("expected 64 hexadecimal digits") != std::string::npos);
}

TEST_CASE("logstash: secrets are not shown", "[config][logstash]") {
  const LoadedConfig loaded = LoadText(With(
      "hosts: [a], ssl: {certificate: /c, key: \"-----BEGIN KEY hush1\", key_passphrase: hush2}"));
  REQUIRE(Errors(loaded).empty());

  const std::string yaml = EffectiveYaml(loaded.config);

  CHECK(yaml.find("hush") == std::string::npos);
  CHECK(yaml.find("key_passphrase: <secret>") != std::string::npos);
}

TEST_CASE("logstash: what is wrong is said", "[config][logstash]") {
  const auto c = GENERATE(values<std::pair<std::string, std::string>>({
      {"", "at least one host is needed"},
      {"hosts: ['http://a']", "expected host:port, not a URL"},
      {"hosts: ['a:99999']", "a port is a number from 1 to 65535"},
      {"hosts: [a], protocol: syslog", "expected one of lumberjack, json_lines"},
      {"hosts: [a], bulk_max_size: 10001", "expected 1 to 10000"},
      {"hosts: [a], bulk_max_bytes: 1", "must be between 1KiB and 64MiB"},
      {"hosts: [a], worker: 1, workers: 1", "another name of"},
      {"hosts: [a], compression_level: 10", "expected 0 to 9"},
      {"hosts: [a], timeout: 0s", "must be more than 0"},
      {"hosts: [a], backoff: {init: 5s, max: 1s}", "max is below init"},
      {"hosts: [a], index: ''", "must not be empty"},
      {"hosts: [a], commit_delay: 1s", "is of protocol: json_lines alone"},
      {"hosts: [a], hots: 1", "unknown key 'hots'"},
      {"hosts: [a], document: {layout: raw}", "Logstash gets no raw documents"},
      {"hosts: [a], ssl: {certificate: /c}", "a certificate needs its key"},
      {"hosts: [a], ssl: {supported_protocols: [SSLv3]}", "'SSLv3' is no version of TLS"},
      {"hosts: [a], ssl: {}, tls_config: {}", "either tls_config or ssl"},
  }));
  INFO(c.first);

  const std::string errors = Errors(LoadText(With(c.first)));

  INFO(errors);
  CHECK(errors.find(c.second) != std::string::npos);
}

}  // namespace agent
