#include "agent/tail/positions_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <utility>

#include "agent/tail/glob.h"
#include "base/clock.h"
#include "base/unique_fd.h"
#include "base/utf8.h"

namespace agent {
namespace {

// Longer keys are written as "? key" by Go's emitter.
constexpr std::size_t kMaxSimpleKey = 128;

std::string_view Trim(std::string_view text) {
  constexpr std::string_view kBlank = " \t\r";
  const std::size_t first = text.find_first_not_of(kBlank);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

// What follows a backslash in a double-quoted scalar; advances `at` past it. False: unknown.
bool TakeEscape(std::string_view text, std::size_t& at, std::string& out) {
  constexpr std::string_view kNames = "0abtnvfre\"/\\ ";
  constexpr std::string_view kValues{"\0\a\b\t\n\v\f\r\x1b\"/\\ ", 13};
  const char name = text[at++];
  if (const std::size_t known = kNames.find(name); known != std::string_view::npos) {
    out += kValues[known];
    return true;
  }
  std::size_t digits = 0;
  if (name == 'x') digits = 2;
  if (name == 'u') digits = 4;
  if (name == 'U') digits = 8;
  if (digits == 0 || at + digits > text.size()) return false;
  uint32_t code = 0;
  const char* const end = text.data() + at + digits;
  const auto parsed = std::from_chars(text.data() + at, end, code, 16);
  if (parsed.ec != std::errc() || parsed.ptr != end || code > 0x10FFFF) return false;
  AppendUtf8(static_cast<char32_t>(code), out);
  at += digits;
  return true;
}

// A quoted scalar at the start of `text`; leaves `text` behind it.
bool TakeQuoted(std::string_view& text, std::string& out) {
  const char quote = text.front();
  std::size_t at = 1;
  while (at < text.size()) {
    const char c = text[at++];
    if (c == quote) {
      if (quote == '\'' && at < text.size() && text[at] == '\'') {
        out += '\'';
        ++at;
        continue;
      }
      text.remove_prefix(at);
      return true;
    }
    if (quote == '"' && c == '\\') {
      if (at >= text.size() || !TakeEscape(text, at, out)) return false;
    } else {
      out += c;
    }
  }
  return false;
}

bool IsQuote(std::string_view text) {
  return !text.empty() && (text.front() == '"' || text.front() == '\'');
}

// A key and the colon behind it; leaves `text` at the value.
bool TakeKey(std::string_view& text, std::string& key) {
  if (IsQuote(text)) {
    if (!TakeQuoted(text, key)) return false;
    text = Trim(text);
    if (text.empty() || text.front() != ':') return false;
    text.remove_prefix(1);
    return true;
  }
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != ':' || (i + 1 < text.size() && text[i + 1] != ' ')) continue;
    key = Trim(text.substr(0, i));
    text.remove_prefix(i + 1);
    return !key.empty();
  }
  return false;
}

bool TakeScalar(std::string_view text, std::string& value) {
  text = Trim(text);
  if (IsQuote(text)) {
    if (!TakeQuoted(text, value)) return false;
    text = Trim(text);
    return text.empty() || text.front() == '#';
  }
  if (const std::size_t comment = text.find(" #"); comment != std::string_view::npos) {
    text = Trim(text.substr(0, comment));
  }
  value = text;
  return !value.empty();
}

// Reads line by line, so that damage stays where it is.
class Parser {
 public:
  ParsedPositions Parse(std::string_view text) {
    while (!text.empty()) {
      const std::size_t newline = text.find('\n');
      const std::string_view line = text.substr(0, newline);
      text.remove_prefix(newline == std::string_view::npos ? text.size() : newline + 1);
      if (!ParseLine(line)) ++result_.bad_lines;
    }
    if (pending_key_) ++result_.bad_lines;
    return std::move(result_);
  }

 private:
  bool ParseLine(std::string_view line) {
    const std::string_view content = Trim(line);
    if (content.empty() || content.front() == '#') return true;
    if (content.find('\0') != std::string_view::npos) return false;
    const bool indented = line.front() == ' ' || line.front() == '\t';
    if (!indented) return ParseTop(content);
    if (!inside_) return false;
    if (content.starts_with("? ")) {
      pending_key_.emplace();
      if (TakeScalar(content.substr(2), *pending_key_)) return true;
      pending_key_.reset();
      return false;
    }
    return ParseEntry(content);
  }

  bool ParseTop(std::string_view content) {
    if (content == "---" || content == "...") return true;
    std::string key;
    inside_ = TakeKey(content, key) && key == "positions";
    content = Trim(content);
    return inside_ &&
           (content.empty() || content == "{}" || content == "null" || content.front() == '#');
  }

  bool ParseEntry(std::string_view content) {
    std::string key;
    std::string value;
    if (pending_key_ && content.starts_with(':')) {
      key = *std::exchange(pending_key_, std::nullopt);
      content.remove_prefix(1);
    } else if (!TakeKey(content, key)) {
      return false;
    }
    if (!TakeScalar(content, value)) return false;
    result_.entries[std::move(key)] = std::move(value);
    return true;
  }

