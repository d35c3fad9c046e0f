// Numbers and strings by the verbs of a format.

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstdint>

#include "base/go_format.h"
#include "base/unicode.h"
#include "base/utf8.h"
#include "pipeline/template/format.h"
#include "pipeline/template/format_spec.h"

namespace agent {
namespace {

std::size_t RuneCount(std::string_view text) {
  std::size_t count = 0;
  for (; !text.empty(); ++count)
    text.remove_prefix(DecodeRune(text).size);
  return count;
}

std::string DigitsOf(uint64_t value, int base, bool upper) {
  char buffer[64];
  const auto [end, error] = std::to_chars(buffer, buffer + sizeof(buffer), value, base);
  static_cast<void>(error);  // 64 digits are always enough.
  std::string digits(buffer, end);
  for (char& c : digits) {
    if (upper && c >= 'a') c = static_cast<char>(c - 32);
  }
  return digits;
}

std::string_view BasePrefix(char32_t verb) {
  switch (verb) {
    case 'b':
      return "0b";
    case 'o':
      return "0";
    case 'x':
      return "0x";
    case 'X':
      return "0X";
    default:
      return "";
  }
}

// Mantissa digits and exponent of the shortest form: "1.25e+01".
void AppendShortest(double value, char form, std::string& out) {
  if (form == 'f') return AppendGoFloat(value, out);
  if (form == 'g') return AppendGoShortest(value, out);
  char buffer[40];
  const auto end =
      std::to_chars(buffer, buffer + sizeof(buffer), value, std::chars_format::scientific);
  out.append(buffer, end.ptr);
}

// "0x1.8p+00": the first digit is 1, except of zero; the exponent has two digits at least.
void AppendHexFloat(double value, int precision, std::string& out) {
  if (std::signbit(value)) out.push_back('-');
  int exponent = 0;
  double mantissa = std::frexp(std::fabs(value), &exponent) * 2;  // From 1 on, below 2.
  exponent = mantissa == 0 ? 0 : exponent - 1;
  char buffer[64];
  const auto print = [&] {
    constexpr auto kHex = std::chars_format::hex;
    const auto result = precision < 0
                            ? std::to_chars(buffer, buffer + sizeof(buffer), mantissa, kHex)
                            : std::to_chars(buffer, buffer + sizeof(buffer), mantissa, kHex,
                                            std::min(precision, 40));
    const std::string_view text(buffer, static_cast<std::size_t>(result.ptr - buffer));
    return text.substr(0, text.find('p'));
  };
  std::string_view digits = print();
  if (digits.front() == '2') {  // Rounded up.
    mantissa = 1;
    ++exponent;
    digits = print();
  }
  out.append("0x").append(digits).append(exponent < 0 ? "p-" : "p+");
  const int size = std::abs(exponent);
  if (size < 10) out.push_back('0');
  out.append(std::to_string(size));
}

std::string HexOf(std::string_view text, const FormatSpec& spec) {
  const std::string_view digits = spec.verb == 'x' ? "0123456789abcdef" : "0123456789ABCDEF";
  const std::string_view prefix = spec.verb == 'x' ? "0x" : "0X";
  std::string hex;
  if (spec.precision >= 0) text = text.substr(0, static_cast<std::size_t>(spec.precision));
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (spec.space && i > 0) hex.push_back(' ');
    if (spec.sharp && (spec.space || i == 0)) hex.append(prefix);
    const auto byte = static_cast<unsigned char>(text[i]);
    hex.push_back(digits[byte >> 4]);
    hex.push_back(digits[byte & 15]);
  }
  return hex;
}

void AppendQuotedBySpec(std::string_view text, const FormatSpec& spec, std::string& out) {
  if (spec.plus) return AppendGoQuotedToAscii(text, out);
  AppendGoQuoted(text, out);
}

std::string QuotedRune(int64_t value, const FormatSpec& spec) {
  std::string quoted;
  const bool valid = value >= 0 && value <= 0x10FFFF && (value < 0xD800 || value > 0xDFFF);
  const char32_t rune = valid ? static_cast<char32_t>(value) : 0xFFFD;
  if (rune == '\'') return "'\\''";
  if (rune == '"') return "'\"'";
  std::string text;
  AppendUtf8(rune, text);
  AppendQuotedBySpec(text, spec, quoted);
  quoted.front() = '\'';
  quoted.back() = '\'';
  return quoted;
}

std::string CodePoint(int64_t value, const FormatSpec& spec) {
  const std::string digits = DigitsOf(static_cast<uint64_t>(value), 16, true);
  std::string text = "U+";
  if (digits.size() < 4) text.append(4 - digits.size(), '0');
  text += digits;
  if (spec.sharp && value >= 0 && value <= 0x10FFFF) {
    text += " '";
    AppendUtf8(static_cast<char32_t>(value), text);
    text += "'";
  }
  return text;
}

int BaseOf(char32_t verb) {
  switch (verb) {
    case 'b':
      return 2;
    case 'o':
    case 'O':
      return 8;
    case 'x':
    case 'X':
      return 16;
    default:
      return 10;
  }
}

// Sign, prefix and digits, zeros in front where the width asks for them.
std::string IntegerDigits(int64_t value, const FormatSpec& spec) {
  const bool negative = value < 0;
  const uint64_t size = negative ? 0 - static_cast<uint64_t>(value) : static_cast<uint64_t>(value);
  std::string digits = DigitsOf(size, BaseOf(spec.verb), spec.verb == 'X');
  if (spec.precision == 0 && value == 0) digits.clear();
  const bool has_sign = negative || spec.plus || spec.space;
  int minimum = spec.precision;
  if (spec.precision < 0 && spec.zero && spec.width > 0) minimum = spec.width - (has_sign ? 1 : 0);
  if (minimum > 0 && digits.size() < static_cast<std::size_t>(minimum)) {
    digits.insert(0, static_cast<std::size_t>(minimum) - digits.size(), '0');
  }
  if (spec.sharp && !(spec.verb == 'o' && digits.starts_with('0'))) {
    digits.insert(0, BasePrefix(spec.verb));
  }
  if (spec.verb == 'O') digits.insert(0, "0o");
  if (has_sign) digits.insert(0, 1, negative ? '-' : spec.plus ? '+' : ' ');
  return digits;
}

// The mantissa as an integer, times a power of two: %b.
std::string FloatBits(double value) {
  constexpr int kMantissaBits = 52;
  const auto bits = std::bit_cast<uint64_t>(value);
  uint64_t mantissa = bits & ((uint64_t{1} << kMantissaBits) - 1);
  int exponent = static_cast<int>((bits >> kMantissaBits) & 0x7ff);
  if (exponent == 0) {
    exponent = 1;  // Denormal.
  } else {
    mantissa |= uint64_t{1} << kMantissaBits;
  }
  exponent -= 1023 + kMantissaBits;
  return (std::signbit(value) ? "-" : "") + std::to_string(mantissa) + "p" +
         (exponent >= 0 ? "+" : "") + std::to_string(exponent);
}

char FloatForm(char32_t verb) {
  switch (verb) {
    case 'f':
    case 'F':
      return 'f';
    case 'e':
    case 'E':
      return 'e';
    case 'x':
    case 'X':
      return 'x';
    default:
      return 'g';
  }
}

void MakeUpper(std::string& number) {
  std::transform(number.begin(), number.end(), number.begin(),
                 [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; });
}

// The form that a verb asks for, in its case, without a sign that nobody asked for.
std::string FloatDigits(double value, const FormatSpec& spec) {
  const char form = FloatForm(spec.verb);
  const int default_precision = form == 'g' || form == 'x' ? -1 : 6;
  std::string number;
  if (spec.verb == 'b' && std::isfinite(value)) {
    number = FloatBits(value);
  } else {
    AppendFloatText(value, form, spec.precision >= 0 ? spec.precision : default_precision, number);
  }
  const bool upper = spec.verb == 'E' || spec.verb == 'G' || spec.verb == 'X';
  if (upper && std::isfinite(value)) MakeUpper(number);
  if (number == "+Inf" && spec.space && !spec.plus) number = " Inf";
  const bool has_sign = number[0] == '-' || number[0] == '+' || number[0] == ' ';
  if (!has_sign && (spec.plus || spec.space)) number.insert(0, 1, spec.plus ? '+' : ' ');
  return number;
}

}  // namespace

