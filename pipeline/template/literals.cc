#include "pipeline/template/literals.h"

#include <cctype>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <limits>
#include <system_error>

#include "base/go_format.h"
#include "base/utf8.h"

namespace agent {
namespace {

// Reads `count` digits of `base`; nullopt when there are fewer.
std::optional<uint32_t> TakeCode(std::string_view& text, std::size_t count, int base) {
  if (text.size() < count) return std::nullopt;
  uint32_t code = 0;
  const char* end = text.data() + count;
  const auto [stop, error] = std::from_chars(text.data(), end, code, base);
  if (error != std::errc() || stop != end) return std::nullopt;
  text.remove_prefix(count);
  return code;
}

struct Unescaped {
  uint32_t code = 0;
  bool is_byte = false;  // \xNN and \NNN are bytes, not characters.
};

std::optional<Unescaped> TakeCodeEscape(char kind, std::string_view& text) {
  const std::size_t digits = kind == 'x' ? 2 : kind == 'u' ? 4 : 8;
  const auto code = TakeCode(text, digits, 16);
  if (!code) return std::nullopt;
  const bool is_rune = *code <= 0x10FFFF && (*code < 0xD800 || *code > 0xDFFF);
  if (kind != 'x' && !is_rune) return std::nullopt;
  return Unescaped{*code, kind == 'x'};
}

// What follows a backslash.
std::optional<Unescaped> TakeEscape(char quote, std::string_view& text) {
  if (text.empty()) return std::nullopt;
  const char c = text.front();
  if (c >= '0' && c <= '7') {
    const auto code = TakeCode(text, 3, 8);
    if (!code || *code > 255) return std::nullopt;
    return Unescaped{*code, true};
  }
  text.remove_prefix(1);
  constexpr std::string_view kLetters = "abfnrtv\\";
  constexpr std::string_view kMeanings = "\a\b\f\n\r\t\v\\";
  const std::size_t letter = kLetters.find(c);
  if (letter != std::string_view::npos) {
    return Unescaped{static_cast<uint32_t>(kMeanings[letter]), false};
  }
  if (c == quote) return Unescaped{static_cast<uint32_t>(c), false};
  if (c == 'x' || c == 'u' || c == 'U') return TakeCodeEscape(c, text);
  return std::nullopt;
}

// An underscore may stand between digits and after a prefix; nowhere else.
std::optional<std::string> WithoutUnderscores(std::string_view text) {
  std::string clean;
  char before = ' ';
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const auto is_digit = [](char d) { return std::isxdigit(static_cast<unsigned char>(d)) != 0; };
    if (c == '_') {
      const bool after_prefix = i == 2 && text[0] == '0' && !is_digit(before);
      if ((!is_digit(before) && !after_prefix) || i + 1 == text.size() || !is_digit(text[i + 1])) {
        return std::nullopt;
      }
    } else {
      clean.push_back(c);
    }
    before = c;
  }
  return clean;
}

bool ParseInteger(std::string_view text, int64_t& value) {
  bool negative = false;
  if (text.starts_with('+') || text.starts_with('-')) {
    negative = text.front() == '-';
    text.remove_prefix(1);
  }
  int base = 10;
  if (text.size() > 1 && text[0] == '0') {
    const char mark = static_cast<char>(text[1] | 0x20);
    base = mark == 'x' ? 16 : mark == 'b' ? 2 : 8;
    text.remove_prefix(mark == 'x' || mark == 'b' || mark == 'o' ? 2 : 1);
  }
  uint64_t size = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, size, base);
  if (text.empty() || error != std::errc() || stop != end) return false;
  constexpr auto kMax = static_cast<uint64_t>(std::numeric_limits<int64_t>::max());
  if (size > kMax + (negative ? 1 : 0)) return false;
  value = static_cast<int64_t>(negative ? 0 - size : size);
  return true;
}

}  // namespace

std::optional<int64_t> ParseIntegerLiteral(std::string_view text) {
  const bool has_sign = text.starts_with('+') || text.starts_with('-');
  const auto clean = WithoutUnderscores(text.substr(has_sign ? 1 : 0));
  int64_t value = 0;
  if (!clean || !ParseInteger(std::string(text.substr(0, has_sign ? 1 : 0)) + *clean, value)) {
    return std::nullopt;
  }
  return value;
}

bool ParseNumberLiteral(std::string_view text, Node& node) {
  const bool has_sign = text.starts_with('+') || text.starts_with('-');
  const auto clean = WithoutUnderscores(text.substr(has_sign ? 1 : 0));
  if (!clean) return false;
  const std::string number = (has_sign ? std::string(1, text[0]) : std::string()) + *clean;
  const bool hexadecimal = clean->size() > 2 && (*clean)[0] == '0' && ((*clean)[1] | 0x20) == 'x';
  node.is_integer = ParseInteger(number, node.integer);
  if (node.is_integer) {
    node.is_float = true;
    node.real = static_cast<double>(node.integer);
    return true;
  }
  // An integer that does not fit is no float either, unless it looks like one.
  if (number.find_first_of(hexadecimal ? ".pP" : ".eE") == std::string::npos) return false;
  const Result<double> real = ParseGoFloat(number);
  if (!real.ok() || std::isinf(*real)) return false;
  node.is_float = true;
  node.looks_float = true;
  node.real = *real;
  constexpr double kLimit = 9223372036854775808.0;
  if (node.real >= -kLimit && node.real < kLimit && node.real == std::floor(node.real)) {
    node.is_integer = true;
    node.integer = static_cast<int64_t>(node.real);
  }
  return true;
}

bool ParseCharLiteral(std::string_view text, Node& node) {
  if (text.size() < 3) return false;
  std::string_view inner = text.substr(1, text.size() - 2);
  uint32_t code = 0;
  if (inner.front() == '\\') {
    inner.remove_prefix(1);
    const auto escape = TakeEscape('\'', inner);
    if (!escape) return false;
    code = escape->code;
  } else {
    const DecodedRune decoded = DecodeRune(inner);
    code = decoded.rune;
    inner.remove_prefix(decoded.size);
  }
  if (!inner.empty()) return false;
  node.is_integer = true;
  node.is_float = true;
  node.integer = code;
  node.real = code;
  return true;
}

std::optional<std::string> ParseStringLiteral(std::string_view text) {
  const char quote = text.front();
  std::string_view inner = text.substr(1, text.size() - 2);
  std::string value;
  if (quote == '`') {
    for (const char c : inner) {
      if (c != '\r') value.push_back(c);
    }
    return value;
  }
  while (!inner.empty()) {
    if (inner.front() != '\\') {
      value.push_back(inner.front());
      inner.remove_prefix(1);
      continue;
    }
    inner.remove_prefix(1);
    const auto escape = TakeEscape('"', inner);
    if (!escape) return std::nullopt;
    if (escape->is_byte) {
      value.push_back(static_cast<char>(escape->code));
    } else {
      AppendUtf8(escape->code, value);
    }
  }
  return value;
}

}  // namespace agent
