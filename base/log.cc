#include "base/log.h"

#include <poll.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <ctime>
#include <unordered_map>

#include "base/mutex.h"
#include "base/utf8.h"

namespace agent {
namespace {

constexpr std::size_t kLevels = 4;
constexpr int64_t kLimitSeconds = 60;
// Keys remembered for WriteLimited. Beyond it, keys whose minute is over are forgotten; if there
// are none, records of new keys share one key.
constexpr std::size_t kMaxLimitedKeys = 1024;
constexpr std::string_view kSharedKey = "other";
// A reader of standard error that hangs must not hang the agent: wait this long at most per record.
constexpr int kWriteTimeoutMillis = 100;

constexpr std::array<std::string_view, kLevels> kLevelNames = {"debug", "info", "warn", "error"};

std::size_t Index(LogLevel level) {
  return static_cast<std::size_t>(level);
}

// 2026-05-04T09:12:03.418Z
void AppendTimestamp(int64_t wall_ns, std::string& out) {
  const time_t seconds = wall_ns / kNanosPerSecond;
  tm parts{};
  gmtime_r(&seconds, &parts);
  std::array<char, 32> text{};
  const std::size_t size = strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S", &parts);
  out.append(text.data(), size);
  const auto millis = static_cast<unsigned>(wall_ns % kNanosPerSecond / kNanosPerMilli);
  std::snprintf(text.data(), text.size(), ".%03uZ", millis % 1000);
  out.append(text.data());
}

// The text of a JSON string without its quotes; also what logfmt puts between quotes. Valid UTF-8
// comes out whatever goes in, and never a line break: one record is one line.
void AppendEscaped(std::string_view text, std::string& out) {
  while (!text.empty()) {
    const DecodedRune rune = DecodeRune(text);
    const std::string_view bytes = text.substr(0, rune.size);
    text.remove_prefix(rune.size);
    if (!rune.valid) {
      AppendUtf8(rune.rune, out);
    } else if (rune.rune == '"' || rune.rune == '\\') {
      out += '\\';
      out += bytes;
    } else if (rune.rune == '\n') {
      out += "\\n";
    } else if (rune.rune == '\t') {
      out += "\\t";
    } else if (rune.rune == '\r') {
      out += "\\r";
    } else if (rune.rune < 0x20 || (rune.rune >= 0x7F && rune.rune < 0xA0)) {
      std::array<char, 8> code{};
      std::snprintf(code.data(), code.size(), "\\u%04x", static_cast<unsigned>(rune.rune));
      out += code.data();
    } else {
      out += bytes;
    }
  }
}

bool NeedsQuotes(std::string_view value) {
  if (value.empty()) return true;
  for (const char c : value) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte <= ' ' || c == '=' || c == '"' || c == '\\' || byte >= 0x7F) return true;
  }
  return false;
}

void AppendLogfmtValue(std::string_view value, bool quote, std::string& out) {
  if (!quote && !NeedsQuotes(value)) {
    out += value;
    return;
  }
  out += '"';
  AppendEscaped(value, out);
  out += '"';
}

struct Record {
  LogLevel level;
  std::string_view room;
  std::string_view message;
  LogFields fields;
  uint64_t repeated = 0;
  int64_t wall_ns = 0;
};

std::string FormatLogfmt(const Record& record) {
  std::string line = "ts=";
  AppendTimestamp(record.wall_ns, line);
  line.append(" level=").append(LogLevelName(record.level)).append(" room=");
  AppendLogfmtValue(record.room, /*quote=*/false, line);
  line += " msg=";
  AppendLogfmtValue(record.message, /*quote=*/true, line);
  const LogField* hint = nullptr;
  for (const LogField& field : record.fields) {
    if (field.key == "hint") {
      hint = &field;
      continue;
    }
    line.append(" ").append(field.key).append("=");
    AppendLogfmtValue(field.text, /*quote=*/false, line);
  }
  if (record.repeated > 0) line.append(" repeated=").append(std::to_string(record.repeated));
  if (hint != nullptr) {
    line += " hint=";
    AppendLogfmtValue(hint->text, /*quote=*/true, line);
  }
  line += '\n';
  return line;
}

void AppendJsonMember(std::string_view key, std::string_view value, std::string& out) {
  out += ",\"";
  AppendEscaped(key, out);
  out += "\":\"";
  AppendEscaped(value, out);
  out += '"';
}

// std::to_string writes infinities and NaN as words, which JSON does not know.
bool IsJsonNumber(const LogField& field) {
  return field.is_number && !field.text.empty() &&
         (field.text.back() >= '0' && field.text.back() <= '9');
}

std::string FormatJson(const Record& record) {
  std::string line = "{\"ts\":\"";
  AppendTimestamp(record.wall_ns, line);
  line += '"';
  AppendJsonMember("level", LogLevelName(record.level), line);
  AppendJsonMember("room", record.room, line);
  AppendJsonMember("msg", record.message, line);
  for (const LogField& field : record.fields) {
    if (!IsJsonNumber(field)) {
      AppendJsonMember(field.key, field.text, line);
      continue;
    }
    line += ",\"";
    AppendEscaped(field.key, line);
    line.append("\":").append(field.text);
  }
  if (record.repeated > 0) line.append(",\"repeated\":").append(std::to_string(record.repeated));
  line += "}\n";
  return line;
}

