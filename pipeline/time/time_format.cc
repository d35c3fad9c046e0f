#include "pipeline/time/time_format.h"

#include <charconv>
#include <cmath>
#include <cstddef>
#include <memory>
#include <system_error>

#include "pipeline/time/civil.h"

namespace agent {
namespace {

struct Predefined {
  std::string_view name;
  std::string_view layout;
};
constexpr Predefined kPredefined[] = {
    {"ANSIC", "Mon Jan _2 15:04:05 2006"},
    {"RFC1123", "Mon, 02 Jan 2006 15:04:05 MST"},
    {"RFC1123Z", "Mon, 02 Jan 2006 15:04:05 -0700"},
    {"RFC3339", "2006-01-02T15:04:05Z07:00"},
    {"RFC3339Nano", "2006-01-02T15:04:05.999999999Z07:00"},
    {"RFC822", "02 Jan 06 15:04 MST"},
    {"RFC822Z", "02 Jan 06 15:04 -0700"},
    {"RFC850", "Monday, 02-Jan-06 15:04:05 MST"},
    {"RubyDate", "Mon Jan 02 15:04:05 -0700 2006"},
    {"UnixDate", "Mon Jan _2 15:04:05 MST 2006"},
};

std::string_view LayoutOf(std::string_view format) {
  for (const Predefined& known : kPredefined) {
    if (known.name == format) return known.layout;
  }
  return format;
}

// A signed decimal integer of 64 bits and nothing else.
std::optional<int64_t> ParseInt(std::string_view text) {
  if (text.starts_with('+')) {
    text.remove_prefix(1);
    if (text.starts_with('-')) return std::nullopt;
  }
  int64_t number = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc() || stop != end) return std::nullopt;
  return number;
}

// "1700000000" or "1700000000.25". The fraction is a number of its own (with its own sign, were it
// to have one) and is always added.
std::optional<int64_t> ParseUnix(std::string_view text) {
  const std::size_t dot = text.find('.');
  const auto seconds = ParseInt(text.substr(0, dot));
  if (!seconds) return std::nullopt;
  if (dot == std::string_view::npos) return ToUnixNanos(*seconds, 0);
  const std::string_view digits = text.substr(dot + 1);
  const auto fraction = ParseInt(digits);
  if (!fraction) return std::nullopt;
  // Above 1 by multiplying, below by a reciprocal: the same rounding as Go's math.Pow.
  const int exponent = 9 - static_cast<int>(digits.size());
  const double power = exponent >= 0 ? std::pow(10.0, exponent) : 1 / std::pow(10.0, -exponent);
  const auto nanos = static_cast<int64_t>(static_cast<double>(*fraction) * power);
  const int64_t carry = FloorDiv(nanos, kNanosPerSecond);
  return ToUnixNanos(*seconds + carry, nanos - carry * kNanosPerSecond);
}

// Numbers that do not fit wrap around, as they do in Go.
std::optional<int64_t> ParseScaled(std::string_view text, uint64_t nanos_per_unit) {
  const auto number = ParseInt(text);
  if (!number) return std::nullopt;
  return static_cast<int64_t>(static_cast<uint64_t>(*number) * nanos_per_unit);
}

}  // namespace

TimeFormat::TimeFormat(std::string_view format, Location* location, Location& local,
                       const Clock& clock)
    : layout_(LayoutOf(format)),
      local_(local),
      location_(location),
      utc_(Location::Utc()),
      clock_(clock) {
  const std::string_view layout = LayoutOf(format);
  if (layout != format) location_ = nullptr;  // Predefined names know no location.
  if (layout == LayoutOf("RFC3339") || layout == LayoutOf("RFC3339Nano")) {
    kind_ = Kind::kRfc3339;
  } else if (format == "Unix") {
    kind_ = Kind::kUnix;
  } else if (format == "UnixMs") {
    kind_ = Kind::kUnixMs;
  } else if (format == "UnixUs") {
    kind_ = Kind::kUnixUs;
  } else if (format == "UnixNs") {
    kind_ = Kind::kUnixNs;
  } else if (layout.find("2006") == std::string_view::npos &&
             layout.find("06") == std::string_view::npos) {
    kind_ = Kind::kLayoutWithoutYear;
  }
}

std::optional<int64_t> TimeFormat::Parse(std::string_view text) {
  switch (kind_) {
    case Kind::kRfc3339:
      return rfc3339_.Parse(text);
    case Kind::kUnix:
      return ParseUnix(text);
    case Kind::kUnixMs:
      return ParseScaled(text, kNanosPerMilli);
    case Kind::kUnixUs:
      return ParseScaled(text, 1000);
    case Kind::kUnixNs:
      return ParseScaled(text, 1);
    case Kind::kLayoutWithoutYear:
      return ParseWithoutYear(text);
    case Kind::kLayout:
      break;
  }
  const auto time =
      layout_.Parse(text, location_ ? *location_ : *utc_, location_ ? *location_ : local_);
  if (!time) return std::nullopt;
  return ToUnixNanos(time->unix_seconds, time->nanos);
}

std::optional<int64_t> TimeFormat::ParseWithoutYear(std::string_view text) {
  auto time = layout_.Parse(text, location_ ? *location_ : *utc_, location_ ? *location_ : local_);
  if (!time) return std::nullopt;
  const int64_t local = time->LocalSeconds();
  const int64_t days = FloorDiv(local, kSecondsPerDay);
  const CivilDate date = CivilFromDays(days);
  if (date.year != 0) return std::nullopt;

  const int64_t now = FloorDiv(clock_.WallNanos(), kNanosPerSecond);
  const CivilDate today =
      CivilFromDays(FloorDiv(now + local_.At(now).offset_seconds, kSecondsPerDay));
  int64_t year = today.year;
  if (date.month == 12 && today.month == 1) --year;
  if (date.month == 1 && today.month == 12) ++year;

  // February 29 becomes March 1 where there is none.
  const int64_t moved =
      DaysFromCivil(year, date.month, date.day) * kSecondsPerDay + (local - days * kSecondsPerDay);
  const int64_t seconds =
      time->location ? time->location->FromLocal(moved) : moved - time->offset_seconds;
  return ToUnixNanos(seconds, time->nanos);
}

bool TimeFormat::has_elements() const {
  return (kind_ != Kind::kLayout && kind_ != Kind::kLayoutWithoutYear) || layout_.has_elements();
}

}  // namespace agent
