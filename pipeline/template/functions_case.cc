// Functions that change the case of letters.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/unicode.h"
#include "base/utf8.h"
#include "pipeline/template/functions.h"

namespace agent {
namespace {

Datum Lower(Call& call) {
  std::string text;
  AppendLower(call.Text(0), text);
  return call.Keep(std::move(text));
}

Datum Upper(Call& call) {
  std::string text;
  AppendUpper(call.Text(0), text);
  return call.Keep(std::move(text));
}

bool IsAsciiWordRune(char32_t rune) {
  return (rune >= 'a' && rune <= 'z') || (rune >= 'A' && rune <= 'Z') ||
         (rune >= '0' && rune <= '9') || rune == '_';
}

// Beyond ASCII only white space separates words.
bool SeparatesWords(char32_t rune) {
  return rune < 0x80 ? !IsAsciiWordRune(rune) : IsUnicodeSpace(rune);
}

// Letters that are two in one have a form of their own for the beginning of a word.
char32_t RuneToTitle(char32_t rune) {
  if (rune >= 0x1C4 && rune <= 0x1CC) return 0x1C5 + (rune - 0x1C4) / 3 * 3;
  if (rune >= 0x1F1 && rune <= 0x1F3) return 0x1F2;
  if (rune >= 0x10D0 && rune <= 0x10FF) return rune;  // Georgian has no titles.
  return RuneToUpper(rune);
}

Datum Title(Call& call) {
  std::u32string runes = ToRunes(call.Text(0));
  char32_t previous = ' ';
  for (char32_t& rune : runes) {
    const char32_t original = rune;
    if (SeparatesWords(previous)) rune = RuneToTitle(rune);
    previous = original;
  }
  return call.Keep(FromRunes(runes));
}

Datum Untitle(Call& call) {
  std::u32string runes = ToRunes(call.Text(0));
  bool first = true;
  for (char32_t& rune : runes) {
    const bool space = IsUnicodeSpace(rune);
    if (first && !space) rune = RuneToLower(rune);
    first = space;
  }
  return call.Keep(FromRunes(runes));
}

Datum SwapCase(Call& call) {
  std::u32string runes = ToRunes(call.Text(0));
  bool begins_word = true;
  for (char32_t& rune : runes) {
    if (IsUpperRune(rune)) {
      rune = RuneToLower(rune);
      begins_word = false;
    } else if (IsLowerRune(rune)) {
      rune = begins_word ? RuneToTitle(rune) : RuneToUpper(rune);
      begins_word = false;
    } else {
      begins_word = IsUnicodeSpace(rune);
    }
  }
  return call.Keep(FromRunes(runes));
}

// Sprig's library takes each byte for a character of its own.
Datum Initials(Call& call) {
  std::string initials;
  bool after_gap = true;
  for (const char c : call.Text(0)) {
    const auto rune = static_cast<char32_t>(static_cast<unsigned char>(c));
    const bool space = IsUnicodeSpace(rune);
    if (after_gap && !space) AppendUtf8(rune, initials);
    after_gap = space;
  }
  return call.Keep(std::move(initials));
}

constexpr TemplateFunction kFunctions[] = {
    {"ToLower", "s", Lower},   {"ToUpper", "s", Upper},     {"initials", "s", Initials},
    {"lower", "s", Lower},     {"swapcase", "s", SwapCase}, {"title", "s", Title},
    {"untitle", "s", Untitle}, {"upper", "s", Upper},
};

}  // namespace

std::span<const TemplateFunction> CaseFunctions() {
  return kFunctions;
}

}  // namespace agent
