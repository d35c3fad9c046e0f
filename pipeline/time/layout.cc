#include "pipeline/time/layout.h"

#include <algorithm>
#include <charconv>
#include <cstddef>

#include "pipeline/time/civil.h"

namespace agent {
namespace {

using Element = Layout::Element;
using Step = Layout::Step;

bool IsDigit(char c) {
  return static_cast<unsigned char>(c - '0') < 10;
}
bool IsSeparator(char c) {
  return c == '.' || c == ',';
}
char Lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
}

// Reads a text by the steps of a layout. Every Take… removes what it has read from the front and
// returns false when the front is something else or out of range.
class LayoutReader {
 public:
  explicit LayoutReader(std::string_view text) : text_(text) {}

  bool Take(const Step& step);
  [[nodiscard]] bool at_end() const { return text_.empty(); }
  // After the last step: fits day and year together. Hours by AM and PM too.
  bool Settle();
  ParsedTime Resolve(Location& location, Location& names) const;

 private:
  bool TakeDateElement(const Step& step);
  bool TakeClockElement(const Step& step);
  bool TakeLiteral(std::string_view literal);
  bool TakeNumber(bool two_digits, int& number);
  bool TakeYearDay(const Step& step);
  bool TakeYear(std::size_t digits);
  bool TakeName(const std::string_view* names, int count, std::size_t length, int& index);
  bool TakeSecond(const Step& step);
  bool TakeFraction(const Step& step);
  bool TakeNanos(std::size_t size);
  bool TakeAmPm(std::string_view pm, std::string_view am);
  bool TakeOffset(const Step& step);
  bool TakeZoneName();
  bool SettleYearDay();

