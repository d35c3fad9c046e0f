#include "agent/receivers/push/label_text.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "base/utf8.h"

namespace agent {
namespace {

bool IsSpace(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

bool IsLetter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

bool IsDigit(char c) {
  return c >= '0' && c <= '9';
}

// The value of a digit; 16 for what is none.
unsigned DigitValue(char c) {
  if (IsDigit(c)) return static_cast<unsigned>(c - '0');
  if (c >= 'a' && c <= 'f') return static_cast<unsigned>(c - 'a') + 10;
  if (c >= 'A' && c <= 'F') return static_cast<unsigned>(c - 'A') + 10;
  return 16;
}

class LabelReader {
 public:
  explicit LabelReader(std::string_view text) : text_(text) {}

  Result<Labels> Read() {
    if (!ReadAll()) {
      return Error{ErrorCode::kInvalid, Position() + ": " + problem_};
    }
    return std::move(labels_);
  }

 private:
  [[nodiscard]] bool at_end() const { return at_ >= text_.size(); }
  [[nodiscard]] char here() const { return text_[at_]; }

  bool Fail(std::string problem) {
    problem_ = std::move(problem);
    return false;
  }

  [[nodiscard]] std::string Position() const {
    const std::string_view before = text_.substr(0, at_);
    const auto line = std::count(before.begin(), before.end(), '\n') + 1;
    const std::size_t newline = before.rfind('\n');
    const std::size_t column = newline == std::string_view::npos ? at_ : at_ - newline - 1;
    return std::to_string(line) + ":" + std::to_string(column + 1);
  }

  // "'x'", or what comes instead.
  [[nodiscard]] std::string Found() const {
    if (at_end()) return "the end";
    std::string found = "'";
    found += text_.substr(at_, DecodeRune(text_.substr(at_)).size);
    return found + "'";
  }

  void SkipSpace() {
    while (!at_end() && (IsSpace(here()) || here() == '#')) {
      if (here() == '#') {
        at_ = std::min(text_.find('\n', at_), text_.size());
      } else {
        ++at_;
      }
    }
  }

  std::string_view Identifier(bool with_colons) {
    const std::size_t begin = at_;
    while (!at_end() && (IsLetter(here()) || (at_ > begin && IsDigit(here())) ||
                         (with_colons && here() == ':'))) {
      ++at_;
    }
    return text_.substr(begin, at_ - begin);
  }

  bool ReadAll() {
    if (!IsValidUtf8(text_)) return Fail("the labels are not UTF-8");
    SkipSpace();
    if (const std::string_view name = Identifier(/*with_colons=*/true); !name.empty()) {
      labels_.Set("__name__", name);
      SkipSpace();
    }
    if (!at_end() && here() == '{') {
      ++at_;
      if (!ReadPairs()) return false;
      SkipSpace();
    }
    return at_end() || Fail("expected labels in braces, found " + Found());
  }

  // Behind the brace.
  bool ReadPairs() {
    for (;;) {
      SkipSpace();
      if (!at_end() && here() == '}') break;
      if (!ReadPair()) return false;
      SkipSpace();
      if (!at_end() && here() == '}') break;
      if (at_end() || here() != ',') return Fail("expected ',' or '}', found " + Found());
      ++at_;
    }
    ++at_;
    return true;
  }

  bool ReadPair() {
    std::string name;
    const bool quoted = AtQuote();
    if (quoted) {
      if (!ReadQuoted(name)) return false;
    } else {
      name = Identifier(/*with_colons=*/false);
      if (name.empty()) return Fail("expected the name of a label, found " + Found());
    }
    SkipSpace();
    // A quoted name alone is that of the series.
    if (quoted && !at_end() && (here() == ',' || here() == '}')) {
      if (!name.empty()) labels_.Set("__name__", name);
      return true;
    }
    if (at_end() || here() != '=') return Fail("expected '=', found " + Found());
    ++at_;
    SkipSpace();
    if (!AtQuote()) return Fail("expected a value in quotes, found " + Found());
    std::string value;
    if (!ReadQuoted(value)) return false;
    if (value.empty()) {
      labels_.Remove(name);
    } else {
      labels_.Set(name, value);
    }
    return true;
  }

  [[nodiscard]] bool AtQuote() const {
    return !at_end() && (here() == '"' || here() == '\'' || here() == '`');
  }

  bool ReadQuoted(std::string& out) {
    const char quote = here();
    ++at_;
    while (!at_end() && here() != quote) {
      if (here() == '\n' && quote != '`') break;
      if (here() == '\\' && quote != '`') {
        if (!ReadEscape(quote, out)) return false;
      } else {
        out += here();
        ++at_;
      }
    }
    if (at_end() || here() != quote) return Fail("a quoted text does not end");
    ++at_;
    return true;
  }

  bool ReadEscape(char quote, std::string& out) {
    ++at_;
    if (at_end()) return Fail("a quoted text does not end");
    const char c = here();
    if (c >= '0' && c <= '7') return ReadNumber({3, 8, /*is_byte=*/true}, out);
    ++at_;
    if (c == 'x') return ReadNumber({2, 16, /*is_byte=*/true}, out);
    if (c == 'u') return ReadNumber({4, 16, /*is_byte=*/false}, out);
    if (c == 'U') return ReadNumber({8, 16, /*is_byte=*/false}, out);
    if (c == '\\' || c == quote) {
      out += c;
      return true;
    }
    constexpr std::array<std::pair<char, char>, 7> kEscapes = {{{'a', '\a'},
                                                                {'b', '\b'},
                                                                {'f', '\f'},
                                                                {'n', '\n'},
                                                                {'r', '\r'},
                                                                {'t', '\t'},
                                                                {'v', '\v'}}};
    for (const auto& [letter, meaning] : kEscapes) {
      if (letter != c) continue;
      out += meaning;
      return true;
    }
    --at_;
    return Fail("there is no escape with " + Found());
  }

  struct NumberForm {
    std::size_t digits = 0;
    unsigned base = 0;
    bool is_byte = false;  // Else a rune.
  };

  bool ReadNumber(const NumberForm& form, std::string& out) {
    uint32_t value = 0;
    for (std::size_t i = 0; i < form.digits; ++i, ++at_) {
      const unsigned digit = at_end() ? 16 : DigitValue(here());
      if (digit >= form.base) return Fail("expected a digit of an escape, found " + Found());
      value = value * form.base + digit;
    }
    if (form.is_byte) {
      if (value > 0xFF) return Fail("an escape is out of range");
      out += static_cast<char>(value);
      return true;
    }
    if (value > 0x10FFFF || (value >= 0xD800 && value < 0xE000)) {
      return Fail("an escape is no character of Unicode");
    }
    AppendUtf8(static_cast<char32_t>(value), out);
    return true;
  }

  const std::string_view text_;
  std::size_t at_ = 0;
  Labels labels_;
  std::string problem_;
};

}  // namespace

Result<Labels> ParseLabelText(std::string_view text) {
  return LabelReader(text).Read();
}

}  // namespace agent
