#include "base/unicode.h"

#include <algorithm>
#include <span>

#include "base/case_tables.h"
#include "base/utf8.h"

namespace agent {
namespace {

char32_t Map(std::span<const CaseRange> table, char32_t rune) {
  const auto starts_after = [](char32_t value, const CaseRange& range) {
    return value < range.first;
  };
  auto range = std::upper_bound(table.begin(), table.end(), rune, starts_after);
  // A range may lie in the gaps of the one before it.
  for (int back = 0; back < 3 && range != table.begin(); ++back) {
    --range;
    if (rune <= range->last && (rune - range->first) % range->stride == 0) {
      return static_cast<char32_t>(static_cast<int32_t>(rune) + range->delta);
    }
  }
  return rune;
}

template <typename MapAscii, typename MapRune>
void AppendMapped(std::string_view text, MapAscii map_ascii, MapRune map_rune, std::string& out) {
  const std::size_t start = out.size();
  out.resize(start + text.size());
  std::transform(text.begin(), text.end(), out.begin() + static_cast<std::ptrdiff_t>(start),
                 map_ascii);
  const auto is_ascii = [](char c) { return static_cast<unsigned char>(c) < 0x80; };
  if (std::all_of(text.begin(), text.end(), is_ascii)) return;

  out.resize(start);
  for (std::string_view rest = text; !rest.empty();) {
    const DecodedRune decoded = DecodeRune(rest);
    AppendUtf8(map_rune(decoded.rune), out);
    rest.remove_prefix(decoded.size);
  }
}

bool IsAsciiSpace(char c) {
  return c == ' ' || (c >= '\t' && c <= '\r');
}

}  // namespace

char32_t RuneToUpper(char32_t rune) {
  if (rune < 0x80) return rune >= 'a' && rune <= 'z' ? rune - 32 : rune;
  return Map(kToUpper, rune);
}

char32_t RuneToLower(char32_t rune) {
  if (rune < 0x80) return rune >= 'A' && rune <= 'Z' ? rune + 32 : rune;
  return Map(kToLower, rune);
}

bool IsUnicodeSpace(char32_t rune) {
  if (rune < 0x80) return IsAsciiSpace(static_cast<char>(rune));
  return rune == 0x85 || rune == 0xA0 || rune == 0x1680 || (rune >= 0x2000 && rune <= 0x200A) ||
         rune == 0x2028 || rune == 0x2029 || rune == 0x202F || rune == 0x205F || rune == 0x3000;
}

void AppendUpper(std::string_view text, std::string& out) {
  const auto ascii = [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; };
  AppendMapped(text, ascii, RuneToUpper, out);
}

void AppendLower(std::string_view text, std::string& out) {
  const auto ascii = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  AppendMapped(text, ascii, RuneToLower, out);
}

std::string_view TrimUnicodeSpace(std::string_view text) {
  while (!text.empty()) {
    const DecodedRune decoded = DecodeRune(text);
    if (!IsUnicodeSpace(decoded.rune)) break;
    text.remove_prefix(decoded.size);
  }
  while (!text.empty()) {
    // The last rune begins at most four bytes before the end.
    std::size_t size = 1;
    while (size < 4 && size < text.size() &&
           (static_cast<unsigned char>(text[text.size() - size]) & 0xC0) == 0x80) {
      ++size;
    }
    const DecodedRune decoded = DecodeRune(text.substr(text.size() - size));
    if (decoded.size != size || !IsUnicodeSpace(decoded.rune)) break;
    text.remove_suffix(size);
  }
  return text;
}

std::u32string ToRunes(std::string_view text) {
  std::u32string runes;
  while (!text.empty()) {
    const DecodedRune decoded = DecodeRune(text);
    runes.push_back(decoded.rune);
    text.remove_prefix(decoded.size);
  }
  return runes;
}

std::string FromRunes(std::u32string_view runes) {
  std::string text;
  for (const char32_t rune : runes)
    AppendUtf8(rune, text);
  return text;
}

}  // namespace agent
