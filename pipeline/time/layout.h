// Go's time layouts: the reference time "Mon Jan 2 15:04:05 MST 2006" written the way times shall
// be read. Compiled once into a list of steps.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "pipeline/time/location.h"

namespace agent {

// What a text said, before it is an instant.
struct ParsedTime {
  int64_t unix_seconds = 0;
  int32_t nanos = 0;
  // The zone in which its calendar is read: a location (not owned), or else a fixed offset.
  Location* location = nullptr;
  int32_t offset_seconds = 0;
  bool fixed_zone = false;     // The text gave the offset, or a name; else it is UTC.
  std::string_view zone_name;  // Of a fixed zone, from the text; may be empty.

  // Seconds since 1970 of its calendar and clock, as if they were in UTC.
  [[nodiscard]] int64_t LocalSeconds() const {
    return unix_seconds + (location ? location->At(unix_seconds).offset_seconds : offset_seconds);
  }
};

class Layout {
 public:
  explicit Layout(std::string_view layout);

  // As Go's time.ParseInLocation, or time.Parse when `location` is UTC and `names` the machine's
  // zone: texts without an offset are in `location`, zone abbreviations are looked up in `names`.
  // nullopt: the text does not have this form, or a number is out of its range.
  std::optional<ParsedTime> Parse(std::string_view text, Location& location, Location& names) const;

  // Appends the time as Go's Time.Format does. Nothing of it is ever invalid.
  void Format(const ParsedTime& time, std::string& out) const;

  // Whether any part of it stands for a piece of a time; else it matches only itself.
  [[nodiscard]] bool has_elements() const;

  enum class Element : uint8_t {
    kLiteral,
    kLongMonth,      // January
    kMonth,          // Jan
    kNumMonth,       // 1
    kZeroMonth,      // 01
    kLongWeekDay,    // Monday
    kWeekDay,        // Mon
    kDay,            // 2
    kUnderDay,       // _2
    kZeroDay,        // 02
    kUnderYearDay,   // __2
    kZeroYearDay,    // 002
    kHour,           // 15
    kHour12,         // 3
    kZeroHour12,     // 03
    kMinute,         // 4
    kZeroMinute,     // 04
    kSecond,         // 5
    kZeroSecond,     // 05
    kLongYear,       // 2006
    kYear,           // 06
    kUpperPm,        // PM
    kLowerPm,        // pm
    kZoneName,       // MST
    kOffset,         // -0700 and its like, Z0700 and its like
    kFraction,       // .000
    kFractionShort,  // .999
  };
  struct Step {
    Element element = Element::kLiteral;
    std::string text;             // Of a literal.
    uint8_t digits = 0;           // Of a fraction.
    char separator = '.';         // Of a fraction: '.' or ','.
    bool fraction_later = false;  // Of a second: the next element is a fraction.
    bool z_for_utc = false;       // Of an offset: "Z" stands for 0.
    bool colons = false;          // Of an offset: "-07:00".
    uint8_t parts = 2;            // Of an offset: hours; minutes too; seconds too.
  };

 private:
  std::vector<Step> steps_;
};

// Splits a layout into its elements; the rest are literals.
std::vector<Layout::Step> SplitLayout(std::string_view layout);

extern const std::string_view kMonthNames[12];  // "January"
extern const std::string_view kDayNames[7];     // "Sunday"

}  // namespace agent
