// The agent's own log: one line a record, logfmt or JSON, on standard error. The message is
// constant text; what varies are fields. A record can be limited to one a minute per key, with a
// count of those left out.

#pragma once

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>

#include "base/clock.h"

namespace agent {

enum class LogLevel : uint8_t { kDebug, kInfo, kWarn, kError };
enum class LogFormat : uint8_t { kLogfmt, kJson };

// "debug", "info", "warn", "error".
std::string_view LogLevelName(LogLevel level);
// False, and `level` unchanged, for anything else.
bool ParseLogLevel(std::string_view text, LogLevel& level);

struct LogField {
  LogField(std::string_view k, std::string_view v) : key(k), text(v), is_number(false) {}
  LogField(std::string_view k, const char* v) : LogField(k, std::string_view{v}) {}
  LogField(std::string_view k, const std::string& v) : LogField(k, std::string_view{v}) {}
  template <typename N, typename = std::enable_if_t<std::is_arithmetic_v<N>>>
  LogField(std::string_view k, N v) : key(k), text(std::to_string(v)), is_number(true) {}

  std::string_view key;
  std::string text;
  bool is_number;
};
using LogFields = std::initializer_list<LogField>;

// Thread-safe.
class Logger {
 public:
  // Lines go to file descriptor `fd`, which stays the caller's. `clock` outlives the logger; null:
  // the system's.
  Logger(int fd, LogLevel level, LogFormat format, const Clock* clock = nullptr);
  Logger(const Logger&) = delete;
  Logger& operator=(const Logger&) = delete;
  ~Logger();

  void SetLevel(LogLevel level);
  [[nodiscard]] LogLevel level() const;
  void SetFormat(LogFormat format);
  [[nodiscard]] bool Enabled(LogLevel level) const;

  // `room` is where it happened: "tail", "loki", "config".
  void Write(LogLevel level, std::string_view room, std::string_view message,
             LogFields fields = {});
  void Debug(std::string_view room, std::string_view message, LogFields fields = {}) {
    Write(LogLevel::kDebug, room, message, fields);
  }
  void Info(std::string_view room, std::string_view message, LogFields fields = {}) {
    Write(LogLevel::kInfo, room, message, fields);
  }
  void Warn(std::string_view room, std::string_view message, LogFields fields = {}) {
    Write(LogLevel::kWarn, room, message, fields);
  }
  void Error(std::string_view room, std::string_view message, LogFields fields = {}) {
    Write(LogLevel::kError, room, message, fields);
  }

  // At most one record a minute for each `key` (say, reason and source); the next one that passes
  // carries `repeated=N`, the number left out.
  void WriteLimited(LogLevel level, std::string_view key, std::string_view room,
                    std::string_view message, LogFields fields = {});

  // Records written since the start at that level; for the metric.
  [[nodiscard]] uint64_t records(LogLevel level) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace agent
