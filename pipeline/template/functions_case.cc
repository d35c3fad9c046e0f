// Functions that change the case of a text, or cut it into words by it.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "pipeline/template/functions.h"
#include "pipeline/template/unicode.h"

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
  for (char32_t& rune : runes) {
    rune = IsUpperRune(rune) ? RuneToLower(rune) : RuneToUpper(rune);
  }
  return call.Keep(FromRunes(runes));
}

Datum Initials(Call& call) {
  std::u32string initials;
  bool after_gap = true;
  for (const char32_t rune : ToRunes(call.Text(0))) {
    const bool space = IsUnicodeSpace(rune);
    if (after_gap && !space) initials += rune;
    after_gap = space;
  }
  return call.Keep(FromRunes(initials));
}

bool IsConnector(char32_t rune) {
  return rune == '-' || rune == '_' || IsUnicodeSpace(rune);
}

// "http_server" becomes "HttpServer": connectors go, except where several follow one another or
// they stand at an end; a word in capitals keeps the first one.
std::u32string CamelCase(const std::u32string& text) {
  std::u32string result;
  std::size_t i = 0;
  while (i < text.size() && IsConnector(text[i]))
    result += text[i++];
  if (i == text.size()) {
    // The last one is written twice, as sprig's library does.
    if (!text.empty()) result += text.back();
    return result;
  }
  bool in_capitals = IsUpperRune(text[i]);
  char32_t pending = RuneToUpper(text[i]);
  for (++i; i < text.size(); ++i) {
    const char32_t rune = text[i];
    const char32_t before = pending;
    pending = rune;
    if (IsConnector(rune) && IsConnector(before)) {
      result += before;
      continue;
    }
    if (IsConnector(before)) {
      in_capitals = IsUpperRune(rune);
      pending = RuneToUpper(rune);
      continue;
    }
    if (in_capitals && IsUpperRune(rune)) {
      pending = RuneToLower(rune);
    } else {
      in_capitals = false;
    }
    result += before;
  }
  result += pending;
  return result;
}

Datum Camel(Call& call) {
  return call.Keep(FromRunes(CamelCase(ToRunes(call.Text(0)))));
}

// What a text in camel case consists of.
enum class WordKind : uint8_t {
  kNone,
  kNumber,
  kCapitalized,
  kLetters,
  kConnector,
  kPunct,
  kOther
};

struct CaseWord {
  WordKind kind = WordKind::kNone;
  std::u32string_view text;
};

bool IsDigitRune(char32_t rune) {
  return rune >= '0' && rune <= '9';
}
bool IsPunctRune(char32_t rune) {
  return rune < 0x80 && rune > 0x20 &&
         std::u32string_view(U"!\"#%&'()*,-./:;?@[\\]_{}").find(rune) != std::u32string_view::npos;
}
// Other scripts count as letters.
bool IsLetterRune(char32_t rune) {
  if (rune >= 0x80) return !IsUnicodeSpace(rune) && rune != 0xFFFD;
  return IsAsciiWordRune(rune) && !IsDigitRune(rune) && rune != '_';
}
bool IsLowerLetter(char32_t rune) {
  return IsLetterRune(rune) && !IsUpperRune(rune);
}
bool IsOtherRune(char32_t rune) {
  return !IsConnector(rune) && !IsPunctRune(rune) && !IsLetterRune(rune) && !IsDigitRune(rune);
}

std::size_t RunLength(std::u32string_view text, std::size_t from, bool (*belongs)(char32_t)) {
  std::size_t end = from;
  while (end < text.size() && belongs(text[end]))
    ++end;
  return end;
}

// In "HTTPStatus" the S belongs to the word that it begins.
std::size_t CapitalizedLength(std::u32string_view text) {
  const std::size_t capitals = RunLength(text, 0, IsUpperRune);
  if (capitals == 1) return RunLength(text, 1, IsLowerLetter);
  const bool begins_word = capitals < text.size() && IsLetterRune(text[capitals]);
  return begins_word ? capitals - 1 : capitals;
}

