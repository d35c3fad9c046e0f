#include "pipeline/time/rfc3339.h"

#include <array>
#include <cstddef>
#include <cstdio>
#include <cstring>

#include "base/clock.h"
#include "pipeline/time/civil.h"

namespace agent {
namespace {

constexpr std::size_t kSecondLength = 19;  // "2006-01-02T15:04:05"

bool IsDigit(char c) {
  return static_cast<unsigned char>(c - '0') < 10;
}

uint64_t Load8(const char* data) {
  uint64_t word = 0;
  std::memcpy(&word, data, sizeof(word));
  return word;
}

// Reads exactly `count` digits at the front of `text`; -1 when they are not there.
int TakeDigits(std::string_view& text, std::size_t count) {
  if (text.size() < count) return -1;
  int number = 0;
  for (std::size_t i = 0; i < count; ++i) {
    if (!IsDigit(text[i])) return -1;
    number = number * 10 + (text[i] - '0');
  }
  text.remove_prefix(count);
  return number;
}

bool TakeChar(std::string_view& text, char c) {
  if (text.empty() || text.front() != c) return false;
  text.remove_prefix(1);
  return true;
}

// One or two digits.
int TakeHour(std::string_view& text) {
  return TakeDigits(text, text.size() >= 2 && IsDigit(text[1]) ? 2 : 1);
}

// Fraction and offset: what follows the second, to the end. False when it is something else.
inline bool ParseRest(std::string_view rest, int64_t& nanos, int64_t& offset_seconds) {
  nanos = 0;
  offset_seconds = 0;
  if (rest.size() >= 2 && (rest[0] == '.' || rest[0] == ',') && IsDigit(rest[1])) {
    std::size_t i = 1;
    int64_t scale = kNanosPerSecond;
    for (; i < rest.size() && IsDigit(rest[i]); ++i) {
      scale /= 10;  // 0 from the tenth digit on: cut.
      nanos += (rest[i] - '0') * scale;
    }
    rest.remove_prefix(i);
  }
  if (rest.size() == 1) return rest[0] == 'Z';
  if (rest.size() != 6 || rest[3] != ':' || (rest[0] != '+' && rest[0] != '-')) return false;
  const int sign = rest[0] == '-' ? -1 : 1;
  rest.remove_prefix(1);
  const int hours = TakeDigits(rest, 2);
  rest.remove_prefix(1);
  const int minutes = TakeDigits(rest, 2);
  if (hours < 0 || minutes < 0 || hours > 24 || minutes > 60) return false;
  offset_seconds = sign * SecondOfDay(hours, minutes, 0);
  return true;
}

// Date and time of day at the front of `text`, as if in UTC.
std::optional<int64_t> TakeSeconds(std::string_view& text) {
  const int year = TakeDigits(text, 4);
  if (year < 0 || !TakeChar(text, '-')) return std::nullopt;
  const int month = TakeDigits(text, 2);
  if (month < 1 || month > 12 || !TakeChar(text, '-')) return std::nullopt;
  const int day = TakeDigits(text, 2);
  if (day < 1 || day > DaysInMonth(year, month) || !TakeChar(text, 'T')) return std::nullopt;
  const int hour = TakeHour(text);
  if (hour < 0 || hour > 23 || !TakeChar(text, ':')) return std::nullopt;
  const int minute = TakeDigits(text, 2);
  if (minute < 0 || minute > 59 || !TakeChar(text, ':')) return std::nullopt;
  const int second = TakeDigits(text, 2);
  if (second < 0 || second > 59) return std::nullopt;
  return DaysFromCivil(year, month, day) * kSecondsPerDay + SecondOfDay(hour, minute, second);
}

}  // namespace

std::optional<int64_t> Rfc3339Parser::Parse(std::string_view text) {
  if (text.size() <= kSecondLength) return ParseSlow(text);
  // Overlapping words cover the 19 bytes without reading past them.
  const uint64_t first = Load8(text.data());
  const uint64_t middle = Load8(text.data() + 8);
  const uint64_t last = Load8(text.data() + kSecondLength - 8);
  if (((first ^ words_[0]) | (middle ^ words_[1]) | (last ^ words_[2])) != 0) {
    std::string_view rest = text;
    const auto seconds = TakeSeconds(rest);
    if (!seconds) return std::nullopt;
    if (rest.size() != text.size() - kSecondLength) return ParseSlow(text);
    words_[0] = first;
    words_[1] = middle;
    words_[2] = last;
    seconds_ = *seconds;
  }
  int64_t nanos = 0;
  int64_t offset_seconds = 0;
  if (!ParseRest(text.substr(kSecondLength), nanos, offset_seconds)) return std::nullopt;
  return ToUnixNanos(seconds_ - offset_seconds, nanos);
}

// Hours of one digit make the text shorter; nothing is remembered then.
std::optional<int64_t> Rfc3339Parser::ParseSlow(std::string_view text) const {
  const auto seconds = TakeSeconds(text);
  int64_t nanos = 0;
  int64_t offset_seconds = 0;
  if (!seconds || !ParseRest(text, nanos, offset_seconds)) return std::nullopt;
  return ToUnixNanos(*seconds - offset_seconds, nanos);
}

std::string FormatRfc3339(int64_t unix_nanos) {
  const int64_t seconds = FloorDiv(unix_nanos, kNanosPerSecond);
  const int64_t nanos = unix_nanos - seconds * kNanosPerSecond;
  const int64_t days = FloorDiv(seconds, kSecondsPerDay);
  const int64_t second_of_day = seconds - days * kSecondsPerDay;
  const CivilDate date = CivilFromDays(days);
  std::array<char, 64> text{};
  const int size = std::snprintf(text.data(), text.size(), "%04lld-%02d-%02dT%02lld:%02lld:%02lld",
                                 static_cast<long long>(date.year), date.month, date.day,
                                 static_cast<long long>(second_of_day / 3600),
                                 static_cast<long long>(second_of_day / 60 % 60),
                                 static_cast<long long>(second_of_day % 60));
  std::string out(text.data(), static_cast<std::size_t>(size));
  if (nanos > 0) {
    std::string fraction = std::to_string(nanos + kNanosPerSecond).substr(1);
    fraction.erase(fraction.find_last_not_of('0') + 1);
    out += "." + fraction;
  }
  return out + "Z";
}

}  // namespace agent
