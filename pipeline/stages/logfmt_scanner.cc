#include "pipeline/stages/logfmt_scanner.h"

#include <charconv>
#include <string>

#include "base/utf8.h"

namespace agent {
namespace {

bool IsSpace(char c) {
  return static_cast<unsigned char>(c) <= ' ';
}

// Four hexadecimal digits at `text`; nullopt where they are not.
std::optional<char32_t> Hex4(std::string_view text) {
  if (text.size() < 4) return std::nullopt;
  uint32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + 4, value, 16);
  if (error != std::errc() || end != text.data() + 4) return std::nullopt;
  return static_cast<char32_t>(value);
}

// The rune of a \u escape at the front of `text` (after "\u"), with its second half where it is a
// surrogate pair; `used` is how much of the text it took. A lone surrogate is U+FFFD.
std::optional<char32_t> UnicodeEscape(std::string_view text, std::size_t& used) {
  const std::optional<char32_t> first = Hex4(text);
  if (!first) return std::nullopt;
  used = 4;
  if (*first < 0xD800 || *first > 0xDFFF) return first;
  if (*first < 0xDC00 && text.substr(4, 2) == "\\u") {
    const std::optional<char32_t> second = Hex4(text.substr(6));
    if (second && *second >= 0xDC00 && *second <= 0xDFFF) {
      used = 10;
      return 0x10000 + ((*first - 0xD800) << 10U) + (*second - 0xDC00);
    }
  }
  return 0xFFFD;
}

}  // namespace

std::nullopt_t LogfmtScanner::Fail() {
  failed_ = true;
  at_ = text_.size();
  return std::nullopt;
}

std::optional<LogfmtPair> LogfmtScanner::Next() {
  while (at_ < text_.size() && IsSpace(text_[at_]))
    ++at_;
  if (at_ == text_.size()) return std::nullopt;
  const std::optional<std::string_view> key = Key();
  if (!key) return std::nullopt;
  // An empty value is a text, not the lack of one.
  if (at_ == text_.size() || text_[at_] != '=') return LogfmtPair{*key, text_.substr(at_, 0)};
  ++at_;
  const std::optional<std::string_view> value = Value();
  if (!value) return std::nullopt;
  return LogfmtPair{*key, *value};
}

std::optional<std::string_view> LogfmtScanner::Key() {
  const std::size_t start = at_;
  unsigned char all = 0;
  for (; at_ < text_.size() && !IsSpace(text_[at_]) && text_[at_] != '='; ++at_) {
    if (text_[at_] == '"') return Fail();
    all = static_cast<unsigned char>(all | static_cast<unsigned char>(text_[at_]));
  }
  if (at_ == start) return Fail();  // '=' without a key.
  const std::string_view key = text_.substr(start, at_ - start);
  if (all < 0x80) return key;
  // U+FFFD itself counts as invalid, as it does to go-logfmt.
  if (!IsValidUtf8(key) || key.find("\xEF\xBF\xBD") != std::string_view::npos) return Fail();
  return key;
}

std::optional<std::string_view> LogfmtScanner::Value() {
  if (at_ < text_.size() && text_[at_] == '"') return QuotedValue();
  const std::size_t start = at_;
  while (at_ < text_.size() && !IsSpace(text_[at_])) {
    if (text_[at_] == '=' || text_[at_] == '"') return Fail();
    ++at_;
  }
  return text_.substr(start, at_ - start);
}

std::optional<std::string_view> LogfmtScanner::QuotedValue() {
  const std::size_t start = ++at_;
  bool escaped = false;
  while (at_ < text_.size() && text_[at_] != '"') {
    if (text_[at_] == '\\') {
      escaped = true;
      ++at_;
    }
    ++at_;
  }
  if (at_ >= text_.size()) return Fail();  // No closing quote.
  std::string_view value = text_.substr(start, at_ - start);
  ++at_;
  if (escaped && !Unescape(value, value)) return Fail();
  return value;
}

bool LogfmtScanner::Unescape(std::string_view quoted, std::string_view& value) {
  std::string out;
  for (std::size_t i = 0; i < quoted.size(); ++i) {
    if (static_cast<unsigned char>(quoted[i]) < ' ') return false;
    if (quoted[i] != '\\') {
      out += quoted[i];
      continue;
    }
    const char c = quoted[++i];
    constexpr std::string_view kEscapes = "\"\\/'bfnrt";
    constexpr std::string_view kMeanings = "\"\\/'\b\f\n\r\t";
    const std::size_t known = kEscapes.find(c);
    if (known != std::string_view::npos) {
      out += kMeanings[known];
      continue;
    }
    std::size_t used = 0;
    if (c != 'u') return false;
    const std::optional<char32_t> rune = UnicodeEscape(quoted.substr(i + 1), used);
    if (!rune) return false;
    AppendUtf8(*rune, out);
    i += used;
  }
  std::string valid;
  AppendSanitized(out, valid);
  value = arena_.Copy(valid);
  return true;
}

}  // namespace agent