void AppendPadded(std::string_view text, const FormatSpec& spec, std::string& out) {
  const std::size_t count = spec.width > 0 ? RuneCount(text) : 0;
  const std::size_t wanted = spec.width > 0 ? static_cast<std::size_t>(spec.width) : 0;
  const std::size_t padding = wanted > count ? wanted - count : 0;
  if (!spec.minus) out.append(padding, spec.zero ? '0' : ' ');
  out.append(text);
  if (spec.minus) out.append(padding, ' ');
}

void AppendIntegerBySpec(int64_t value, const FormatSpec& spec, std::string& out) {
  FormatSpec padding = spec;
  std::string text;
  switch (spec.verb) {
    case 'c':
      AppendUtf8(static_cast<char32_t>(value), text);
      break;
    case 'q':
      text = QuotedRune(value, spec);
      break;
    case 'U':
      text = CodePoint(value, spec);
      padding.zero = false;
      break;
    default:
      text = IntegerDigits(value, spec);
      padding.zero = false;
  }
  AppendPadded(text, padding, out);
}

void AppendFloatText(double value, char form, int precision, std::string& out) {
  if (std::isnan(value)) {
    out += "NaN";
  } else if (std::isinf(value)) {
    out += value > 0 ? "+Inf" : "-Inf";
  } else if (form == 'x') {
    AppendHexFloat(value, precision, out);
  } else if (precision < 0) {
    AppendShortest(value, form, out);
  } else {
    char buffer[1600];
    const std::chars_format how = form == 'e'   ? std::chars_format::scientific
                                  : form == 'f' ? std::chars_format::fixed
                                                : std::chars_format::general;
    const auto result =
        std::to_chars(buffer, buffer + sizeof(buffer), value, how, std::min(precision, 1000));
    out.append(buffer, result.ptr);
  }
}

