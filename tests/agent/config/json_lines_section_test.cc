#include <chrono>
#include <string>
#include <utility>

#include <catch2/catch.hpp>

#include "agent/config/effective_yaml.h"
#include "tests/agent/config/load.h"

namespace agent {
namespace {

std::string With(const std::string& keys, const std::string& more = "") {
  return std::string(kClients) + "outputs: [{name: stash, logstash: {hosts: ['a:1'], " +
         "protocol: json_lines" + (keys.empty() ? "" : ", " + keys) + "}" + more + "}]\n";
}

}  // namespace

TEST_CASE("json_lines: keys and defaults", "[config][json_lines]") {
  const LoadedConfig plain = LoadText(With(""));
  REQUIRE(Errors(plain).empty());
  const LogstashConfig& defaults = *plain.config.outputs[0].logstash;
  CHECK(defaults.transport == "tcp");
  CHECK(defaults.max_line_bytes == uint64_t{1} << 20U);
  CHECK(defaults.replay_bytes == uint64_t{8} << 20U);
  CHECK(defaults.commit_delay == std::chrono::seconds(1));
  CHECK(defaults.ack_by_close_interval.count() == 0);
  CHECK(defaults.write_stall_limit == std::chrono::minutes(5));
  CHECK(defaults.tcp_user_timeout == std::chrono::seconds(60));
  CHECK(defaults.max_datagram_bytes == 1400);

  const LoadedConfig given =
      LoadText(With("transport: udp, max_datagram: 8KiB, max_line_size: 2MiB, commit_delay: 100ms, "
                    "replay_size: 1MiB, ack_by_close_interval: 1m, write_stall_limit: 10s"));
  REQUIRE(Errors(given).empty());
  const LogstashConfig& config = *given.config.outputs[0].logstash;
  CHECK(config.transport == "udp");
  CHECK(config.max_datagram_bytes == 8192);
  CHECK(config.commit_delay == std::chrono::milliseconds(100));
  CHECK(config.ack_by_close_interval == std::chrono::minutes(1));
}

TEST_CASE("json_lines: what is effective loads again", "[config][json_lines]") {
  const std::string keys =
      GENERATE("", "transport: udp, max_datagram: 9000",
               "ssl: {verification_mode: none}, load_balance: true, workers: 2",
               "replay_size: 1MiB, commit_delay: 5s, ack_by_close_interval: 2m, "
               "write_stall_limit: 1m, tcp_user_timeout: 0s, max_line_size: 16KiB");
  const LoadedConfig first = LoadText(With(keys));
  REQUIRE(Errors(first).empty());

  const LoadedConfig second = LoadText(EffectiveYaml(first.config));

  INFO(EffectiveYaml(first.config));
  CHECK(Errors(second).empty());
  CHECK(second.config.outputs == first.config.outputs);
}

TEST_CASE("json_lines: what is wrong is said", "[config][json_lines]") {
  const auto c = GENERATE(values<std::pair<std::string, std::string>>({
      {"pipelining: 2", "is of protocol: lumberjack alone"},
      {"transport: sctp", "expected one of tcp, udp"},
      {"transport: udp, ssl: {}", "there is no TLS over udp"},
      {"transport: udp, load_balance: true", "over udp there is one host at a time"},
      {"max_datagram: 65508", "must be between 1 and 65507"},
      {"replay_size: 1", "must be 1KiB or more"},
      {"max_line_size: 1", "must be 1KiB or more"},
      {"write_stall_limit: 0s", "must be more than 0"},
  }));
  INFO(c.first);

  const std::string errors = Errors(LoadText(With(c.first)));

  INFO(errors);
  CHECK(errors.find(c.second) != std::string::npos);
}

TEST_CASE("json_lines: a port is needed, for there is no usual one", "[config][json_lines]") {
  const LoadedConfig loaded =
      LoadText(std::string(kClients) +
               "outputs: [{name: stash, logstash: {hosts: [a], protocol: json_lines}}]\n");
  CHECK_FALSE(Errors(loaded).empty());
}

TEST_CASE("json_lines: warns that it is best effort", "[config][json_lines]") {
  const auto warned = [](const std::string& text) {
    const LoadedConfig loaded = LoadText(text);
    REQUIRE(Errors(loaded).empty());
    return Warnings(loaded).find("best effort") != std::string::npos;
  };
  CHECK(warned(With("")));
  CHECK(warned(With("transport: udp")));
  CHECK_FALSE(warned(With("", ", required: false")));
  CHECK_FALSE(warned(With("ack_by_close_interval: 1m")));
  // UDP has no end that could be answered.
  CHECK(warned(With("transport: udp, ack_by_close_interval: 1m")));
}

}  // namespace agent