  std::string_view text_;
  int year_ = 0;
  int month_ = -1;
  int day_ = -1;
  int year_day_ = -1;
  int hour_ = 0;
  int minute_ = 0;
  int second_ = 0;
  int nanos_ = 0;
  bool am_ = false;
  bool pm_ = false;
  bool utc_ = false;
  int offset_ = -1;  // As in Go, -1 means none: "-00:00:01" is lost.
  std::string_view zone_name_;
};

// Spaces in a layout stand for any number of spaces, none included at the end of the text.
bool LayoutReader::TakeLiteral(std::string_view literal) {
  std::size_t i = 0;
  while (i < literal.size()) {
    if (literal[i] == ' ') {
      if (!text_.empty() && text_.front() != ' ') return false;
      while (i < literal.size() && literal[i] == ' ')
        ++i;
      while (!text_.empty() && text_.front() == ' ')
        text_.remove_prefix(1);
      continue;
    }
    if (text_.empty() || text_.front() != literal[i]) return false;
    text_.remove_prefix(1);
    ++i;
  }
  return true;
}

bool LayoutReader::TakeNumber(bool two_digits, int& number) {
  if (text_.empty() || !IsDigit(text_[0])) return false;
  number = text_[0] - '0';
  if (text_.size() >= 2 && IsDigit(text_[1])) {
    number = number * 10 + (text_[1] - '0');
    text_.remove_prefix(2);
    return true;
  }
  text_.remove_prefix(1);
  return !two_digits;
}

bool LayoutReader::TakeYearDay(const Step& step) {
  const bool under = step.element == Element::kUnderYearDay;
  for (int i = 0; under && i < 2; ++i) {
    if (!text_.empty() && text_.front() == ' ') text_.remove_prefix(1);
  }
  std::size_t digits = 0;
  year_day_ = 0;
  while (digits < 3 && digits < text_.size() && IsDigit(text_[digits])) {
    year_day_ = year_day_ * 10 + (text_[digits++] - '0');
  }
  text_.remove_prefix(digits);
  return digits == 3 || (under && digits > 0);
}

bool LayoutReader::TakeYear(std::size_t digits) {
  if (text_.size() < digits) return false;
  // Go reads two characters as a number, which may have a sign: "+5" is 2005, "-5" is 1995.
  std::size_t i = digits == 2 && (text_[0] == '+' || text_[0] == '-') ? 1 : 0;
  const bool negative = text_[0] == '-';
  year_ = 0;
  for (; i < digits; ++i) {
    if (!IsDigit(text_[i])) return false;
    year_ = year_ * 10 + (text_[i] - '0');
  }
  if (negative) year_ = -year_;
  if (digits == 2) year_ += year_ >= 69 ? 1900 : 2000;
  text_.remove_prefix(digits);
  return true;
}

bool LayoutReader::TakeName(const std::string_view* names, int count, std::size_t length,
                            int& index) {
  for (int i = 0; i < count; ++i) {
    const std::string_view name = names[i].substr(0, length);
    if (text_.size() < name.size()) continue;
    const auto same = [](char a, char b) { return Lower(a) == Lower(b); };
    if (!std::equal(name.begin(), name.end(), text_.begin(), same)) continue;
    text_.remove_prefix(name.size());
    index = i;
    return true;
  }
  return false;
}

bool LayoutReader::TakeNanos(std::size_t size) {
  // Go reads the fraction as a number, which may have a sign in place of its first digit.
  const bool negative = text_[1] == '-';
  nanos_ = 0;
  int scale = static_cast<int>(kNanosPerSecond);
  for (std::size_t i = 1; i < size && scale > 1; ++i) {  // Past nanoseconds nothing is looked at.
    scale /= 10;
    const bool sign = i == 1 && (text_[i] == '+' || text_[i] == '-');
    if (!IsDigit(text_[i]) && !sign) return false;
    if (!sign) nanos_ += (text_[i] - '0') * scale;
  }
  text_.remove_prefix(size);
  return !negative || nanos_ == 0;
}

bool LayoutReader::TakeFraction(const Step& step) {
  if (step.element == Element::kFraction) {
    const std::size_t size = std::size_t{1} + step.digits;
    return text_.size() >= size && IsSeparator(text_[0]) && TakeNanos(size);
  }
  if (text_.size() < 2 || !IsSeparator(text_[0]) || !IsDigit(text_[1])) return true;
  std::size_t size = 2;
  while (size < text_.size() && IsDigit(text_[size]))
    ++size;
  return TakeNanos(size);
}

bool LayoutReader::TakeSecond(const Step& step) {
  if (!TakeNumber(step.element == Element::kZeroSecond, second_) || second_ >= 60) return false;
  if (step.fraction_later) return true;
  Step any_fraction;
  any_fraction.element = Element::kFractionShort;
  return TakeFraction(any_fraction);
}

bool LayoutReader::TakeAmPm(std::string_view pm, std::string_view am) {
  if (text_.starts_with(pm)) {
    pm_ = true;
  } else if (text_.starts_with(am)) {
    am_ = true;
  } else {
    return false;
  }
  text_.remove_prefix(2);
  return true;
}

bool LayoutReader::TakeOffset(const Step& step) {
  if (step.z_for_utc && text_.starts_with("Z")) {
    utc_ = true;
    text_.remove_prefix(1);
    return true;
  }
  if (text_.empty() || (text_[0] != '+' && text_[0] != '-')) return false;
  const bool negative = text_[0] == '-';
  text_.remove_prefix(1);
  constexpr int kLimits[3] = {24, 60, 60};  // As Go: people do write 24 hours.
  int parts[3] = {0, 0, 0};
  for (uint8_t i = 0; i < step.parts; ++i) {
    if (i > 0 && step.colons) {
      if (!text_.starts_with(":")) return false;
      text_.remove_prefix(1);
    }
    if (!TakeNumber(true, parts[i]) || parts[i] > kLimits[i]) return false;
  }
  offset_ = (parts[0] * 60 + parts[1]) * 60 + parts[2];
  if (negative) offset_ = -offset_;
  return true;
}

// The length of "+3" or "-11" at the front; 0 when it is not there or over 23.
std::size_t SignedHoursLength(std::string_view text) {
  if (text.empty() || (text[0] != '+' && text[0] != '-')) return 0;
  std::size_t end = 1;
  int hours = 0;
  for (; end < text.size() && IsDigit(text[end]); ++end) {
    hours = std::min(hours * 10 + (text[end] - '0'), 1000);
  }
  return end > 1 && hours <= 23 ? end : 0;
}

// The length of what looks like a zone's abbreviation; 0 when nothing does.
std::size_t ZoneNameLength(std::string_view text) {
  if (text.size() < 3) return 0;
  if (text.starts_with("ChST") || text.starts_with("MeST")) return 4;
  if (text.starts_with("GMT")) return 3 + SignedHoursLength(text.substr(3));
  if (text[0] == '+' || text[0] == '-') return SignedHoursLength(text);
  std::size_t upper = 0;
  while (upper < 6 && upper < text.size() && text[upper] >= 'A' && text[upper] <= 'Z')
    ++upper;
  if (upper == 3) return 3;
  if (upper == 4 && (text[3] == 'T' || text.starts_with("WITA"))) return 4;
  return upper == 5 && text[4] == 'T' ? 5 : 0;
}

bool LayoutReader::TakeZoneName() {
  if (text_.starts_with("UTC")) {
    utc_ = true;
    text_.remove_prefix(3);
    return true;
  }
  const std::size_t length = ZoneNameLength(text_);
  zone_name_ = text_.substr(0, length);
  text_.remove_prefix(length);
  return length > 0;
}

bool LayoutReader::TakeDateElement(const Step& step) {
  switch (step.element) {
    case Element::kLongYear:
      return TakeYear(4);
    case Element::kYear:
      return TakeYear(2);
    case Element::kLongMonth:
    case Element::kMonth: {
      const std::size_t length = step.element == Element::kMonth ? 3 : std::string_view::npos;
      if (!TakeName(kMonthNames, 12, length, month_)) return false;
      ++month_;
      return true;
    }
    case Element::kNumMonth:
    case Element::kZeroMonth:
      return TakeNumber(step.element == Element::kZeroMonth, month_) && month_ >= 1 && month_ <= 12;
    case Element::kLongWeekDay:
    case Element::kWeekDay: {
      int ignored = 0;
      return TakeName(kDayNames, 7, step.element == Element::kWeekDay ? 3 : std::string_view::npos,
                      ignored);
    }
    case Element::kUnderDay:
      if (!text_.empty() && text_.front() == ' ') text_.remove_prefix(1);
      return TakeNumber(false, day_);
    case Element::kDay:
    case Element::kZeroDay:
      return TakeNumber(step.element == Element::kZeroDay, day_);
    default:
      return TakeYearDay(step);
  }
}

bool LayoutReader::TakeClockElement(const Step& step) {
  switch (step.element) {
    case Element::kHour:
      return TakeNumber(false, hour_) && hour_ < 24;
    case Element::kHour12:
    case Element::kZeroHour12:
      return TakeNumber(step.element == Element::kZeroHour12, hour_) && hour_ <= 12;
    case Element::kMinute:
    case Element::kZeroMinute:
      return TakeNumber(step.element == Element::kZeroMinute, minute_) && minute_ < 60;
    case Element::kSecond:
    case Element::kZeroSecond:
      return TakeSecond(step);
    case Element::kUpperPm:
      return TakeAmPm("PM", "AM");
    case Element::kLowerPm:
      return TakeAmPm("pm", "am");
    case Element::kZoneName:
      return TakeZoneName();
    case Element::kOffset:
      return TakeOffset(step);
    default:
      return TakeFraction(step);
  }
}

bool LayoutReader::Take(const Step& step) {
  if (step.element == Element::kLiteral) return TakeLiteral(step.text);
  const bool is_date =
      (step.element >= Element::kLongMonth && step.element <= Element::kZeroYearDay) ||
      step.element == Element::kLongYear || step.element == Element::kYear;
  return is_date ? TakeDateElement(step) : TakeClockElement(step);
}

bool LayoutReader::SettleYearDay() {
  if (year_day_ < 1 || year_day_ > (IsLeapYear(year_) ? 366 : 365)) return false;
  const CivilDate date = CivilFromDays(DaysFromCivil(year_, 1, 1) + year_day_ - 1);
  if (month_ >= 0 && month_ != date.month) return false;
  if (day_ >= 0 && day_ != date.day) return false;
  month_ = date.month;
  day_ = date.day;
  return true;
}

bool LayoutReader::Settle() {
  if (pm_ && hour_ < 12) {
    hour_ += 12;
  } else if (am_ && hour_ == 12) {
    hour_ = 0;
  }
  if (year_day_ >= 0 && !SettleYearDay()) return false;
  if (month_ < 0) month_ = 1;
  if (day_ < 0) day_ = 1;
  return day_ >= 1 && day_ <= DaysInMonth(year_, month_);
}

// "+3", "-12"; 0 for what is none.
int HoursOf(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);
  int hours = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), hours);
  return error == std::errc() && end == text.data() + text.size() ? hours : 0;
}

