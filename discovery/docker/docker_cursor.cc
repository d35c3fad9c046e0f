#include "discovery/docker/docker_cursor.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>

#include "base/clock.h"

namespace agent {
namespace {

// Of two entries that stand one after the other, the second one may have the earlier time when it
// is of the other stream, but not by more than this.
constexpr int64_t kDisorder = 10 * kNanosPerSecond;

template <typename Number>
bool Take(std::string_view& text, Number& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc()) return false;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return true;
}

bool TakeChar(std::string_view& text, char c) {
  if (text.empty() || text.front() != c) return false;
  text.remove_prefix(1);
  return true;
}

bool TakeStream(std::string_view& text, DockerCursor::Stream& stream) {
  int64_t seconds = 0;
  int64_t nanos = 0;
  constexpr int64_t kMaxSeconds = int64_t{1} << 33;
  if (!Take(text, seconds) || seconds < 0 || seconds > kMaxSeconds) return false;
  if (!TakeChar(text, '.') || !Take(text, nanos) || nanos < 0 || nanos >= kNanosPerSecond) {
    return false;
  }
  stream.time_ns = seconds * kNanosPerSecond + nanos;
  return TakeChar(text, '+') && Take(text, stream.same);
}

std::string StreamText(const DockerCursor::Stream& stream) {
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%lld.%09lld+%u",
                static_cast<long long>(stream.time_ns / kNanosPerSecond),
                static_cast<long long>(stream.time_ns % kNanosPerSecond), stream.same);
  return text.data();
}

}  // namespace

void DockerCursor::Pass(bool is_err, int64_t time_ns) {
  Stream& stream = is_err ? err : out;
  stream.same = stream.time_ns == time_ns ? stream.same + 1 : 1;
  stream.time_ns = time_ns;
}

int64_t DockerCursor::SinceNanos() const {
  const int64_t latest = std::max(out.time_ns, err.time_ns);
  const int64_t earliest = std::min(out.time_ns, err.time_ns);
  return std::max<int64_t>({earliest, latest - kDisorder, 0});
}

int64_t DockerCursor::Seconds() const {
  return std::max(out.time_ns, err.time_ns) / kNanosPerSecond;
}

std::string DockerCursor::Text() const {
  return StreamText(out) + " " + StreamText(err);
}

DockerCursor DockerCursor::Parse(std::string_view text) {
  DockerCursor cursor;
  std::string_view rest = text;
  if (TakeStream(rest, cursor.out) && TakeChar(rest, ' ') && TakeStream(rest, cursor.err) &&
      rest.empty()) {
    return cursor;
  }
  cursor = DockerCursor();
  int64_t seconds = 0;
  rest = text;
  constexpr int64_t kMaxSeconds = int64_t{1} << 33;
  if (!Take(rest, seconds) || !rest.empty() || seconds <= 0 || seconds > kMaxSeconds) return {};
  // Promtail asks for that second again, too.
  cursor.out.time_ns = seconds * kNanosPerSecond - 1;
  cursor.err.time_ns = cursor.out.time_ns;
  return cursor;
}

bool DockerSkip::IsPassed(bool is_err, int64_t time_ns) {
  const DockerCursor::Stream& passed = is_err ? passed_.err : passed_.out;
  if (time_ns < passed.time_ns) return true;
  if (time_ns > passed.time_ns) return false;
  seen_.Pass(is_err, time_ns);
  return (is_err ? seen_.err : seen_.out).same <= passed.same;
}

}  // namespace agent