// One write() for a line, so that lines of several threads or processes do not mix. A descriptor
// that cannot take it is given a moment, then the rest is dropped: logging must not stop the agent.
void WriteLine(int fd, std::string_view line) {
  while (!line.empty()) {
    const ssize_t written = ::write(fd, line.data(), line.size());
    if (written >= 0) {
      line.remove_prefix(static_cast<std::size_t>(written));
      continue;
    }
    if (errno == EINTR) continue;
    if (errno != EAGAIN) return;
    pollfd wait{.fd = fd, .events = POLLOUT, .revents = 0};
    if (::poll(&wait, 1, kWriteTimeoutMillis) <= 0) return;
  }
}

struct Limit {
  int64_t last_seconds = 0;
  uint64_t left_out = 0;
};

// A key that may write at once.
Limit Fresh(int64_t now) {
  return {.last_seconds = now - kLimitSeconds, .left_out = 0};
}

}  // namespace

struct Logger::State {
  int fd = -1;
  SystemClock system_clock;
  const Clock* clock = &system_clock;
  std::atomic<LogLevel> level{LogLevel::kInfo};
  std::atomic<LogFormat> format{LogFormat::kLogfmt};
  std::array<std::atomic<uint64_t>, kLevels> records{};
  Mutex mutex;
  std::unordered_map<std::string, Limit> limits GUARDED_BY(mutex);

  void Write(Record record) {
    record.wall_ns = clock->WallNanos();
    records[Index(record.level)].fetch_add(1, std::memory_order_relaxed);
    WriteLine(fd, format.load(std::memory_order_relaxed) == LogFormat::kJson
                      ? FormatJson(record)
                      : FormatLogfmt(record));
  }

  // Null when there is no room for another key.
  Limit* Find(std::string_view key, int64_t now) REQUIRES(mutex) {
    const auto found = limits.find(std::string(key));
    if (found != limits.end()) return &found->second;
    if (limits.size() >= kMaxLimitedKeys) {
      std::erase_if(limits, [now](const auto& item) {
        return now - item.second.last_seconds >= kLimitSeconds;
      });
    }
    if (limits.size() >= kMaxLimitedKeys) return nullptr;
    return &limits.emplace(key, Fresh(now)).first->second;
  }

  // Whether a record of that key may be written now; if so, `repeated` is how many were not.
  bool Pass(std::string_view key, uint64_t& repeated) EXCLUDES(mutex) {
    const int64_t now = clock->MonotonicNanos() / kNanosPerSecond;
    const MutexLock lock(mutex);
    Limit* limit = Find(key, now);
    if (limit == nullptr) {
      limit = &limits.try_emplace(std::string(kSharedKey), Fresh(now)).first->second;
    }
    if (now - limit->last_seconds < kLimitSeconds) {
      ++limit->left_out;
      return false;
    }
    repeated = limit->left_out;
    *limit = {.last_seconds = now, .left_out = 0};
    return true;
  }
};

std::string_view LogLevelName(LogLevel level) {
  return kLevelNames[Index(level)];
}

bool ParseLogLevel(std::string_view text, LogLevel& level) {
  for (std::size_t i = 0; i < kLevels; ++i) {
    if (kLevelNames[i] != text) continue;
    level = static_cast<LogLevel>(i);
    return true;
  }
  return false;
}

Logger::Logger(int fd, LogLevel level, LogFormat format, const Clock* clock)
    : state_(std::make_unique<State>()) {
  state_->fd = fd;
  if (clock != nullptr) state_->clock = clock;
  state_->level = level;
  state_->format = format;
}

Logger::~Logger() = default;

void Logger::SetLevel(LogLevel level) {
  state_->level.store(level, std::memory_order_relaxed);
}

LogLevel Logger::level() const {
  return state_->level.load(std::memory_order_relaxed);
}

void Logger::SetFormat(LogFormat format) {
  state_->format.store(format, std::memory_order_relaxed);
}

bool Logger::Enabled(LogLevel level) const {
  return level >= this->level();
}

void Logger::Write(LogLevel level, std::string_view room, std::string_view message,
                   LogFields fields) {
  if (!Enabled(level)) return;
  state_->Write({.level = level, .room = room, .message = message, .fields = fields});
}

void Logger::WriteLimited(LogLevel level, std::string_view key, std::string_view room,
                          std::string_view message, LogFields fields) {
  if (!Enabled(level)) return;
  uint64_t repeated = 0;
  if (!state_->Pass(key, repeated)) return;
  state_->Write(
      {.level = level, .room = room, .message = message, .fields = fields, .repeated = repeated});
}

uint64_t Logger::records(LogLevel level) const {
  return state_->records[Index(level)].load(std::memory_order_relaxed);
}

}  // namespace agent
