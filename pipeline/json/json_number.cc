#include "pipeline/json/json_number.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <limits>
#include <system_error>

#include "base/go_format.h"

namespace agent {
namespace {

// Every integer of so many digits is a float64 and every power of ten up to 22 is one, so that
// their quotient is the correctly rounded value.
constexpr std::size_t kExactDigits = 15;
constexpr std::array<double, 16> kPowersOfTen = {1e0, 1e1, 1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                                 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};

// Digits with at most one dot, few of them; nullopt for anything else.
std::optional<double> ParseShort(std::string_view digits, bool negative) {
  if (digits.size() > kExactDigits) return std::nullopt;
  int64_t value = 0;
  std::size_t decimals = 0;
  bool after_dot = false;
  for (const char c : digits) {
    if (c == '.') {
      after_dot = true;
      continue;
    }
    if (c < '0' || c > '9') return std::nullopt;
    value = value * 10 + (c - '0');
    if (after_dot) ++decimals;
  }
  const double quotient = static_cast<double>(value) / kPowersOfTen[decimals];
  return negative ? -quotient : quotient;
}

// The exponent that is written in a number, not beyond what 32 bits hold.
int64_t WrittenExponent(std::string_view number) {
  const std::size_t at = number.find_first_of("eE");
  if (at == std::string_view::npos) return 0;
  int64_t exponent = 0;
  for (const char c : number.substr(at + 1)) {
    const bool digit = c >= '0' && c <= '9';
    if (digit && exponent < std::numeric_limits<int32_t>::max()) exponent = exponent * 10 + c - '0';
  }
  return number[at + 1] == '-' ? -exponent : exponent;
}

// For a number that from_chars found out of range: whether it is too large rather than too small.
bool IsLarge(std::string_view number) {
  const std::string_view digits = number.substr(0, number.find_first_of("eE"));
  const std::size_t first = digits.find_first_of("123456789");
  if (first == std::string_view::npos) return false;
  const std::size_t dot = std::min(digits.find('.'), digits.size());
  const auto magnitude = static_cast<int64_t>(dot) - static_cast<int64_t>(first);
  return magnitude + WrittenExponent(number) > 0;
}

}  // namespace

std::optional<double> ParseJsonNumber(std::string_view number) {
  const bool negative = number.front() == '-';
  if (const auto value = ParseShort(number.substr(negative ? 1 : 0), negative)) return value;

  double value = 0;
  const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), value);
  if (error != std::errc::result_out_of_range) return value;
  if (IsLarge(number)) return std::nullopt;
  return negative ? -0.0 : 0.0;
}

bool JsonNumberInRange(std::string_view number) {
  // Without an exponent it takes 309 digits to be too large.
  if (number.size() <= 300 && number.find_first_of("eE") == std::string_view::npos) return true;
  return ParseJsonNumber(number).has_value();
}

void AppendJsonNumber(double value, ExponentForm form, std::string& out) {
  const double magnitude = std::fabs(value);
  if (magnitude == 0 || (magnitude >= 1e-6 && magnitude < 1e21)) {
    AppendGoFloat(value, out);
    return;
  }
  std::array<char, 32> text;  // NOLINT(cppcoreguidelines-pro-type-member-init): to_chars fills it.
  const auto [end, error] =
      std::to_chars(text.data(), text.data() + text.size(), value, std::chars_format::scientific);
  std::string_view written(text.data(), static_cast<std::size_t>(end - text.data()));
  if (form == ExponentForm::kShort && written.size() >= 4 && written[written.size() - 4] == 'e' &&
      written[written.size() - 3] == '-' && written[written.size() - 2] == '0') {
    out += written.substr(0, written.size() - 2);
    out += written.back();
    return;
  }
  out += written;
}

}  // namespace agent