ParsedTime LayoutReader::Resolve(Location& location, Location& names) const {
  const int64_t local =
      DaysFromCivil(year_, month_, day_) * kSecondsPerDay + SecondOfDay(hour_, minute_, second_);
  ParsedTime time;
  time.nanos = nanos_;
  time.unix_seconds = local;
  if (utc_) return time;
  if (offset_ != -1) {
    time.unix_seconds -= offset_;
    time.offset_seconds = offset_;
    time.fixed_zone = true;
    time.zone_name = zone_name_;
    return time;
  }
  if (!zone_name_.empty()) {
    if (const auto offset = names.OffsetOf(zone_name_, local)) {
      time.unix_seconds -= *offset;
      time.location = &names;
      return time;
    }
    // Unknown names count as UTC; the number of "GMT+3" matters only where the time is shown.
    time.fixed_zone = true;
    time.zone_name = zone_name_;
    if (zone_name_.starts_with("GMT")) time.offset_seconds = HoursOf(zone_name_.substr(3)) * 3600;
    return time;
  }
  time.unix_seconds = location.FromLocal(local);
  time.location = &location;
  return time;
}

}  // namespace

Layout::Layout(std::string_view layout) : steps_(SplitLayout(layout)) {}

std::optional<ParsedTime> Layout::Parse(std::string_view text, Location& location,
                                        Location& names) const {
  LayoutReader reader(text);
  for (const Step& step : steps_) {
    if (!reader.Take(step)) return std::nullopt;
  }
  if (!reader.at_end() || !reader.Settle()) return std::nullopt;
  return reader.Resolve(location, names);
}

bool Layout::has_elements() const {
  return std::any_of(steps_.begin(), steps_.end(),
                     [](const Step& step) { return step.element != Element::kLiteral; });
}

}  // namespace agent
