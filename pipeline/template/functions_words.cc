// Functions that cut a text into words, by case and connectors, as sprig's library does.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/unicode.h"
#include "base/utf8.h"
#include "pipeline/regex/regex.h"
#include "pipeline/template/functions.h"

namespace agent {
namespace {

bool IsConnector(char32_t rune) {
  return rune == '-' || rune == '_' || IsUnicodeSpace(rune);
}

// What Unicode says of characters. Beyond ASCII a regular expression knows it.
class RuneClasses {
 public:
  explicit RuneClasses(Call& call) : call_(call) {}

  bool IsUpper(char32_t rune) {
    if (rune < 0x80) return rune >= 'A' && rune <= 'Z';
    return Has("^\\p{Lu}$", rune);
  }
  bool IsNumber(char32_t rune) {
    if (rune < 0x80) return rune >= '0' && rune <= '9';
    return Has("^\\p{N}$", rune);
  }
  bool IsPunct(char32_t rune) {
    constexpr std::u32string_view kAscii = U"!\"#%&'()*,-./:;?@[\\]_{}";
    if (rune < 0x80) return kAscii.find(rune) != std::u32string_view::npos;
    return Has("^\\p{P}$", rune);
  }
  // Letters of writings that have words; Chinese characters stand for themselves.
  bool IsAlphabet(char32_t rune) {
    const char32_t lower = rune | 0x20;
    if (rune < 0x80) return lower >= 'a' && lower <= 'z';
    const bool is_cjk = (rune >= 0x4E00 && rune <= 0x9FCC) || (rune >= 0x3400 && rune <= 0x4DB5) ||
                        (rune >= 0x20000 && rune <= 0x2B81D);
    return !is_cjk && Has("^\\p{L}$", rune);
  }
  bool IsOther(char32_t rune) {
    return !IsConnector(rune) && !IsPunct(rune) && !IsAlphabet(rune) && !IsNumber(rune);
  }

 private:
  bool Has(std::string_view pattern, char32_t rune) {
    Regex* const regex = call_.FindRegex(pattern);
    if (regex == nullptr) return false;
    std::string text;
    AppendUtf8(rune, text);
    const std::size_t size = text.size();
    text.append(kPadding, '\0');
    const std::string_view padded = text;
    return regex->Matches(padded.substr(0, size));
  }

  static constexpr std::size_t kPadding = 64;  // What an expression may read behind its text.
  Call& call_;
};

// "http_server" becomes "HttpServer": connectors go, except where several follow one another or
// they stand at an end; a word in capitals keeps the first one.
std::u32string CamelCase(const std::u32string& text, RuneClasses& classes) {
  std::u32string result;
  std::size_t i = 0;
  while (i < text.size() && IsConnector(text[i]))
    result += text[i++];
  if (i == text.size()) {
    // The last one is written twice, as sprig's library does.
    if (!text.empty()) result += text.back();
    return result;
  }
  bool in_capitals = classes.IsUpper(text[i]);
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
      in_capitals = classes.IsUpper(rune);
      pending = RuneToUpper(rune);
      continue;
    }
    if (in_capitals && classes.IsUpper(rune)) {
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
  RuneClasses classes(call);
  return call.Keep(FromRunes(CamelCase(ToRunes(call.Text(0)), classes)));
}

// A character with the invalid bytes before it. Invalid bytes at the end of the text are one of
// their own without a rune: they go on with whatever is before them.
struct Letter {
  std::string_view text;
  char32_t rune = 0;
  bool is_tail = false;
};

// U+FFFD itself counts as invalid.
std::vector<Letter> LettersOf(std::string_view text) {
  std::vector<Letter> letters;
  std::size_t start = 0;
  for (std::size_t at = 0; at < text.size();) {
    const DecodedRune decoded = DecodeRune(text.substr(at));
    at += decoded.size;
    if (decoded.rune == 0xFFFD) continue;
    letters.push_back({text.substr(start, at - start), decoded.rune, false});
    start = at;
  }
  if (start < text.size()) letters.push_back({text.substr(start), 0, true});
  return letters;
}

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
  std::string_view text;
};

// Takes words from the front of a text.
class WordTaker {
 public:
  WordTaker(std::string_view text, RuneClasses& classes)
      : classes_(classes), letters_(LettersOf(text)) {}

  [[nodiscard]] bool at_end() const { return at_ == letters_.size(); }

  CaseWord Take() {
    CaseWord word;
    if (at_end()) return word;
    const std::size_t begin = at_;
    word.kind = KindOf(letters_[begin]);
    at_ = EndOf(word.kind);
    const char* const text = letters_[begin].text.data();
    const std::string_view last = letters_[at_ - 1].text;
    word.text = {text, static_cast<std::size_t>(last.data() + last.size() - text)};
    return word;
  }