  ParsedPositions result_;
  bool inside_ = false;
  std::optional<std::string> pending_key_;
};

bool IsControl(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte < 0x20 || byte == 0x7F;
}

std::string DoubleQuoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (IsControl(c)) {
      std::array<char, 8> escape{};
      const int length =
          std::snprintf(escape.data(), escape.size(), "\\x%02X", static_cast<unsigned char>(c));
      out.append(escape.data(), static_cast<std::size_t>(length));
    } else {
      out += c;
    }
  }
  return out + '"';
}

std::string SingleQuoted(std::string_view text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'') out += '\'';
    out += c;
  }
  return out + "'";
}

// Plain where YAML allows it and it stays text, as Go's emitter does.
std::string Scalar(std::string_view text) {
  if (std::any_of(text.begin(), text.end(), IsControl)) return DoubleQuoted(text);
  const bool number_like =
      !text.empty() && text.find_first_not_of("0123456789+-.eExXoO_") == std::string_view::npos;
  if (text.empty() || number_like) return DoubleQuoted(text);
  constexpr std::string_view kIndicators = "-?:,[]{}#&*!|>'\"%@`~=<";
  const bool plain = kIndicators.find(text.front()) == std::string_view::npos &&
                     text.front() != ' ' && text.back() != ' ' && text.back() != ':' &&
                     text.find(": ") == std::string_view::npos &&
                     text.find(" #") == std::string_view::npos;
  return plain ? std::string(text) : SingleQuoted(text);
}

// Only the time: who cannot set it still writes the file.
void SetModified(int fd, int64_t modified_ns) {
  const std::array<timespec, 2> times = {
      {{0, UTIME_OMIT}, {modified_ns / kNanosPerSecond, modified_ns % kNanosPerSecond}}};
  static_cast<void>(::futimens(fd, times.data()));
}

}  // namespace

ParsedPositions ParsePositions(std::string_view text) {
  return Parser().Parse(text);
}

std::string FormatPositions(const PositionEntries& entries) {
  std::string out = "positions:";
  bool any = false;
  for (const auto& [key, value] : entries) {
    if (!IsValidUtf8(key) || !IsValidUtf8(value)) continue;
    if (!any) out += '\n';
    any = true;
    const std::string name = Scalar(key);
    if (name.size() > kMaxSimpleKey) {
      out += "  ? " + name + "\n  : " + Scalar(value) + '\n';
    } else {
      out += "  " + name + ": " + Scalar(value) + '\n';
    }
  }
  if (!any) out += " {}\n";
  return out;
}

bool IsCursorKey(std::string_view key) {
  return key.starts_with("cursor-") || key.starts_with("journal-");
}

std::optional<uint64_t> ParseOffset(std::string_view text) {
  uint64_t offset = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), offset);
  if (parsed.ec != std::errc() || parsed.ptr != text.data() + text.size()) return std::nullopt;
  return offset;
}

Result<std::string> ReadWholeFile(const std::string& path, std::size_t max_bytes) {
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.valid()) return ErrnoError(errno, path);
  std::string content;
  std::array<char, 65536> part{};
  while (true) {
    const ssize_t n = ::read(fd.get(), part.data(), part.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return ErrnoError(errno, path);
    if (n == 0) return content;
    content.append(part.data(), static_cast<std::size_t>(n));
    if (content.size() > max_bytes) return Error{ErrorCode::kInvalid, path + ": too large"};
  }
}

Status WriteAll(int fd, std::string_view content) {
  while (!content.empty()) {
    const ssize_t n = ::write(fd, content.data(), content.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return ErrnoError(errno, "write");
    content.remove_prefix(static_cast<std::size_t>(n));
  }
  return {};
}

Status SyncDirectoryOf(const std::string& path) {
  const std::string directory(DirName(path));
  const UniqueFd fd(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd.valid()) return ErrnoError(errno, directory);
  if (::fsync(fd.get()) != 0) return ErrnoError(errno, directory);
  return {};
}

Status ReplaceFile(const std::string& path, std::string_view content,
                   std::optional<int64_t> modified_ns) {
  const std::string temporary = path + ".tmp";
  {
    const UniqueFd fd(
        ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, S_IRUSR | S_IWUSR));
    if (!fd.valid()) return ErrnoError(errno, temporary);
    Status written = WriteAll(fd.get(), content);
    if (modified_ns) SetModified(fd.get(), *modified_ns);
    if (written.ok() && ::fsync(fd.get()) != 0) written = ErrnoError(errno, "fsync");
    if (!written.ok()) {
      ::unlink(temporary.c_str());
      return Error(written.error()).Wrap(temporary);
    }
  }
  if (::rename(temporary.c_str(), path.c_str()) != 0) {
    const int reason = errno;
    ::unlink(temporary.c_str());
    return ErrnoError(reason, path);
  }
  return SyncDirectoryOf(path);
}

}  // namespace agent