CaseWord TakeWord(std::u32string_view& text) {
  CaseWord word;
  if (text.empty()) return word;
  const char32_t first = text.front();
  std::size_t length = 0;
  if (IsConnector(first)) {
    word.kind = WordKind::kConnector;
    length = RunLength(text, 0, IsConnector);
  } else if (IsPunctRune(first)) {
    word.kind = WordKind::kPunct;
    length = RunLength(text, 0, IsPunctRune);
  } else if (IsUpperRune(first)) {
    word.kind = WordKind::kCapitalized;
    length = CapitalizedLength(text);
  } else if (IsLetterRune(first)) {
    word.kind = WordKind::kLetters;
    length = RunLength(text, 0, IsLowerLetter);
  } else if (IsDigitRune(first)) {
    word.kind = WordKind::kNumber;
    length = RunLength(text, 0, IsDigitRune);
  } else {
    word.kind = WordKind::kOther;
    length = RunLength(text, 0, IsOtherRune);
  }
  word.text = text.substr(0, length);
  text.remove_prefix(length);
  return word;
}

// Joins the words of a text in lower case with a connector, as sprig's library does.
class WordJoiner {
 public:
  WordJoiner(std::u32string_view text, char32_t connector) : rest_(text), connector_(connector) {}

  std::u32string Run() {
    word_ = TakeWord(rest_);
    while (!rest_.empty()) {
      if (word_.kind != WordKind::kConnector) Append(word_);
      const CaseWord last = word_;
      word_ = TakeWord(rest_);
      switch (last.kind) {
        case WordKind::kNumber:
          AppendAlphanumerics();
          if (BeginsWord() && word_.kind != WordKind::kNone) result_ += connector_;
          break;
        case WordKind::kConnector:
          Append(last);
          break;
        case WordKind::kPunct:
          break;
        default:
          AfterWord();
      }
    }
    Append(word_);
    return std::move(result_);
  }

 private:
  [[nodiscard]] bool BeginsWord() const {
    return word_.kind != WordKind::kConnector && word_.kind != WordKind::kPunct;
  }

  void Append(const CaseWord& word) {
    const bool changes = word.kind == WordKind::kCapitalized || word.kind == WordKind::kConnector;
    for (const char32_t rune : word.text) {
      result_ += !changes ? rune : IsConnector(rune) ? connector_ : RuneToLower(rune);
    }
  }

  void AppendAlphanumerics() {
    while (word_.kind == WordKind::kLetters || word_.kind == WordKind::kNumber) {
      Append(word_);
      word_ = TakeWord(rest_);
    }
  }

  // A number ends the word before it ("bld4_floor"), unless letters in lower case follow
  // ("http_2xx").
  void AfterWord() {
    if (word_.kind != WordKind::kNumber) {
      if (BeginsWord()) result_ += connector_;
      return;
    }
    if (rest_.empty()) return;
    const CaseWord number = word_;
    word_ = TakeWord(rest_);
    if (word_.kind != WordKind::kLetters) {
      Append(number);
      if (BeginsWord()) result_ += connector_;
      return;
    }
    result_ += connector_;
    Append(number);
    AppendAlphanumerics();
    if (BeginsWord() && word_.kind != WordKind::kNone) result_ += connector_;
  }

  std::u32string_view rest_;
  const char32_t connector_;
  CaseWord word_;
  std::u32string result_;
};

Datum JoinedWords(Call& call, char32_t connector) {
  const std::u32string runes = ToRunes(call.Text(0));
  return call.Keep(FromRunes(WordJoiner(runes, connector).Run()));
}

constexpr TemplateFunction kFunctions[] = {
    {"ToLower", "s", Lower},
    {"ToUpper", "s", Upper},
    {"camelcase", "s", Camel},
    {"initials", "s", Initials},
    {"kebabcase", "s", [](Call& call) { return JoinedWords(call, '-'); }},
    {"lower", "s", Lower},
    {"snakecase", "s", [](Call& call) { return JoinedWords(call, '_'); }},
    {"swapcase", "s", SwapCase},
    {"title", "s", Title},
    {"untitle", "s", Untitle},
    {"upper", "s", Upper},
};

}  // namespace

std::span<const TemplateFunction> CaseFunctions() {
  return kFunctions;
}

}  // namespace agent
