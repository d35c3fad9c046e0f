#include "base/log.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <string>

#include <catch2/catch.hpp>

#include "base/unique_fd.h"

namespace agent {
namespace {

class HeldClock final : public Clock {
 public:
  [[nodiscard]] int64_t WallNanos() const override { return wall_ns; }
  [[nodiscard]] int64_t MonotonicNanos() const override { return monotonic_ns; }

  int64_t wall_ns = 1'777'885'923'418'999'999;  // 2026-05-04T09:12:03.418999999Z
  int64_t monotonic_ns = 5 * kNanosPerSecond;
};

constexpr const char* kTime = "2026-05-04T09:12:03.418Z";

// What a logger writes, through a pipe.
class Captured {
 public:
  explicit Captured(LogLevel level = LogLevel::kInfo, LogFormat format = LogFormat::kLogfmt)
      : logger(pipe_.write.get(), level, format, &clock) {}

  // What has been written since the last call.
  std::string Take() {
    std::string text;
    std::array<char, 4096> buffer{};
    ssize_t size = 0;
    while ((size = ::read(pipe_.read.get(), buffer.data(), buffer.size())) > 0)
      text.append(buffer.data(), static_cast<std::size_t>(size));
    return text;
  }

 private:
  struct Pipe {
    Pipe() {
      std::array<int, 2> ends{};
      REQUIRE(::pipe2(ends.data(), O_NONBLOCK | O_CLOEXEC) == 0);
      read.Reset(ends[0]);
      write.Reset(ends[1]);
    }
    UniqueFd read;
    UniqueFd write;
  };
  Pipe pipe_;

 public:
  HeldClock clock;
  Logger logger;
};

TEST_CASE("log: a record is one logfmt line, the hint last", "[log]") {
  Captured log;

  log.logger.Warn("tail", "file truncated",
                  {{"path", "/var/log/a b.log"},
                   {"hint", "rotate with create"},
                   {"unread_bytes", 8123},
                   {"empty", ""}});

  CHECK(log.Take() == std::string("ts=") + kTime +
                          " level=warn room=tail msg=\"file truncated\" path=\"/var/log/a b.log\" "
                          "unread_bytes=8123 empty=\"\" hint=\"rotate with create\"\n");
}

TEST_CASE("log: line breaks, quotes and bad bytes in a field cannot forge a record", "[log]") {
  Captured log;

  log.logger.Error("config", "refused", {{"got", "a\nlevel=info \"x\"\\\t\x01\xff"}});

  CHECK(log.Take() == std::string("ts=") + kTime +
                          " level=error room=config msg=\"refused\" "
                          "got=\"a\\nlevel=info \\\"x\\\"\\\\\\t\\u0001\xEF\xBF\xBD\"\n");
}

TEST_CASE("log: JSON keeps numbers as numbers", "[log]") {
  Captured log(LogLevel::kInfo, LogFormat::kJson);

  log.logger.Info("loki", "sent \"it\"", {{"bytes", 5}, {"host", "a:1"}, {"ratio", 1.0 / 0.0}});

  CHECK(log.Take() == std::string("{\"ts\":\"") + kTime +
                          "\",\"level\":\"info\",\"room\":\"loki\",\"msg\":\"sent \\\"it\\\"\","
                          "\"bytes\":5,\"host\":\"a:1\",\"ratio\":\"inf\"}\n");
}

TEST_CASE("log: levels below the set one are neither written nor counted", "[log]") {
  Captured log(LogLevel::kWarn);

  log.logger.Info("tail", "quiet");
  log.logger.Error("tail", "loud");
  CHECK_THAT(log.Take(), Catch::Contains("loud") && !Catch::Contains("quiet"));
  CHECK(log.logger.records(LogLevel::kInfo) == 0);
  CHECK(log.logger.records(LogLevel::kError) == 1);

  log.logger.SetLevel(LogLevel::kDebug);
  log.logger.Debug("tail", "now");
  CHECK_THAT(log.Take(), Catch::Contains("level=debug"));
}

TEST_CASE("log: a limited record is written once a minute per key", "[log]") {
  Captured log;

  for (int i = 0; i < 5; ++i)
    log.logger.WriteLimited(LogLevel::kWarn, "a", "tail", "first key");
  log.logger.WriteLimited(LogLevel::kWarn, "b", "tail", "second key");

  CHECK(log.logger.records(LogLevel::kWarn) == 2);
  const std::string text = log.Take();
  CHECK_THAT(text, Catch::Contains("first key") && Catch::Contains("second key"));
  CHECK_THAT(text, !Catch::Contains("repeated"));
}

TEST_CASE("log: after the minute the next limited record says how many were left out", "[log]") {
  Captured log;
  for (int i = 0; i < 5; ++i)
    log.logger.WriteLimited(LogLevel::kWarn, "a", "tail", "again");
  log.Take();

  log.clock.monotonic_ns += 59 * kNanosPerSecond;
  log.logger.WriteLimited(LogLevel::kWarn, "a", "tail", "again");
  CHECK(log.Take().empty());

  log.clock.monotonic_ns += kNanosPerSecond;
  log.logger.WriteLimited(LogLevel::kWarn, "a", "tail", "again", {{"hint", "none"}});
  CHECK_THAT(log.Take(), Catch::EndsWith("msg=\"again\" repeated=5 hint=\"none\"\n"));
}

TEST_CASE("log: the table of limited keys is bounded and newcomers share one key", "[log]") {
  Captured log(LogLevel::kError);
  log.logger.SetLevel(LogLevel::kWarn);

  for (int i = 0; i < 3000; ++i) {
    log.logger.WriteLimited(LogLevel::kWarn, std::to_string(i), "tail", "many");
    if (i % 100 == 0) log.Take();  // The pipe must not fill.
  }

  CHECK(log.logger.records(LogLevel::kWarn) == 1025);
}

TEST_CASE("log: level names go both ways", "[log]") {
  LogLevel level = LogLevel::kInfo;
  CHECK(ParseLogLevel("debug", level));
  CHECK(level == LogLevel::kDebug);
  CHECK_FALSE(ParseLogLevel("Debug", level));
  CHECK_FALSE(ParseLogLevel("trace", level));
  CHECK(level == LogLevel::kDebug);
  CHECK(LogLevelName(LogLevel::kWarn) == "warn");
}

}  // namespace
}  // namespace agent
