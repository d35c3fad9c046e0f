#include "pipeline/template/datum_time.h"

#include <algorithm>

#include "pipeline/time/civil.h"

namespace agent {

DatumTime TimeFromNanos(int64_t nanos, Location* location) {
  DatumTime time;
  time.unix_seconds = FloorDiv(nanos, kNanosPerSecond);
  time.nanos = static_cast<int32_t>(nanos - time.unix_seconds * kNanosPerSecond);
  time.location = location;
  return time;
}

DatumTime TimeFromParsed(const ParsedTime& parsed) {
  DatumTime time;
  time.unix_seconds = parsed.unix_seconds;
  time.nanos = parsed.nanos;
  time.location = parsed.location;
  time.offset_seconds = parsed.offset_seconds;
  time.fixed_zone = parsed.fixed_zone;
  time.zone_name = parsed.zone_name;
  return time;
}

ParsedTime ToParsedTime(const DatumTime& time) {
  ParsedTime parsed;
  // Beyond this a calendar makes no sense and arithmetic would overflow.
  constexpr int64_t kFarthest = int64_t{1} << 50;
  parsed.unix_seconds = std::clamp(time.unix_seconds, -kFarthest, kFarthest);
  parsed.nanos = time.nanos;
  parsed.location = time.location;
  parsed.offset_seconds = time.offset_seconds;
  parsed.fixed_zone = time.fixed_zone;
  parsed.zone_name = time.zone_name;
  return parsed;
}

int64_t NanosOf(const DatumTime& time) {
  return ToUnixNanos(time.unix_seconds, time.nanos);
}

DatumTime Moved(const DatumTime& time, int64_t nanos) {
  const int64_t seconds = FloorDiv(nanos, kNanosPerSecond);
  const int64_t rest = time.nanos + nanos - seconds * kNanosPerSecond;
  DatumTime moved = time;
  moved.unix_seconds += seconds + rest / kNanosPerSecond;
  moved.nanos = static_cast<int32_t>(rest % kNanosPerSecond);
  return moved;
}

std::string FormatTime(std::string_view layout, const DatumTime& time) {
  std::string text;
  Layout(layout).Format(ToParsedTime(time), text);
  return text;
}

}  // namespace agent
