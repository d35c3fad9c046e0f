#include "pipeline/convert_value.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

namespace agent {
namespace {

struct NamedConversion {
  std::string_view name;
  Conversion conversion;
};
constexpr auto kConversions = std::to_array<NamedConversion>({
    {"bool", Conversion::kBool},
    {"boolean", Conversion::kBool},
    {"double", Conversion::kFloat},
    {"float", Conversion::kFloat},
    {"float_eu", Conversion::kFloatEu},
    {"int", Conversion::kInteger},
    {"integer", Conversion::kInteger},
    {"integer_eu", Conversion::kIntegerEu},
    {"long", Conversion::kInteger},
    {"string", Conversion::kString},
});

constexpr double kTwoTo63 = 9223372036854775808.0;
// A number that is longer when its separators are to be taken out is none.
constexpr std::size_t kMaxSeparated = 64;
using Digits = std::array<char, kMaxSeparated>;

bool IsDigit(char c) {
  return c >= '0' && c <= '9';
}

std::string_view WithoutBlanks(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r\n\f\v";
  const std::size_t first = text.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

// Without thousands separators, and with a decimal point; in `digits` where something had to
// change. Empty: too long for that.
std::string_view PlainNumber(std::string_view text, char thousands, char decimal, Digits& digits) {
  if (decimal == '.' && text.find(thousands) == std::string_view::npos) return text;
  std::size_t size = 0;
  for (const char c : text) {
    if (c == thousands) continue;
    if (size == digits.size()) return {};
    digits[size++] = c == decimal ? '.' : c;
  }
  return {digits.data(), size};
}

std::string_view PlainNumber(std::string_view text, Conversion to, Digits& digits) {
  const bool european = to == Conversion::kIntegerEu || to == Conversion::kFloatEu;
  std::string_view plain = WithoutBlanks(text);
  plain = european ? PlainNumber(plain, '.', ',', digits) : PlainNumber(plain, ',', '.', digits);
  // from_chars() knows no plus sign.
  if (plain.size() > 1 && plain[0] == '+' && plain[1] != '-') plain.remove_prefix(1);
  return plain;
}

// Decimal, also with an exponent; neither hexadecimal nor infinite.
std::optional<double> ParseFloat(std::string_view text) {
  const std::size_t sign = !text.empty() && text[0] == '-' ? 1 : 0;
  if (text.size() == sign || (!IsDigit(text[sign]) && text[sign] != '.')) return std::nullopt;
  double number = 0;
  const char* const end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc() || stopped != end) return std::nullopt;
  return number;
}

std::optional<int64_t> Truncate(double number) {
  // Written so that NaN does not fit.
  if (!(number >= -kTwoTo63 && number < kTwoTo63)) return std::nullopt;
  return static_cast<int64_t>(number);
}

// Digits behind the point are cut off.
std::optional<int64_t> ParseInteger(std::string_view text) {
  int64_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, number);
  if (error == std::errc() && stopped == end) return number;
  if (error == std::errc::result_out_of_range) return std::nullopt;
  if (error == std::errc() && *stopped == '.' && std::all_of(stopped + 1, end, IsDigit)) {
    return number;
  }
  const std::optional<double> real = ParseFloat(text);
  return real ? Truncate(*real) : std::nullopt;
}

bool EqualsIgnoringCase(std::string_view text, std::string_view lower) {
  return std::equal(text.begin(), text.end(), lower.begin(), lower.end(), [](char a, char b) {
    return (a >= 'A' && a <= 'Z' ? static_cast<char>(a - 'A' + 'a') : a) == b;
  });
}

std::optional<bool> ParseBool(std::string_view text) {
  for (const std::string_view yes : {"true", "t", "yes", "y", "1", "1.0"}) {
    if (EqualsIgnoringCase(text, yes)) return true;
  }
  for (const std::string_view no : {"false", "f", "no", "n", "0", "0.0", ""}) {
    if (EqualsIgnoringCase(text, no)) return false;
  }
  return std::nullopt;
}

std::optional<Value> IntegerOf(const Value& value, Conversion to) {
  switch (value.type()) {
    case ValueType::kInteger:
      return value;
    case ValueType::kBool:
      return Value::Integer(value.boolean() ? 1 : 0);
    default:
      break;
  }
  // What the number was read from may have more digits than a double.
  if (!value.text().empty()) return ConvertText(value.text(), to);
  const std::optional<int64_t> number = Truncate(value.number());
  return number ? std::optional(Value::Integer(*number)) : std::nullopt;
}

std::optional<Value> BoolOf(const Value& value) {
  if (value.type() == ValueType::kBool) return value;
  if (value.number() == 0) return Value::Bool(false);
  if (value.number() == 1) return Value::Bool(true);
  return std::nullopt;
}

// An integer keeps all digits with which it came.
Value StringOf(const Value& value, Block& block) {
  const std::string_view literal = value.text();
  if (!literal.empty() && literal.find_first_not_of("-0123456789") == std::string_view::npos) {
    return Value::String(literal);
  }
  return Value::String(*block.Text(value));
}

}  // namespace

std::optional<Conversion> ConversionNamed(std::string_view name) {
  for (const NamedConversion& known : kConversions) {
    if (known.name == name) return known.conversion;
  }
  return std::nullopt;
}

std::vector<std::string> ConversionNames() {
  std::vector<std::string> names;
  names.reserve(kConversions.size());
  for (const NamedConversion& known : kConversions)
    names.emplace_back(known.name);
  return names;
}

std::optional<Value> ConvertText(std::string_view text, Conversion to) {
  Digits digits;
  switch (to) {
    case Conversion::kString:
      return Value::String(text);
    case Conversion::kInteger:
    case Conversion::kIntegerEu: {
      const std::optional<int64_t> number = ParseInteger(PlainNumber(text, to, digits));
      return number ? std::optional(Value::Integer(*number)) : std::nullopt;
    }
    case Conversion::kFloat:
    case Conversion::kFloatEu: {
      const std::optional<double> number = ParseFloat(PlainNumber(text, to, digits));
      return number ? std::optional(Value::Number(*number)) : std::nullopt;
    }
    case Conversion::kBool: {
      const std::optional<bool> truth = ParseBool(WithoutBlanks(text));
      return truth ? std::optional(Value::Bool(*truth)) : std::nullopt;
    }
  }
  return std::nullopt;
}

std::optional<Value> ConvertValue(const Value& value, Conversion to, Block& block) {
  if (!value.usable()) return value;
  if (value.is_string()) return ConvertText(value.text(), to);
  switch (to) {
    case Conversion::kString:
      return StringOf(value, block);
    case Conversion::kInteger:
    case Conversion::kIntegerEu:
      // The text of a JSON number has a point, whatever texts in this log have.
      return IntegerOf(value, Conversion::kInteger);
    case Conversion::kFloat:
    case Conversion::kFloatEu:
      return Value::Number(value.number());
    case Conversion::kBool:
      return BoolOf(value);
  }
  return std::nullopt;
}

}  // namespace agent
