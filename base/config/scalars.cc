#include "base/config/scalars.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

#include "base/go_format.h"

namespace agent {
namespace {

std::string LowerCase(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lower;
}

template <std::size_t kCount>
bool IsOneOf(std::string_view text, const std::array<std::string_view, kCount>& words) {
  return std::find(words.begin(), words.end(), text) != words.end();
}

std::string WithoutUnderscores(std::string_view text) {
  std::string out(text);
  std::erase(out, '_');
  return out;
}

// The base that a prefix names; the prefix is removed.
int TakeBase(std::string_view& digits) {
  if (digits.size() < 2 || digits[0] != '0') return 10;
  const char mark = digits[1];
  if (mark == 'x' || mark == 'b' || mark == 'o') {
    digits.remove_prefix(2);
    return mark == 'x' ? 16 : mark == 'b' ? 2 : 8;
  }
  return 8;
}

std::optional<int64_t> ParseInteger(std::string_view text) {
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  const std::string plain = WithoutUnderscores(text);
  std::string_view digits = plain;
  const int base = TakeBase(digits);
  uint64_t value = 0;
  const char* end = digits.data() + digits.size();
  const auto [stop, error] = std::from_chars(digits.data(), end, value, base);
  if (error != std::errc() || stop != end) return std::nullopt;
  const uint64_t limit = uint64_t{std::numeric_limits<int64_t>::max()} + (negative ? 1 : 0);
  if (value > limit) return std::nullopt;
  return static_cast<int64_t>(negative ? 0 - value : value);
}

}  // namespace

std::optional<bool> ParseYamlBool(std::string_view text) {
  static constexpr std::array<std::string_view, 4> kTrue = {"y", "yes", "on", "true"};
  static constexpr std::array<std::string_view, 4> kFalse = {"n", "no", "off", "false"};
  const std::string lower = LowerCase(text);
  if (IsOneOf(lower, kTrue)) return true;
  if (IsOneOf(lower, kFalse)) return false;
  return std::nullopt;
}

std::optional<int64_t> ParseYamlInt(std::string_view text) {
  if (const auto integer = ParseInteger(text)) return integer;
  const std::optional<double> number = ParseYamlFloat(text);
  // 2^63 as a double; from there on it does not fit.
  if (!number || std::trunc(*number) != *number || std::fabs(*number) >= 9223372036854775808.0) {
    return std::nullopt;
  }
  return static_cast<int64_t>(*number);
}

std::optional<double> ParseYamlFloat(std::string_view text) {
  if (const auto integer = ParseInteger(text)) return static_cast<double>(*integer);
  std::string plain = WithoutUnderscores(LowerCase(text));
  const std::size_t dot = plain.find(".inf");
  if (dot != std::string::npos || plain == ".nan") {
    plain.erase(plain.find('.'), 1);
  } else if (plain.find_first_not_of("0123456789+-.e") != std::string::npos) {
    return std::nullopt;
  }
  const Result<double> number = ParseGoFloat(plain);
  if (!number.ok()) return std::nullopt;
  return *number;
}

std::optional<bool> ParseGoBool(std::string_view text) {
  static constexpr std::array<std::string_view, 6> kTrue = {"1", "t", "T", "TRUE", "true", "True"};
  static constexpr std::array<std::string_view, 6> kFalse = {"0",     "f",     "F",
                                                             "FALSE", "false", "False"};
  if (IsOneOf(text, kTrue)) return true;
  if (IsOneOf(text, kFalse)) return false;
  return std::nullopt;
}

std::string PlainNumber(std::string_view text) {
  if (const auto integer = ParseInteger(text)) return std::to_string(*integer);
  const std::optional<double> number = ParseYamlFloat(text);
  if (!number) return std::string(text);
  std::string out;
  AppendGoFloat(*number, out);
  return out;
}

}  // namespace agent
