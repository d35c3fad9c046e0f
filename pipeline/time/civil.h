// Calendar arithmetic in the proleptic Gregorian calendar, without time zones.

#pragma once

#include <cstdint>
#include <limits>

#include "base/clock.h"

namespace agent {

struct CivilDate {
  int64_t year = 1970;
  int month = 1;  // 1 to 12.
  int day = 1;    // 1 to 31.
};

constexpr int64_t kSecondsPerDay = 86'400;

constexpr bool IsLeapYear(int64_t year) {
  return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

// Days before the first of a month (1 to 13) in a year that is no leap year.
constexpr int DaysBeforeMonth(int month) {
  constexpr int kBefore[] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365};
  return kBefore[month - 1];
}

constexpr int DaysInMonth(int64_t year, int month) {
  if (month == 2 && IsLeapYear(year)) return 29;
  return DaysBeforeMonth(month + 1) - DaysBeforeMonth(month);
}

// Days since 1970-01-01. The day may lie outside its month: February 30 is March 1 or 2.
constexpr int64_t DaysFromCivil(int64_t year, int month, int64_t day) {
  // Years that begin in March put the leap day at their end; 400 of them have 146,097 days.
  const int64_t y = month > 2 ? year : year - 1;
  const int64_t era = (y >= 0 ? y : y - 399) / 400;
  const int64_t year_of_era = y - era * 400;
  const int64_t month_from_march = month > 2 ? month - 3 : month + 9;
  const int64_t day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
  const int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
  return era * 146'097 + day_of_era - 719'468;
}

constexpr CivilDate CivilFromDays(int64_t days) {
  const int64_t shifted = days + 719'468;
  const int64_t era = (shifted >= 0 ? shifted : shifted - 146'096) / 146'097;
  const int64_t day_of_era = shifted - era * 146'097;
  const int64_t year_of_era =
      (day_of_era - day_of_era / 1'460 + day_of_era / 36'524 - day_of_era / 146'096) / 365;
  const int64_t day_of_year =
      day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const int64_t month_from_march = (5 * day_of_year + 2) / 153;
  CivilDate date;
  date.day = static_cast<int>(day_of_year - (153 * month_from_march + 2) / 5 + 1);
  date.month =
      static_cast<int>(month_from_march < 10 ? month_from_march + 3 : month_from_march - 9);
  date.year = year_of_era + era * 400 + (date.month <= 2 ? 1 : 0);
  return date;
}

constexpr int64_t SecondOfDay(int64_t hour, int64_t minute, int64_t second) {
  return hour * 3600 + minute * 60 + second;
}

// Quotient rounded down; the rest is never negative.
constexpr int64_t FloorDiv(int64_t value, int64_t divisor) {
  const int64_t quotient = value / divisor;
  return value % divisor < 0 ? quotient - 1 : quotient;
}

// Nanoseconds since 1970; the nearest that 64 bits hold where they cannot. `nanos` is 0 to
// 999,999,999.
constexpr int64_t ToUnixNanos(int64_t seconds, int64_t nanos) {
  constexpr int64_t kLast = std::numeric_limits<int64_t>::max() / kNanosPerSecond;  // 2262.
  if (seconds >= kLast) return std::numeric_limits<int64_t>::max();
  if (seconds <= -kLast) return std::numeric_limits<int64_t>::min();
  return seconds * kNanosPerSecond + nanos;
}

}  // namespace agent
