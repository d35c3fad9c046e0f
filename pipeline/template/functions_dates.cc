// Times and durations.

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/go_format.h"
#include "pipeline/template/convert.h"
#include "pipeline/template/datum_time.h"
#include "pipeline/template/functions.h"
#include "pipeline/time/civil.h"
#include "pipeline/time/layout.h"
#include "pipeline/time/location.h"

namespace agent {
namespace {

using std::chrono::nanoseconds;

DatumTime Now(Call& call) {
  return TimeFromNanos(call.runtime().clock.WallNanos(), &call.runtime().local());
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

Datum DateInZone(Call& call, std::string_view layout, const Datum& date, std::string_view zone) {
  DatumTime time = TimeOf(date, call);
  if (zone == "Local") {
    time.location = &call.runtime().local();
    return call.Keep(FormatTime(layout, time));
  }
  Result<std::unique_ptr<Location>> location = Location::Load(zone);
  time.location = location.ok() ? location->get() : nullptr;  // Unknown zones count as UTC.
  time.offset_seconds = 0;
  time.fixed_zone = false;
  return call.Keep(FormatTime(layout, time));
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

Datum MovedBy(Call& call, nanoseconds duration) {
  return Datum::Time(call.runtime().pool.Keep(Moved(call[1].time(), duration.count())));
}

Datum DateModify(Call& call) {
  const Result<nanoseconds> duration = ParseGoDuration(call.Text(0));
  return duration.ok() ? MovedBy(call, *duration) : call[1];
}

Datum MustDateModify(Call& call) {
  const Result<nanoseconds> duration = ParseGoDuration(call.Text(0));
  return duration.ok() ? MovedBy(call, *duration) : call.Fail(duration.error().message);
}

// As far as 64 bits of nanoseconds go.
int64_t NanosSince(const DatumTime& time, Call& call) {
  int64_t elapsed = 0;
  const int64_t then = NanosOf(time);
  if (!__builtin_sub_overflow(call.runtime().clock.WallNanos(), then, &elapsed)) return elapsed;
  return then < 0 ? std::numeric_limits<int64_t>::max() : std::numeric_limits<int64_t>::min();
}

Datum Ago(Call& call) {
  const DatumTime time = call[0].kind() == Datum::Kind::kInt32 ? Now(call) : TimeOf(call[0], call);
  const int64_t elapsed = NanosSince(time, call);
  const int64_t rest = elapsed % kNanosPerSecond;
  const int64_t round = rest >= kNanosPerSecond / 2 ? 1 : rest <= -kNanosPerSecond / 2 ? -1 : 0;
  const int64_t seconds = elapsed / kNanosPerSecond + round;
  return call.Keep(FormatGoDuration(std::chrono::seconds(seconds)));
}

Datum Duration(Call& call) {
  int64_t seconds = 0;
  if (call[0].kind() == Datum::Kind::kInt64) seconds = call.Int(0);
  // Unlike elsewhere, only decimal digits are read.
  if (call[0].is_string()) seconds = ParseDecimal(call.Text(0));
  const auto nanos = static_cast<uint64_t>(seconds) * static_cast<uint64_t>(kNanosPerSecond);
  return call.Keep(FormatGoDuration(nanoseconds(static_cast<int64_t>(nanos))));
}

// The largest unit that fits more than once, roughly.
Datum DurationRound(Call& call) {
  int64_t nanos = 0;
  if (call[0].kind() == Datum::Kind::kInt64) nanos = call.Int(0);
  if (call[0].kind() == Datum::Kind::kTime) {
    nanos = NanosSince(call[0].time(), call);
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

// In the zone that the text gives; where that is the machine's own, in that.
Datum ParsedDate(Call& call, bool must) {
  Location& local = call.runtime().local();
  const auto parsed = Layout(call.Text(0)).Parse(call.Text(1), local, local);
  if (!parsed && must) return call.Fail("the text does not have this layout");
  DatumTime time;
  time.unix_seconds = kYearOne;
  if (parsed) {
    time = TimeFromParsed(*parsed);
    const Location::Period& period = local.At(time.unix_seconds);
    if (time.fixed_zone && period.offset_seconds == time.offset_seconds &&
        (time.zone_name.empty() || time.zone_name == period.abbreviation)) {
      time.location = &local;
    }
  }
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

}  // namespace

std::span<const TemplateFunction> DateFunctions() {
  return kFunctions;
}

}  // namespace agent
