// Times and durations, and the methods of times.

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/go_format.h"
#include "pipeline/template/convert.h"
#include "pipeline/template/exec.h"
#include "pipeline/template/functions.h"
#include "pipeline/time/civil.h"
#include "pipeline/time/layout.h"
#include "pipeline/time/location.h"

namespace agent {
namespace {

using std::chrono::nanoseconds;

DatumTime FromNanos(int64_t nanos, Location* location) {
  DatumTime time;
  time.unix_seconds = FloorDiv(nanos, kNanosPerSecond);
  time.nanos = static_cast<int32_t>(nanos - time.unix_seconds * kNanosPerSecond);
  time.location = location;
  return time;
}

DatumTime Now(Call& call) {
  return FromNanos(call.runtime().clock.WallNanos(), &call.runtime().local());
}

// Times and whole seconds since 1970; anything else is now.
DatumTime TimeOf(const Datum& datum, Call& call) {
  if (datum.kind() == Datum::Kind::kTime) return datum.time();
  const bool is_seconds = datum.kind() == Datum::Kind::kInt ||
                          datum.kind() == Datum::Kind::kInt64 ||
                          datum.kind() == Datum::Kind::kInt32;
  if (!is_seconds) return Now(call);
  DatumTime time;
  time.unix_seconds = datum.integer();
  time.location = &call.runtime().local();
  return time;
}

ParsedTime ToParsed(const DatumTime& time) {
  ParsedTime parsed;
  // Beyond this a calendar makes no sense and arithmetic would overflow.
  constexpr int64_t kFarthest = int64_t{1} << 50;
  parsed.unix_seconds = std::clamp(time.unix_seconds, -kFarthest, kFarthest);
  parsed.nanos = time.nanos;
  parsed.location = time.location;
  return parsed;
}

std::string Formatted(std::string_view layout, const DatumTime& time) {
  std::string text;
  Layout(layout).Format(ToParsed(time), text);
  return text;
}

Datum DateInZone(Call& call, std::string_view layout, const Datum& date, std::string_view zone) {
  DatumTime time = TimeOf(date, call);
  if (zone == "Local") {
    time.location = &call.runtime().local();
    return call.Keep(Formatted(layout, time));
  }
  Result<std::unique_ptr<Location>> location = Location::Load(zone);
  time.location = location.ok() ? location->get() : nullptr;  // Unknown zones count as UTC.
  return call.Keep(Formatted(layout, time));
}

Datum Date(Call& call) {
  return DateInZone(call, call.Text(0), call[1], "Local");
}
Datum InZone(Call& call) {
  return DateInZone(call, call.Text(0), call[1], call.Text(2));
}
Datum HtmlDate(Call& call) {
  return DateInZone(call, "2006-01-02", call[0], "Local");
}
Datum HtmlDateInZone(Call& call) {
  return DateInZone(call, "2006-01-02", call[0], call.Text(1));
}

Datum Moved(Call& call, nanoseconds duration) {
  const DatumTime& time = call[1].time();
  const int64_t seconds = FloorDiv(duration.count(), kNanosPerSecond);
  DatumTime moved =
      FromNanos(time.nanos + duration.count() - seconds * kNanosPerSecond, time.location);
  moved.unix_seconds += time.unix_seconds + seconds;
  return Datum::Time(call.runtime().pool.Keep(moved));
}

Datum DateModify(Call& call) {
  const Result<nanoseconds> duration = ParseGoDuration(call.Text(0));
  return duration.ok() ? Moved(call, *duration) : call[1];
}

Datum MustDateModify(Call& call) {
  const Result<nanoseconds> duration = ParseGoDuration(call.Text(0));
  return duration.ok() ? Moved(call, *duration) : call.Fail(duration.error().message);
}

int64_t NanosOf(const DatumTime& time) {
  return ToUnixNanos(time.unix_seconds, time.nanos);
}

Datum Ago(Call& call) {
  const DatumTime time = call[0].kind() == Datum::Kind::kInt32 ? Now(call) : TimeOf(call[0], call);
  const int64_t elapsed = call.runtime().clock.WallNanos() - NanosOf(time);
  const int64_t half = elapsed < 0 ? -kNanosPerSecond / 2 : kNanosPerSecond / 2;
  const int64_t seconds = (elapsed + half) / kNanosPerSecond;
  return call.Keep(FormatGoDuration(std::chrono::seconds(seconds)));
}

Datum Duration(Call& call) {
  int64_t seconds = 0;
  if (call[0].kind() == Datum::Kind::kInt64) seconds = call.Int(0);
  if (call[0].is_string()) seconds = ToInt64(call[0]);
  const auto nanos = static_cast<uint64_t>(seconds) * static_cast<uint64_t>(kNanosPerSecond);
  return call.Keep(FormatGoDuration(nanoseconds(static_cast<int64_t>(nanos))));
}

// The largest unit that fits more than once, roughly.
Datum DurationRound(Call& call) {
  int64_t nanos = 0;
  if (call[0].kind() == Datum::Kind::kInt64) nanos = call.Int(0);
  if (call[0].kind() == Datum::Kind::kTime) {
    nanos = call.runtime().clock.WallNanos() - NanosOf(call[0].time());
  }
  if (call[0].is_string()) {
    const Result<nanoseconds> duration = ParseGoDuration(call.Text(0));
    if (duration.ok()) nanos = duration->count();
  }
  struct Unit {
    uint64_t seconds;
    std::string_view name;
  };
  constexpr Unit kUnits[] = {{31'536'000, "y"}, {2'592'000, "mo"}, {86'400, "d"},
                             {3'600, "h"},      {60, "m"},         {1, "s"}};
  const uint64_t size = nanos < 0 ? 0 - static_cast<uint64_t>(nanos) : static_cast<uint64_t>(nanos);
  for (const Unit& unit : kUnits) {
    const uint64_t unit_nanos = unit.seconds * static_cast<uint64_t>(kNanosPerSecond);
    if (size > unit_nanos) {
      return call.Keep(std::to_string(size / unit_nanos) + std::string(unit.name));
    }
  }
  return Datum::String("0s");
}

constexpr int64_t kYearOne = -62'135'596'800;  // Go's zero time.

Datum ParsedDate(Call& call, bool must) {
  Location& local = call.runtime().local();
  const auto parsed = Layout(call.Text(0)).Parse(call.Text(1), local, local);
  if (!parsed && must) return call.Fail("the text does not have this layout");
  DatumTime time;
  time.unix_seconds = parsed ? parsed->unix_seconds : kYearOne;
  time.nanos = parsed ? parsed->nanos : 0;
  time.location = parsed ? &local : nullptr;
  return Datum::Time(call.runtime().pool.Keep(time));
}

Datum UnixEpoch(Call& call) {
  return call.Keep(std::to_string(call[0].time().unix_seconds));
}

constexpr TemplateFunction kFunctions[] = {
    {"ago", "a", Ago},
    {"date", "sa", Date},
    {"dateInZone", "sas", InZone},
    {"dateModify", "st", DateModify},
    {"date_in_zone", "sas", InZone},
    {"date_modify", "st", DateModify},
    {"duration", "a", Duration},
    {"durationRound", "a", DurationRound},
    {"htmlDate", "a", HtmlDate},
    {"htmlDateInZone", "as", HtmlDateInZone},
    {"mustDateModify", "st", MustDateModify},
    {"mustToDate", "ss", [](Call& call) { return ParsedDate(call, /*must=*/true); }},
    {"must_date_modify", "st", MustDateModify},
    {"now", "", [](Call& call) { return Datum::Time(call.runtime().pool.Keep(Now(call))); }},
    {"toDate", "ss", [](Call& call) { return ParsedDate(call, /*must=*/false); }},
    {"unixEpoch", "t", UnixEpoch},
};

enum class TimePart : uint8_t { kYear, kMonth, kDay, kHour, kMinute, kSecond, kWeekday, kYearDay };

Datum PartOf(const DatumTime& time, TimePart part) {
  const int64_t local = ToParsed(time).LocalSeconds();
  const int64_t days = FloorDiv(local, kSecondsPerDay);
  const CivilDate date = CivilFromDays(days);
  const int64_t second = local - days * kSecondsPerDay;
  switch (part) {
    case TimePart::kYear:
      return Datum::Int(date.year);
    case TimePart::kMonth:
      return Datum::Integer(Datum::Kind::kMonth, date.month);
    case TimePart::kDay:
      return Datum::Int(date.day);
    case TimePart::kHour:
      return Datum::Int(second / 3600);
    case TimePart::kMinute:
      return Datum::Int(second / 60 % 60);
    case TimePart::kSecond:
      return Datum::Int(second % 60);
    case TimePart::kWeekday:
      return Datum::Integer(Datum::Kind::kWeekday, ((days + 4) % 7 + 7) % 7);
    case TimePart::kYearDay:
      break;
  }
  return Datum::Int(days - DaysFromCivil(date.year, 1, 1) + 1);
}

struct PartName {
  std::string_view name;
  TimePart part;
};
constexpr PartName kParts[] = {
    {"Day", TimePart::kDay},     {"Hour", TimePart::kHour},       {"Minute", TimePart::kMinute},
    {"Month", TimePart::kMonth}, {"Second", TimePart::kSecond},   {"Weekday", TimePart::kWeekday},
    {"Year", TimePart::kYear},   {"YearDay", TimePart::kYearDay},
};

bool CallTimeMethod(const DatumTime& time, std::string_view name, Call& call, Datum& result) {
  for (const PartName& part : kParts) {
    if (part.name != name) continue;
    result = PartOf(time, part.part);
    return call.size() == 0;
  }
  if (name == "Format" && call.size() == 1 && call[0].is_string()) {
    result = call.Keep(Formatted(call.Text(0), time));
    return true;
  }
  if (call.size() != 0) return false;
  DatumTime moved = time;
  const int64_t nanos = NanosOf(time);
  if (name == "Unix") {
    result = Datum::Int64(time.unix_seconds);
  } else if (name == "UnixMilli") {
    result = Datum::Int64(FloorDiv(nanos, kNanosPerMilli));
  } else if (name == "UnixMicro") {
    result = Datum::Int64(FloorDiv(nanos, 1000));
  } else if (name == "UnixNano") {
    result = Datum::Int64(nanos);
  } else if (name == "Nanosecond") {
    result = Datum::Int(time.nanos);
  } else if (name == "String") {
    result = call.Keep(ToText(Datum::Time(&time)));
  } else if (name == "UTC" || name == "Local") {
    moved.location = name == "UTC" ? nullptr : &call.runtime().local();
    result = Datum::Time(call.runtime().pool.Keep(moved));
  } else {
    return false;
  }
  return true;
}

bool CallVersionMethod(const DatumVersion& version, std::string_view name, Call& call,
                       Datum& result) {
  if (call.size() != 0) return false;
  if (name == "Major") {
    result = Datum::Int64(version.major);
  } else if (name == "Minor") {
    result = Datum::Int64(version.minor);
  } else if (name == "Patch") {
    result = Datum::Int64(version.patch);
  } else if (name == "Prerelease") {
    result = Datum::String(version.prerelease);
  } else if (name == "Metadata") {
    result = Datum::String(version.metadata);
  } else if (name == "Original") {
    result = Datum::String(version.original);
  } else if (name == "String") {
    result = call.Keep(ToText(Datum::Version(&version)));
  } else {
    return false;
  }
  return true;
}

}  // namespace

bool CallMethod(const Datum& receiver, std::string_view name, Call& call, Datum& result) {
  if (receiver.kind() == Datum::Kind::kTime) {
    return CallTimeMethod(receiver.time(), name, call, result);
  }
  return CallVersionMethod(receiver.version(), name, call, result);
}

std::span<const TemplateFunction> DateFunctions() {
  return kFunctions;
}

}  // namespace agent
