#include "agent/config/flags.h"

#include <chrono>
#include <set>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "agent/config/flag_table.h"

namespace agent {
namespace {

ParsedFlags Parse(const std::vector<const char*>& arguments) {
  return ParseFlags(arguments);
}

TEST_CASE("flags: Go's spellings mean the same", "[config][flags]") {
  const auto arguments = GENERATE(values<std::vector<const char*>>({
      {"-config.file=x.yaml", "-dry-run"},
      {"--config.file", "x.yaml", "--dry-run=true"},
      {"-config.file", "x.yaml", "-dry-run=1", "--"},
  }));

  const ParsedFlags parsed = Parse(arguments);

  CHECK(parsed.error.empty());
  CHECK(parsed.flags.config_file == "x.yaml");
  CHECK(parsed.flags.dry_run);
  CHECK(parsed.flags.Given("dry-run"));
  CHECK_FALSE(parsed.flags.Given("inspect"));
}

TEST_CASE("flags: switches, durations and the last one wins", "[config][flags]") {
  const ParsedFlags parsed =
      Parse({"-dry-run", "-dry-run=false", "-inspect", "-stdin", "-version", "-h", "-check-syntax",
             "-shutdown.timeout", "1m30s", "-print-config-stderr", "-log-config-reverse-order",
             "-config.expand-env=T", "--no-color"});

  REQUIRE(parsed.error.empty());
  CHECK_FALSE(parsed.flags.dry_run);
  CHECK(parsed.flags.inspect == InspectMode::kText);
  CHECK(parsed.flags.read_stdin);
  CHECK(parsed.flags.version);
  CHECK(parsed.flags.help);
  CHECK(parsed.flags.check_syntax);
  CHECK(parsed.flags.print_config_stderr);
  CHECK(parsed.flags.log_config_reverse_order);
  CHECK(parsed.flags.expand_env);
  CHECK(parsed.flags.color == ColorMode::kNever);
  CHECK(parsed.flags.shutdown_timeout == std::chrono::seconds(90));
}

TEST_CASE("flags: what is wrong is said, with where to look", "[config][flags]") {
  struct Case {
    std::vector<const char*> arguments;
    std::string want;
  };
  const auto c = GENERATE(values<Case>({
      {{"-nonsense-flag"}, "flag provided but not defined: -nonsense-flag"},
      {{"-config.flie=x"},
       "flag provided but not defined: -config.flie; did you mean -config.file?"},
      {{"-config.file"}, "flag needs an argument: -config.file"},
      {{"-=x"}, "bad flag syntax: -=x"},
      {{"---x"}, "bad flag syntax: ---x"},
      {{"-dry-run", "false"},
       "unexpected argument: false; a switch takes its value behind '=': -dry-run=false"},
      {{"config.yaml"}, "unexpected argument: config.yaml"},
      {{"--", "-dry-run"}, "unexpected argument: -dry-run"},
      {{"-dry-run=maybe"}, "invalid value \"maybe\" for flag -dry-run: expected true or false"},
      {{"-client.timeout=10"},
       "invalid value \"10\" for flag -client.timeout: expected a duration such as 500ms, 10s, "
       "1m30s"},
      {{"-server.http-listen-port=65536"},
       "invalid value \"65536\" for flag -server.http-listen-port: expected 0 to 65535"},
      {{"-max-streams=-1"},
       "invalid value \"-1\" for flag -max-streams: expected a whole number, 0 or more"},
      {{"-memory-budget=lots"},
       "invalid value \"lots\" for flag -memory-budget: expected a size such as 65536, 256KiB, "
       "64MiB"},
      {{"-log.level=loud"},
       "invalid value \"loud\" for flag -log.level: expected debug, info, warn or error"},
      {{"-log.format=xml"}, "invalid value \"xml\" for flag -log.format: expected logfmt or json"},
      {{"-limit.readline-rate=nan"},
       "invalid value \"nan\" for flag -limit.readline-rate: expected a number, 0 or more"},
      {{"-client.external-labels=a"},
       "invalid value \"a\" for flag -client.external-labels: expected k=v,k2=v2: 'a' must be "
       "formatted as key=value"},
  }));

  CHECK(Parse(c.arguments).error ==
        c.want + "\nRun with -help to get list of available parameters\n");
}

TEST_CASE("flags: Promtail's flags without meaning here are accepted", "[config][flags]") {
  CHECK(Parse({"-server.grpc-listen-port=0", "-server.grpc.keepalive.timeout", "20s",
               "-tracing.enabled=false", "-server.log-source-ips-enabled",
               "-server.cluster-validation.label", "x"})
            .error.empty());
}

TEST_CASE("flags: values go over the configuration, those not given leave it alone",
          "[config][flags]") {
  Config config;
  config.positions.filename = "/from/file";
  config.target.sync_period = std::chrono::seconds(3);
  const ParsedFlags parsed = Parse(
      {"-positions.file=/p", "-server.http-listen-port=3101", "-server.disable", "-log.level=debug",
       "-log.format=json", "-memory-budget=64MiB", "-workers=2", "-limit.readline-rate=5.5",
       "-max-line-size=256kb", "-server.path-prefix=/x", "-file-watch.max_poll_frequency=5s"});
  REQUIRE(parsed.error.empty());

  ApplyFlags(parsed.flags, config);

  CHECK(config.positions.filename == "/p");
  CHECK(config.server.http_listen_port == 3101);
  CHECK(config.server.disable);
  CHECK(config.server.log_level == LogLevel::kDebug);
  CHECK(config.server.log_format == LogFormat::kJson);
  CHECK(config.limits.memory_budget_bytes == 64U << 20U);
  CHECK(config.limits.workers == 2);
  CHECK(config.limits.readline_rate == 5.5);
  CHECK(config.limits.max_line_size_bytes == 256 * 1024);
  CHECK(config.server.http_path_prefix == "/x");
  CHECK(config.file_watch.max_poll_frequency == std::chrono::seconds(5));
  CHECK(config.target.sync_period == std::chrono::seconds(3));
}

TEST_CASE("flags: the table has each name once, and help for what has an effect",
          "[config][flags]") {
  std::set<std::string_view> names;
  for (const FlagEntry& flag : AllFlags()) {
    INFO(flag.name);
    CHECK(names.insert(flag.name).second);
    CHECK((flag.set == nullptr || flag.apply == nullptr));
    CHECK(flag.help.empty() == (flag.group == FlagGroup::kIgnored));
  }
}

TEST_CASE("flags: the version says what it is", "[config][flags]") {
  CHECK(VersionText().starts_with("agent, version "));
}

TEST_CASE("flags: colours follow the flags, then NO_COLOR, then the terminal", "[config][flags]") {
  const Environment none = [](const std::string&) { return std::nullopt; };
  const Environment no_color = [](const std::string& name) -> std::optional<std::string> {
    return name == "NO_COLOR" ? std::optional<std::string>("1") : std::nullopt;
  };
  CHECK(UseColor(Parse({"-color"}).flags, -1, no_color));
  CHECK_FALSE(UseColor(Parse({"-color=false"}).flags, -1, none));
  CHECK_FALSE(UseColor(Parse({}).flags, -1, none));
  CHECK_FALSE(UseColor(Parse({}).flags, 0, no_color));
}

}  // namespace
}  // namespace agent