 private:
  WordKind KindOf(const Letter& letter) {
    if (letter.is_tail) return WordKind::kNone;
    if (IsConnector(letter.rune)) return WordKind::kConnector;
    if (classes_.IsPunct(letter.rune)) return WordKind::kPunct;
    if (classes_.IsUpper(letter.rune)) return WordKind::kCapitalized;
    if (classes_.IsAlphabet(letter.rune)) return WordKind::kLetters;
    return classes_.IsNumber(letter.rune) ? WordKind::kNumber : WordKind::kOther;
  }

  template <typename Belongs>
  std::size_t RunFrom(std::size_t from, Belongs belongs) {
    std::size_t end = from;
    while (end < letters_.size() && (letters_[end].is_tail || belongs(letters_[end].rune)))
      ++end;
    return end;
  }

  std::size_t EndOf(WordKind kind) {
    switch (kind) {
      case WordKind::kConnector:
        return RunFrom(at_ + 1, IsConnector);
      case WordKind::kPunct:
        return RunFrom(at_ + 1, [this](char32_t rune) { return classes_.IsPunct(rune); });
      case WordKind::kCapitalized:
        return EndOfCapitalized();
      case WordKind::kLetters:
        return RunFrom(at_ + 1, [this](char32_t rune) { return IsSmallLetter(rune); });
      case WordKind::kNumber:
        return RunFrom(at_ + 1, [this](char32_t rune) { return classes_.IsNumber(rune); });
      case WordKind::kOther:
        return RunFrom(at_ + 1, [this](char32_t rune) { return classes_.IsOther(rune); });
      case WordKind::kNone:
        break;
    }
    return at_ + 1;
  }

  bool IsSmallLetter(char32_t rune) { return classes_.IsAlphabet(rune) && !classes_.IsUpper(rune); }

  // In "HTTPStatus" the S belongs to the word that it begins.
  std::size_t EndOfCapitalized() {
    const std::size_t end =
        RunFrom(at_ + 1, [this](char32_t rune) { return classes_.IsUpper(rune); });
    if (end == at_ + 1) {
      return RunFrom(end, [this](char32_t rune) { return IsSmallLetter(rune); });
    }
    const bool begins_word = end < letters_.size() && classes_.IsAlphabet(letters_[end].rune);
    return begins_word ? end - 1 : end;
  }

  RuneClasses& classes_;
  const std::vector<Letter> letters_;
  std::size_t at_ = 0;
};

// Joins the words of a text in lower case with a connector.
class WordJoiner {
 public:
  WordJoiner(std::string_view text, char connector, RuneClasses& classes)
      : connector_(connector), classes_(classes), rest_(text, classes) {}

  std::string Run() {
    word_ = rest_.Take();
    while (!rest_.at_end()) {
      if (word_.kind != WordKind::kConnector) Append(word_);
      const CaseWord last = word_;
      word_ = rest_.Take();
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
    if (word.kind != WordKind::kCapitalized && word.kind != WordKind::kConnector) {
      result_ += word.text;
      return;
    }
    for (std::string_view rest = word.text; !rest.empty();) {
      const DecodedRune decoded = DecodeRune(rest);
      rest.remove_prefix(decoded.size);
      if (IsConnector(decoded.rune)) {
        result_ += connector_;
      } else {
        const bool upper = classes_.IsUpper(decoded.rune);
        AppendUtf8(upper ? RuneToLower(decoded.rune) : decoded.rune, result_);
      }
    }
  }

  void AppendAlphanumerics() {
    while (word_.kind == WordKind::kLetters || word_.kind == WordKind::kNumber) {
      Append(word_);
      word_ = rest_.Take();
    }
  }

  // A number ends the word before it ("bld4_floor"), unless letters in lower case follow
  // ("http_2xx").
  void AfterWord() {
    if (word_.kind != WordKind::kNumber) {
      if (BeginsWord()) result_ += connector_;
      return;
    }
    if (rest_.at_end()) return;
    const CaseWord number = word_;
    word_ = rest_.Take();
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

  const char connector_;
  RuneClasses& classes_;
  WordTaker rest_;
  CaseWord word_;
  std::string result_;
};

Datum JoinedWords(Call& call, char connector) {
  RuneClasses classes(call);
  return call.Keep(WordJoiner(call.Text(0), connector, classes).Run());
}

constexpr TemplateFunction kFunctions[] = {
    {"camelcase", "s", Camel},
    {"kebabcase", "s", [](Call& call) { return JoinedWords(call, '-'); }},
    {"snakecase", "s", [](Call& call) { return JoinedWords(call, '_'); }},
};

}  // namespace

std::span<const TemplateFunction> WordFunctions() {
  return kFunctions;
}

}  // namespace agent
