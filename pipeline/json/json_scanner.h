// Walks over a JSON text once, checks all of it, and tells a handler what it meets. The grammar is
// in this one place: reading wanted fields in a hurry and building a tree are two handlers of it.
//
// Promtail decodes with json-iterator, whose notion of JSON this follows, because it decides which
// lines are "malformed". Where it differs from RFC 8259:
//   - bytes that are not UTF-8 are kept as they are, not replaced or refused;
//   - a control character in a string is refused only in front of the string's first escape;
//   - `null` may stand for the key "", except as the first key of a nested object;
//   - a NUL byte after the outermost value ends the text, whatever follows;
//   - a number that float64 cannot hold ("1e400") is refused;
//   - more than 10,000 levels below the outermost one are refused.

#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "pipeline/json/json_number.h"
#include "pipeline/json/json_strings.h"

namespace agent {

// A string's text between its quotes, with its escapes.
struct RawString {
  std::string_view text;
  bool escaped = false;  // Has escapes: to be decoded with DecodeString().
};

enum class JsonRoot : uint8_t {
  kObject,  // An object or null: what a log line must be.
  kAny,
};

// A Handler has these functions; views point into the text:
//   void OnKey(const RawString& key);     // Within an object, before its value.
//   void OnString(const RawString& text);
//   void OnNumber(std::string_view text); // Follows the grammar and is in range.
//   void OnBool(bool value);
//   void OnNull();
//   void OnOpen(bool is_object, const char* begin);  // At its bracket.
//   void OnClose(const char* end);  // Of the innermost open one; `end` is after its bracket.
template <typename Handler>
class JsonScanner {
 public:
  static constexpr std::size_t kMaxDepth = 10'001;

  // `text` has kTextPadding readable bytes after it. `open` is memory to work with, kept by the
  // caller from one text to the next.
  JsonScanner(std::string_view text, Handler& handler, std::vector<uint8_t>& open)
      : p_(text.data()), end_(text.data() + text.size()), handler_(handler), open_(open) {}

  // False when the text is malformed; the handler may have been called until then.
  bool Scan(JsonRoot root) {
    open_.clear();
    if (root == JsonRoot::kObject) {
      SkipSpace();
      if (Peek() != '{' && Peek() != 'n') return false;
    }
    if (!ReadValue()) return false;
    while (!open_.empty()) {
      if (!ReadNext()) return false;
    }
    SkipSpace();
    return p_ >= end_ || *p_ == '\0';
  }

 private:
  enum class KeyPlace : uint8_t { kFirst, kLater };

  // 0 at the end of the text, which fits nowhere in the grammar.
  [[nodiscard]] char Peek() const { return p_ < end_ ? *p_ : '\0'; }

  void SkipSpace() {
    while (p_ < end_ && (*p_ == ' ' || *p_ == '\n' || *p_ == '\t' || *p_ == '\r'))
      ++p_;
  }

  // After a value in a container: its end, or the next value.
  bool ReadNext() {
    const bool in_object = open_.back() != 0;
    SkipSpace();
    const char c = Peek();
    ++p_;
    if (c == (in_object ? '}' : ']')) {
      Close();
      return true;
    }
    if (c != ',') return false;
    if (in_object && !ReadKey(KeyPlace::kLater)) return false;
    return ReadValue();
  }

  // One value; of a container only the beginning, up to and including its first scalar.
  bool ReadValue() {
    for (;;) {
      SkipSpace();
      const char c = Peek();
      if (c == '"') {
        RawString text;
        if (!ReadString(text)) return false;
        handler_.OnString(text);
        return true;
      }
      if (c != '{' && c != '[') return ReadScalar(c);
      const bool is_object = c == '{';
      if (open_.size() >= kMaxDepth) return false;
      open_.push_back(is_object ? 1 : 0);
      handler_.OnOpen(is_object, p_);
      ++p_;
      SkipSpace();
      if (Peek() == (is_object ? '}' : ']')) {
        ++p_;
        Close();
        return true;
      }
      if (is_object && !ReadKey(KeyPlace::kFirst)) return false;
    }
  }

  bool ReadScalar(char c) {
    switch (c) {
      case 't':
        if (!ReadWord("true")) return false;
        handler_.OnBool(true);
        return true;
      case 'f':
        if (!ReadWord("false")) return false;
        handler_.OnBool(false);
        return true;
      case 'n':
        if (!ReadWord("null")) return false;
        handler_.OnNull();
        return true;
      default:
        return ReadNumber();
    }
  }

  bool ReadKey(KeyPlace place) {
    SkipSpace();
    RawString key;
    if (Peek() == '"') {
      if (!ReadString(key)) return false;
    } else {
      const bool nested = open_.size() > 1;
      if (place == KeyPlace::kFirst && nested) return false;
      if (Peek() != 'n' || !ReadWord("null")) return false;
      key.text =
          std::string_view(end_, 0);  // NOLINT(bugprone-string-constructor): padding follows.
    }
    handler_.OnKey(key);
    SkipSpace();
    if (Peek() != ':') return false;
    ++p_;
    return true;
  }

  // At the opening quote.
  bool ReadString(RawString& out) {
    const char* begin = ++p_;
    p_ = FindStringSpecial(p_, end_);
    if (p_ >= end_) return false;
    if (*p_ == '\\') return ReadEscapedString(begin, out);
    if (*p_ != '"') return false;
    out.text = std::string_view(begin, static_cast<std::size_t>(p_ - begin));
    ++p_;
    return true;
  }

  // At the first backslash.
  bool ReadEscapedString(const char* begin, RawString& out) {
    while (p_ < end_ && *p_ != '"') {
      if (*p_ == '\\') {
        const std::size_t length = EscapeLength(p_, end_);
        if (length == 0) return false;
        p_ += length;
      } else {
        ++p_;  // A control character.
      }
      p_ = FindStringSpecial(p_, end_);
    }
    if (p_ >= end_) return false;
    out.text = std::string_view(begin, static_cast<std::size_t>(p_ - begin));
    out.escaped = true;
    ++p_;
    return true;
  }

  bool ReadWord(std::string_view word) {
    if (static_cast<std::size_t>(end_ - p_) < word.size()) return false;
    if (std::memcmp(p_, word.data(), word.size()) != 0) return false;
    p_ += word.size();
    return true;
  }

  // At least one digit.
  bool ReadDigits() {
    const char* begin = p_;
    while (p_ < end_ && static_cast<unsigned char>(*p_ - '0') <= 9)
      ++p_;
    return p_ > begin;
  }

  bool ReadNumber() {
    const char* begin = p_;
    bool plain = true;  // Nothing that could make it too large.
    if (Peek() == '-') ++p_;
    if (Peek() == '0') {
      ++p_;
    } else if (!ReadDigits()) {
      return false;
    }
    if (Peek() == '.') {
      ++p_;
      if (!ReadDigits()) return false;
    }
    if (Peek() == 'e' || Peek() == 'E') {
      plain = false;
      ++p_;
      if (Peek() == '+' || Peek() == '-') ++p_;
      if (!ReadDigits()) return false;
    }
    const std::string_view number(begin, static_cast<std::size_t>(p_ - begin));
    if ((!plain || number.size() > 300) && !JsonNumberInRange(number)) return false;
    handler_.OnNumber(number);
    return true;
  }

  void Close() {
    open_.pop_back();
    handler_.OnClose(p_);
  }

  const char* p_;
  const char* const end_;
  Handler& handler_;
  std::vector<uint8_t>& open_;
};

}  // namespace agent
