#include <chrono>
#include <string>

#include <catch2/catch.hpp>

#include "agent/config/effective_yaml.h"
#include "tests/agent/config/load.h"

namespace agent {
namespace {

LoadedConfig LoadSyslog(const std::string& section) {
  return LoadText(kClients + "scrape_configs:\n- job_name: j\n  syslog: " + section + "\n");
}

}  // namespace

TEST_CASE("syslog section: defaults are Promtail's", "[config][syslog]") {
  const LoadedConfig loaded = LoadSyslog("{listen_address: '0.0.0.0:1514'}");

  REQUIRE(Errors(loaded).empty());
  CHECK(Warnings(loaded).empty());
  const SyslogConfig& syslog = *loaded.config.scrape_configs[0].syslog;
  CHECK(syslog.listen_address == "0.0.0.0");
  CHECK(syslog.listen_port == 1514);
  CHECK(syslog.listen_protocol == SyslogProtocol::kTcp);
  CHECK(syslog.idle_timeout == std::chrono::seconds(120));
  CHECK(syslog.max_message_length == 8192);
  CHECK_FALSE(syslog.rfc3164);
  CHECK_FALSE(syslog.label_structured_data);
  CHECK_FALSE(syslog.use_incoming_timestamp);
  CHECK_FALSE(syslog.use_rfc5424_message);
  CHECK(syslog.labels.empty());
  CHECK_FALSE(syslog.uses_tls());
}

TEST_CASE("syslog section: all keys, and they come out again", "[config][syslog]") {
  const LoadedConfig loaded = LoadSyslog(
      "{listen_address: '[::1]:6514', idle_timeout: 1m30s, max_message_length: 100, "
      "syslog_format: rfc3164, label_structured_data: true, use_incoming_timestamp: true, "
      "use_rfc5424_message: true, labels: {job: syslog, empty: ''}, "
      "tls_config: {cert_file: /c, key: secret, ca_file: /ca, min_version: TLS13}}");
  REQUIRE(Errors(loaded).empty());

  const std::string printed = EffectiveYaml(loaded.config);
  const LoadedConfig again = LoadText(printed);

  CHECK_THAT(printed, Catch::Contains("listen_address: '[::1]:6514'") &&
                          Catch::Contains("key: <secret>") && !Catch::Contains("key: secret"));
  for (const Config* config : {&loaded.config, &again.config}) {
    const SyslogConfig& syslog = *config->scrape_configs[0].syslog;
    CHECK(syslog.listen_address == "::1");
    CHECK(syslog.listen_port == 6514);
    CHECK(syslog.idle_timeout == std::chrono::seconds(90));
    CHECK(syslog.max_message_length == 100);
    CHECK(syslog.rfc3164);
    CHECK(syslog.label_structured_data);
    CHECK(syslog.use_incoming_timestamp);
    CHECK(syslog.use_rfc5424_message);
    CHECK(syslog.labels.Value("job") == "syslog");
    CHECK(syslog.tls.cert_file == "/c");
    CHECK(syslog.tls.ca_file == "/ca");
    CHECK(syslog.tls.min_version == TlsVersion::kTls13);
    CHECK(syslog.uses_tls());
  }
}

TEST_CASE("syslog section: zero means the default, as in Promtail", "[config][syslog]") {
  const LoadedConfig loaded =
      LoadSyslog("{listen_address: ':1514', idle_timeout: 0s, max_message_length: 0}");

  const SyslogConfig& syslog = *loaded.config.scrape_configs[0].syslog;
  CHECK(syslog.listen_address.empty());
  CHECK(syslog.idle_timeout == std::chrono::seconds(120));
  CHECK(syslog.max_message_length == 8192);
}

TEST_CASE("syslog section: what is wrong is told, with its place", "[config][syslog]") {
  struct Case {
    const char* section;
    const char* want;
  };
  const auto c = GENERATE(values<Case>({
      {"{}", "4:11 scrape_configs[0].syslog.listen_address: missing: a value is required"},
      {"{listen_address: localhost}",
       "4:28 scrape_configs[0].syslog.listen_address: expected host:port, got 'localhost'; such as "
       "0.0.0.0:1514, or :1514 for all interfaces"},
      {"{listen_address: '::1:1514'}",
       "4:28 scrape_configs[0].syslog.listen_address: expected host:port, got '::1:1514'; such as "
       "0.0.0.0:1514, or :1514 for all interfaces"},
      {"{listen_address: ':70000'}",
       "4:28 scrape_configs[0].syslog.listen_address: expected host:port, got ':70000'; such as "
       "0.0.0.0:1514, or :1514 for all interfaces"},
      {"{listen_address: ':1', tls_config: {ca_file: /ca}}",
       "4:46 scrape_configs[0].syslog.tls_config: certificate and key files are required; give "
       "cert_file and key_file"},
      {"{listen_address: ':1', tls_config: {cert_file: /c}}",
       "4:46 scrape_configs[0].syslog.tls_config: a certificate needs its key; give key_file"},
      {"{listen_address: ':1', labels: {'a-b': c}}",
       "4:43 scrape_configs[0].syslog.labels: 'a-b' is not a valid label name; letters, digits and "
       "'_' only, and no digit first"},
      {"{listen_address: ':1', max_mesage_length: 1}",
       "4:34 scrape_configs[0].syslog: unknown key 'max_mesage_length'; did you "
       "mean 'max_message_length'?"},
      {"~",
       "3:3 scrape_configs[0]: no valid target scrape config defined for \"j\"; add "
       "static_configs with a label __path__"},
  }));
  INFO(c.section);

  CHECK(Errors(LoadSyslog(c.section)) == c.want);
}

TEST_CASE("syslog section: what has no effect is told", "[config][syslog]") {
  const LoadedConfig udp = LoadSyslog(
      "{listen_address: ':1', listen_protocol: udp, tls_config: {cert_file: /c, key_file: /k}}");
  const LoadedConfig files =
      LoadText(kClients +
               "scrape_configs:\n- job_name: j\n  syslog: {listen_address: ':1'}\n"
               "  static_configs: [{labels: {__path__: /x}}]\n");

  CHECK_THAT(Warnings(udp), Catch::Contains("has no effect with listen_protocol: udp"));
  CHECK_THAT(Warnings(files), Catch::Contains("is not used: the job has another kind of source"));
  CHECK_FALSE(files.config.scrape_configs[0].syslog.has_value());

  const LoadedConfig pushed = LoadText(
      kClients +
      "scrape_configs:\n- job_name: j\n  syslog: {listen_address: ':1'}\n  loki_push_api: {}\n");
  CHECK_THAT(Warnings(pushed), Catch::Contains("loki_push_api: is not used"));
  CHECK(pushed.config.scrape_configs[0].syslog.has_value());
  CHECK_FALSE(pushed.config.scrape_configs[0].loki_push_api.has_value());
}

}  // namespace agent
