#include "agent/modes/inspect/shown_text.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>

#include "base/utf8.h"

namespace agent {
namespace {

constexpr std::size_t kNoLimit = std::numeric_limits<std::size_t>::max();
constexpr std::string_view kDots = "...";

struct RuneRange {
  char32_t first;
  char32_t last;
};

// Two columns each: East Asian scripts, and most emoji.
constexpr std::array<RuneRange, 11> kWide = {{{0x1100, 0x115F},
                                              {0x2E80, 0x303E},
                                              {0x3041, 0xA4CF},
                                              {0xAC00, 0xD7A3},
                                              {0xF900, 0xFAFF},
                                              {0xFE30, 0xFE6F},
                                              {0xFF00, 0xFF60},
                                              {0xFFE0, 0xFFE6},
                                              {0x1F300, 0x1F64F},
                                              {0x1F900, 0x1F9FF},
                                              {0x20000, 0x3FFFD}}};
constexpr std::array<RuneRange, 3> kCombining = {
    {{0x0300, 0x036F}, {0x20D0, 0x20FF}, {0xFE00, 0xFE0F}}};
// Controls, what has no width, and what changes the direction of writing.
constexpr std::array<RuneRange, 7> kInvisible = {{{0x00, 0x1F},
                                                  {0x7F, 0x9F},
                                                  {0x200B, 0x200F},
                                                  {0x2028, 0x202E},
                                                  {0x2060, 0x206F},
                                                  {0xFEFF, 0xFEFF},
                                                  {0xFFF9, 0xFFFB}}};

template <std::size_t kSize>
bool IsIn(const std::array<RuneRange, kSize>& ranges, char32_t rune) {
  return std::any_of(ranges.begin(), ranges.end(), [rune](const RuneRange& range) {
    return rune >= range.first && rune <= range.last;
  });
}

// "\x1b": two, four or eight digits.
std::string HexEscape(std::string_view prefix, uint32_t value, int digits) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out(prefix);
  for (int shift = 4 * (digits - 1); shift >= 0; shift -= 4)
    out += kDigits[(value >> shift) & 0xFU];
  return out;
}

// The first rune of `text` as it is shown.
std::string ShowRune(std::string_view text, const DecodedRune& rune) {
  if (!rune.valid) return HexEscape("\\x", static_cast<unsigned char>(text[0]), 2);
  if (!IsIn(kInvisible, rune.rune)) return std::string(text.substr(0, rune.size));
  switch (rune.rune) {
    case '\n':
      return "\\n";
    case '\r':
      return "\\r";
    case '\t':
      return "\\t";
    default:
      return rune.rune < 0x80 ? HexEscape("\\x", rune.rune, 2) : HexEscape("\\u", rune.rune, 4);
  }
}

std::size_t ColumnsOfRune(char32_t rune) {
  if (IsIn(kCombining, rune)) return 0;
  return IsIn(kWide, rune) ? 2 : 1;
}

struct ShownPart {
  std::string text;
  std::size_t bytes = 0;  // Of the original that are shown.
};

// As much as fits.
ShownPart ShowPart(std::string_view text, std::size_t columns) {
  ShownPart part;
  std::size_t used = 0;
  while (part.bytes < text.size()) {
    const std::string_view rest = text.substr(part.bytes);
    const DecodedRune rune = DecodeRune(rest);
    const std::string shown = ShowRune(rest, rune);
    const std::size_t width = ColumnsOf(shown);
    if (width > columns - used) break;
    used += width;
    part.text += shown;
    part.bytes += rune.size;
  }
  return part;
}

std::string LengthNote(std::string_view text) {
  std::string note = std::string(kDots) + "(" + std::to_string(text.size()) + " bytes";
  const auto newlines = static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
  const std::size_t lines = newlines + (text.ends_with('\n') ? 0 : 1);
  if (lines > 1) note += ", " + std::to_string(lines) + " lines";
  return note + ")";
}

// From `begin` on, which is not 0 when the start is left out too.
std::string ShowFrom(std::string_view text, std::size_t begin, std::size_t columns) {
  const std::string start(begin > 0 ? kDots : std::string_view());
  const std::string_view rest = text.substr(begin);
  const std::size_t room = columns > start.size() ? columns - start.size() : 0;
  ShownPart part = ShowPart(rest, room);
  if (part.bytes == rest.size() && begin == 0) return part.text;
  const std::string note = LengthNote(text);
  part = ShowPart(rest, room > note.size() ? room - note.size() : 0);
  return start + part.text + note;
}

bool IsContinuation(char c) {
  return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U;
}

}  // namespace

std::size_t ColumnsOf(std::string_view text) {
  std::size_t columns = 0;
  while (!text.empty()) {
    const DecodedRune rune = DecodeRune(text);
    columns += ColumnsOfRune(rune.rune);
    text.remove_prefix(rune.size);
  }
  return columns;
}

std::string ShowText(std::string_view text, std::size_t columns) {
  return ShowFrom(text, 0, columns);
}

std::string ShowQuoted(std::string_view text, std::size_t columns) {
  const bool single =
      text.find('"') != std::string_view::npos && text.find('\'') == std::string_view::npos;
  const std::string quote(single ? "'" : "\"");
  const std::size_t room = columns > 2 ? columns - 2 : 0;
  ShownPart part = ShowPart(text, room);
  if (part.bytes == text.size()) return quote + part.text + quote;
  const std::string note = LengthNote(text);
  part = ShowPart(text, room > note.size() ? room - note.size() : 0);
  return quote + part.text + quote + note;
}

ShownPair ShowDifference(std::string_view before, std::string_view after, std::size_t columns) {
  const std::size_t shorter = std::min(before.size(), after.size());
  const auto same_begin = std::mismatch(
      before.begin(), before.begin() + static_cast<std::ptrdiff_t>(shorter), after.begin());
  const auto prefix = static_cast<std::size_t>(same_begin.first - before.begin());
  std::size_t suffix = 0;
  while (suffix < shorter - prefix &&
         before[before.size() - 1 - suffix] == after[after.size() - 1 - suffix]) {
    ++suffix;
  }
  ShownPair shown;
  shown.is_edit = prefix > 0 && (prefix + suffix) * 2 >= std::max(before.size(), after.size());
  const bool fit = ShowPart(before, columns).bytes == before.size() &&
                   ShowPart(after, columns).bytes == after.size();
  // Something of what stands before the difference tells where it is.
  const std::size_t context = columns / 4;
  std::size_t begin = fit || prefix <= context + kDots.size() ? 0 : prefix - context;
  while (begin > 0 && IsContinuation(before[begin]))
    --begin;
  shown.before = ShowFrom(before, begin, columns);
  shown.after = ShowFrom(after, begin, columns);
  return shown;
}

std::string ShowEnd(std::string_view text, std::size_t columns) {
  std::string whole = ShowPart(text, kNoLimit).text;
  if (ColumnsOf(whole) <= columns) return whole;
  const std::size_t room = columns > kDots.size() ? columns - kDots.size() : 0;
  std::size_t begin = 0;
  while (begin < whole.size() && (IsContinuation(whole[begin]) ||
                                  ColumnsOf(std::string_view(whole).substr(begin)) > room)) {
    ++begin;
  }
  return whole.replace(0, begin, kDots);
}

}  // namespace agent