void AppendFloatBySpec(double value, const FormatSpec& spec, std::string& out) {
  std::string number = FloatDigits(value, spec);
  FormatSpec padding = spec;
  if (!std::isfinite(value)) padding.zero = false;
  const bool has_sign = number[0] == '-' || number[0] == '+' || number[0] == ' ';
  const std::size_t width = spec.width > 0 ? static_cast<std::size_t>(spec.width) : 0;
  if (has_sign && padding.zero && width > number.size()) {
    number.insert(1, width - number.size(), '0');  // Between sign and digits.
  }
  AppendPadded(number, padding, out);
}

void AppendStringBySpec(std::string_view text, const FormatSpec& spec, std::string& out) {
  if (spec.verb == 'x' || spec.verb == 'X') return AppendPadded(HexOf(text, spec), spec, out);
  if (spec.precision >= 0) {  // So many characters.
    std::size_t size = 0;
    for (int i = 0; i < spec.precision && size < text.size(); ++i) {
      size += DecodeRune(text.substr(size)).size;
    }
    text = text.substr(0, size);
  }
  if (spec.verb != 'q' && !spec.go_syntax) return AppendPadded(text, spec, out);
  std::string quoted;
  const bool can_backquote = text.find('`') == std::string_view::npos &&
                             text.find_first_of("\n\r\x7f") == std::string_view::npos;
  if (spec.sharp && can_backquote) {
    quoted = "`" + std::string(text) + "`";
  } else {
    AppendQuotedBySpec(text, spec, quoted);
  }
  AppendPadded(quoted, spec, out);
}

}  // namespace agent
