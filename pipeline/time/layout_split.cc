// Finds the elements in a Go layout.

#include <cstddef>

#include "pipeline/time/layout.h"

namespace agent {

const std::string_view kMonthNames[12] = {"January",   "February", "March",    "April",
                                          "May",       "June",     "July",     "August",
                                          "September", "October",  "November", "December"};
const std::string_view kDayNames[7] = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                       "Thursday", "Friday", "Saturday"};

namespace {

using Element = Layout::Element;
using Step = Layout::Step;

struct Word {
  std::string_view text;
  Element element;
};

// In the order in which they are tried; a longer word stands before its own beginning.
constexpr Word kWords[] = {
    {"January", Element::kLongMonth},
    {"Jan", Element::kMonth},
    {"Monday", Element::kLongWeekDay},
    {"Mon", Element::kWeekDay},
    {"MST", Element::kZoneName},
    {"01", Element::kZeroMonth},
    {"02", Element::kZeroDay},
    {"03", Element::kZeroHour12},
    {"04", Element::kZeroMinute},
    {"05", Element::kZeroSecond},
    {"06", Element::kYear},
    {"002", Element::kZeroYearDay},
    {"15", Element::kHour},
    {"1", Element::kNumMonth},
    {"2006", Element::kLongYear},
    {"2", Element::kDay},
    {"_2", Element::kUnderDay},
    {"__2", Element::kUnderYearDay},
    {"3", Element::kHour12},
    {"4", Element::kMinute},
    {"5", Element::kSecond},
    {"PM", Element::kUpperPm},
    {"pm", Element::kLowerPm},
};

struct OffsetWord {
  std::string_view text;  // After "-" or "Z".
  bool colons;
  uint8_t parts;
};
constexpr OffsetWord kOffsets[] = {
    {"070000", false, 3}, {"07:00:00", true, 3}, {"0700", false, 2},
    {"07:00", true, 2},   {"07", false, 1},
};

bool IsDigit(char c) {
  return c >= '0' && c <= '9';
}

struct Found {
  Step step;
  std::size_t size = 0;  // 0: nothing here.
};

Found FindWord(std::string_view layout) {
  // "_2006" is an underscore and a year.
  if (layout.starts_with("_2006")) return {};
  for (const Word& word : kWords) {
    if (!layout.starts_with(word.text)) continue;
    const bool short_name = word.element == Element::kMonth || word.element == Element::kWeekDay;
    const bool goes_on = layout.size() > word.text.size() && layout[word.text.size()] >= 'a' &&
                         layout[word.text.size()] <= 'z';
    if (short_name && goes_on) continue;  // "Month" is no "Mon".
    Found found;
    found.step.element = word.element;
    found.size = word.text.size();
    return found;
  }
  return {};
}

Found FindOffset(std::string_view layout) {
  if (layout[0] != '-' && layout[0] != 'Z') return {};
  for (const OffsetWord& word : kOffsets) {
    if (!layout.substr(1).starts_with(word.text)) continue;
    Found found;
    found.step.element = Element::kOffset;
    found.step.z_for_utc = layout[0] == 'Z';
    found.step.colons = word.colons;
    found.step.parts = word.parts;
    found.size = 1 + word.text.size();
    return found;
  }
  return {};
}

Found FindFraction(std::string_view layout) {
  if ((layout[0] != '.' && layout[0] != ',') || layout.size() < 2) return {};
  if (layout[1] != '0' && layout[1] != '9') return {};
  std::size_t end = layout.find_first_not_of(layout[1], 1);
  if (end == std::string_view::npos) end = layout.size();
  if (end < layout.size() && IsDigit(layout[end])) return {};
  Found found;
  found.step.element = layout[1] == '0' ? Element::kFraction : Element::kFractionShort;
  found.step.digits = static_cast<uint8_t>(end - 1 < 255 ? end - 1 : 255);
  found.step.separator = layout[0];
  found.size = end;
  return found;
}

Found FindElement(std::string_view layout) {
  Found found = FindOffset(layout);
  if (found.size == 0) found = FindFraction(layout);
  if (found.size == 0) found = FindWord(layout);
  return found;
}

}  // namespace

std::vector<Step> SplitLayout(std::string_view layout) {
  std::vector<Step> steps;
  std::string literal;
  const auto end_literal = [&] {
    if (literal.empty()) return;
    Step step;
    step.text = std::move(literal);
    steps.push_back(std::move(step));
    literal.clear();
  };
  while (!layout.empty()) {
    Found found = FindElement(layout);
    if (found.size == 0) {
      literal.push_back(layout.front());
      layout.remove_prefix(1);
      continue;
    }
    end_literal();
    steps.push_back(std::move(found.step));
    layout.remove_prefix(found.size);
  }
  end_literal();

  // A fraction may follow a second unasked, unless the layout names one.
  bool fraction_next = false;
  for (std::size_t i = steps.size(); i-- > 0;) {
    Step& step = steps[i];
    step.fraction_later = fraction_next;
    if (step.element == Element::kLiteral) continue;
    fraction_next = step.element == Element::kFraction || step.element == Element::kFractionShort;
  }
  return steps;
}

}  // namespace agent
