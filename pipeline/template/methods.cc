// The methods of times and versions, as Go has them: `{{ now.Year }}`, `{{ (semver .v).Major }}`.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "pipeline/template/convert.h"
#include "pipeline/template/datum_time.h"
#include "pipeline/template/exec.h"
#include "pipeline/template/functions.h"
#include "pipeline/time/civil.h"

namespace agent {
namespace {

enum class TimePart : uint8_t { kYear, kMonth, kDay, kHour, kMinute, kSecond, kWeekday, kYearDay };

Datum PartOf(const DatumTime& time, TimePart part) {
  const int64_t local = ToParsedTime(time).LocalSeconds();
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

// AddDate: a day that the month does not have counts on into the next one.
DatumTime MovedByDate(const DatumTime& time, Call& call) {
  const int64_t local = ToParsedTime(time).LocalSeconds();
  const int64_t days = FloorDiv(local, kSecondsPerDay);
  const CivilDate date = CivilFromDays(days);
  // Far beyond every calendar; keeps the sums below in range.
  constexpr int64_t kMost = 1'000'000;
  const auto argument = [&](std::size_t i) { return std::clamp(call.Int(i), -kMost, kMost); };
  const int64_t month = date.month - 1 + argument(1);
  const int64_t year = date.year + argument(0) + FloorDiv(month, 12);
  const int month_of_year = static_cast<int>(month - FloorDiv(month, 12) * 12) + 1;
  const int64_t to = DaysFromCivil(year, month_of_year, date.day + argument(2)) * kSecondsPerDay +
                     (local - days * kSecondsPerDay);
  DatumTime moved = time;
  moved.unix_seconds = time.location ? time.location->FromLocal(to) : to - time.offset_seconds;
  return moved;
}

int Order(const DatumTime& a, const DatumTime& b) {
  if (a.unix_seconds != b.unix_seconds) return a.unix_seconds < b.unix_seconds ? -1 : 1;
  return a.nanos == b.nanos ? 0 : a.nanos < b.nanos ? -1 : 1;
}

bool AreIntegers(Call& call) {
  const auto arguments = call.From(0);
  return std::all_of(arguments.begin(), arguments.end(),
                     [](const Datum& argument) { return argument.is_integer(); });
}

bool CallWithArguments(const DatumTime& time, std::string_view name, Call& call, Datum& result) {
  if (call.size() == 1 && call[0].kind() == Datum::Kind::kTime) {
    const int order = Order(time, call[0].time());
    if (name == "Compare") {
      result = Datum::Int(order);
    } else if (name == "Before" || name == "After" || name == "Equal") {
      result = Datum::Bool(order == (name == "Before" ? -1 : name == "After" ? 1 : 0));
    } else {
      return false;
    }
  } else if (name == "Format" && call.size() == 1 && call[0].is_string()) {
    result = call.Keep(FormatTime(call.Text(0), time));
  } else if (name == "Add" && call.size() == 1 && AreIntegers(call)) {
    result = Datum::Time(call.runtime().pool.Keep(Moved(time, call.Int(0))));
  } else if (name == "AddDate" && call.size() == 3 && AreIntegers(call)) {
    result = Datum::Time(call.runtime().pool.Keep(MovedByDate(time, call)));
  } else {
    return false;
  }
  return true;
}

// What the time is in another unit.
bool CallCount(const DatumTime& time, std::string_view name, Datum& result) {
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
  } else {
    return false;
  }
  return true;
}

DatumTime InZone(DatumTime time, Location* location) {
  time.location = location;
  time.offset_seconds = 0;
  time.fixed_zone = false;
  return time;
}

bool CallTimeMethod(const DatumTime& time, std::string_view name, Call& call, Datum& result) {
  if (call.size() > 0) return CallWithArguments(time, name, call, result);
  if (CallCount(time, name, result)) return true;
  for (const PartName& part : kParts) {
    if (part.name != name) continue;
    result = PartOf(time, part.part);
    return true;
  }
  DatumPool& pool = call.runtime().pool;
  if (name == "String") {
    result = call.Keep(ToText(Datum::Time(&time)));
  } else if (name == "UTC") {
    result = Datum::Time(pool.Keep(InZone(time, nullptr)));
  } else if (name == "Local") {
    result = Datum::Time(pool.Keep(InZone(time, &call.runtime().local())));
  } else if (name == "IsZero") {
    result = Datum::Bool(time.unix_seconds == kYearOne && time.nanos == 0);
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

}  // namespace agent
