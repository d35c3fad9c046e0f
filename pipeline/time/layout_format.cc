// Writes times by a Go layout.

#include <algorithm>
#include <string>

#include "pipeline/time/civil.h"
#include "pipeline/time/layout.h"

namespace agent {
namespace {

using Element = Layout::Element;
using Step = Layout::Step;

struct Clocked {
  CivilDate date;
  int64_t days = 0;
  int64_t hour = 0;
  int64_t minute = 0;
  int64_t second = 0;
  int32_t nanos = 0;
  int32_t offset = 0;
  std::string abbreviation;
};

Clocked Split(const ParsedTime& time) {
  Clocked c;
  c.nanos = time.nanos;
  c.offset = time.offset_seconds;
  if (time.location != nullptr) {
    const Location::Period& period = time.location->At(time.unix_seconds);
    c.offset = period.offset_seconds;
    c.abbreviation = period.abbreviation;
  } else {
    c.abbreviation = time.fixed_zone ? time.zone_name : "UTC";
  }
  const int64_t local = time.unix_seconds + c.offset;
  c.days = FloorDiv(local, kSecondsPerDay);
  const int64_t second_of_day = local - c.days * kSecondsPerDay;
  c.date = CivilFromDays(c.days);
  c.hour = second_of_day / 3600;
  c.minute = second_of_day / 60 % 60;
  c.second = second_of_day % 60;
  return c;
}

void AppendPadded(int64_t number, std::size_t width, char pad, std::string& out) {
  const std::string digits = std::to_string(number < 0 ? -number : number);
  if (number < 0) out.push_back('-');
  if (digits.size() < width) out.append(width - digits.size(), pad);
  out.append(digits);
}

void AppendOffset(const Step& step, int32_t offset, std::string& out) {
  if (step.z_for_utc && offset == 0) {
    out.push_back('Z');
    return;
  }
  out.push_back(offset < 0 ? '-' : '+');
  const int32_t size = offset < 0 ? -offset : offset;
  AppendPadded(size / 3600, 2, '0', out);
  if (step.parts < 2) return;
  if (step.colons) out.push_back(':');
  AppendPadded(size / 60 % 60, 2, '0', out);
  if (step.parts < 3) return;
  if (step.colons) out.push_back(':');
  AppendPadded(size % 60, 2, '0', out);
}

// "CET"; a fixed offset without a name is called "+0300".
void AppendZoneName(const Clocked& c, std::string& out) {
  if (!c.abbreviation.empty()) {
    out.append(c.abbreviation);
    return;
  }
  AppendOffset(Step(), c.offset, out);
}

void AppendFraction(const Step& step, int32_t nanos, std::string& out) {
  std::string digits;
  AppendPadded(nanos, 9, '0', digits);
  digits.resize(step.digits, '0');
  if (step.element == Element::kFractionShort) {
    digits.erase(digits.find_last_not_of('0') + 1);
    if (digits.empty()) return;
  }
  out.push_back(step.separator);
  out.append(digits);
}

void AppendDateElement(const Step& step, const Clocked& c, std::string& out) {
  const std::string_view month = kMonthNames[c.date.month - 1];
  const std::string_view day = kDayNames[((c.days + 4) % 7 + 7) % 7];  // 1970-01-01: a Thursday.
  const int64_t year_day = c.days - DaysFromCivil(c.date.year, 1, 1) + 1;
  switch (step.element) {
    case Element::kLongMonth:
      out.append(month);
      break;
    case Element::kMonth:
      out.append(month.substr(0, 3));
      break;
    case Element::kLongWeekDay:
      out.append(day);
      break;
    case Element::kWeekDay:
      out.append(day.substr(0, 3));
      break;
    case Element::kNumMonth:
    case Element::kZeroMonth:
      AppendPadded(c.date.month, step.element == Element::kZeroMonth ? 2 : 1, '0', out);
      break;
    case Element::kDay:
      AppendPadded(c.date.day, 1, '0', out);
      break;
    case Element::kUnderDay:
    case Element::kZeroDay:
      AppendPadded(c.date.day, 2, step.element == Element::kZeroDay ? '0' : ' ', out);
      break;
    case Element::kLongYear:
      AppendPadded(c.date.year, 4, '0', out);
      break;
    case Element::kYear:
      AppendPadded((c.date.year % 100 + 100) % 100, 2, '0', out);
      break;
    default:
      AppendPadded(year_day, 3, step.element == Element::kZeroYearDay ? '0' : ' ', out);
  }
}

void AppendClockElement(const Step& step, const Clocked& c, std::string& out) {
  switch (step.element) {
    case Element::kHour:
      AppendPadded(c.hour, 2, '0', out);
      break;
    case Element::kHour12:
    case Element::kZeroHour12:
      AppendPadded((c.hour + 11) % 12 + 1, step.element == Element::kZeroHour12 ? 2 : 1, '0', out);
      break;
    case Element::kMinute:
    case Element::kZeroMinute:
      AppendPadded(c.minute, step.element == Element::kZeroMinute ? 2 : 1, '0', out);
      break;
    case Element::kSecond:
    case Element::kZeroSecond:
      AppendPadded(c.second, step.element == Element::kZeroSecond ? 2 : 1, '0', out);
      break;
    case Element::kUpperPm:
      out.append(c.hour >= 12 ? "PM" : "AM");
      break;
    case Element::kLowerPm:
      out.append(c.hour >= 12 ? "pm" : "am");
      break;
    case Element::kZoneName:
      AppendZoneName(c, out);
      break;
    case Element::kOffset:
      AppendOffset(step, c.offset, out);
      break;
    default:
      AppendFraction(step, c.nanos, out);
  }
}

}  // namespace

void Layout::Format(const ParsedTime& time, std::string& out) const {
  const Clocked c = Split(time);
  for (const Step& step : steps_) {
    const bool is_date =
        (step.element >= Element::kLongMonth && step.element <= Element::kZeroYearDay) ||
        step.element == Element::kLongYear || step.element == Element::kYear;
    if (step.element == Element::kLiteral) {
      out.append(step.text);
    } else if (is_date) {
      AppendDateElement(step, c, out);
    } else {
      AppendClockElement(step, c, out);
    }
  }
}

}  // namespace agent
