// Arithmetic: on 64-bit integers, and, with names ending in f, on decimal fractions.

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

#include "pipeline/template/convert.h"
#include "pipeline/template/functions.h"

namespace agent {
namespace {

// Integers wrap around as in Go; unsigned arithmetic says so to the compiler.
int64_t WrapAdd(int64_t a, int64_t b) {
  return static_cast<int64_t>(static_cast<uint64_t>(a) + static_cast<uint64_t>(b));
}
int64_t WrapSub(int64_t a, int64_t b) {
  return static_cast<int64_t>(static_cast<uint64_t>(a) - static_cast<uint64_t>(b));
}
int64_t WrapMul(int64_t a, int64_t b) {
  return static_cast<int64_t>(static_cast<uint64_t>(a) * static_cast<uint64_t>(b));
}

Datum Add(Call& call) {
  int64_t sum = 0;
  for (const Datum& value : call.From(0))
    sum = WrapAdd(sum, ToInt64(value));
  return Datum::Int64(sum);
}

Datum Mul(Call& call) {
  int64_t product = ToInt64(call[0]);
  for (const Datum& value : call.From(1))
    product = WrapMul(product, ToInt64(value));
  return Datum::Int64(product);
}

Datum Div(Call& call) {
  const int64_t divisor = ToInt64(call[1]);
  if (divisor == 0) return call.Fail("division by zero");
  if (divisor == -1) return Datum::Int64(WrapSub(0, ToInt64(call[0])));
  return Datum::Int64(ToInt64(call[0]) / divisor);
}

Datum Mod(Call& call) {
  const int64_t divisor = ToInt64(call[1]);
  if (divisor == 0) return call.Fail("division by zero");
  return Datum::Int64(divisor == -1 ? 0 : ToInt64(call[0]) % divisor);
}

Datum Max(Call& call) {
  int64_t best = ToInt64(call[0]);
  for (const Datum& value : call.From(1))
    best = std::max(best, ToInt64(value));
  return Datum::Int64(best);
}

Datum Min(Call& call) {
  int64_t best = ToInt64(call[0]);
  for (const Datum& value : call.From(1))
    best = std::min(best, ToInt64(value));
  return Datum::Int64(best);
}

// NaN wins.
Datum MaxFloat(Call& call) {
  double best = ToFloat64(call[0]);
  for (const Datum& value : call.From(1)) {
    const double other = ToFloat64(value);
    if (std::isnan(other) || other > best) best = other;
  }
  return Datum::Float(best);
}

Datum MinFloat(Call& call) {
  double best = ToFloat64(call[0]);
  for (const Datum& value : call.From(1)) {
    const double other = ToFloat64(value);
    if (std::isnan(other) || other < best) best = other;
  }
  return Datum::Float(best);
}

__extension__ using Wide = __int128;

// A decimal fraction: coefficient * 10^exponent. So 0.1 + 0.2 is 0.3.
struct Decimal {
  Wide coefficient = 0;
  int exponent = 0;
};

constexpr Wide kWideLimit = Wide{1} << 120;  // Nothing below overflows under it.

bool IsSmall(Wide value) {
  return value < kWideLimit && value > -kWideLimit;
}

// nullopt: too large to be exact.
std::optional<Decimal> Scaled(Decimal decimal, int exponent) {
  while (decimal.exponent > exponent) {
    if (!IsSmall(decimal.coefficient * 10) || !IsSmall(decimal.coefficient)) return std::nullopt;
    decimal.coefficient *= 10;
    --decimal.exponent;
  }
  return decimal;
}

std::optional<Decimal> FromDouble(double value) {
  if (!std::isfinite(value)) return std::nullopt;
  char buffer[64];
  const auto result =
      std::to_chars(buffer, buffer + sizeof(buffer), value, std::chars_format::scientific);
  const std::string_view text(buffer, static_cast<std::size_t>(result.ptr - buffer));
  Decimal decimal;
  const std::size_t mark = text.find('e');
  bool fraction = false;
  for (const char c : text.substr(0, mark)) {
    if (c == '.') fraction = true;
    if (c < '0' || c > '9') continue;
    decimal.coefficient = decimal.coefficient * 10 + (c - '0');
    if (fraction) --decimal.exponent;
  }
  if (value < 0) decimal.coefficient = -decimal.coefficient;
  decimal.exponent += std::stoi(std::string(text.substr(mark + 1)));
  return decimal;
}

double ToDouble(Decimal decimal) {
  const bool negative = decimal.coefficient < 0;
  Wide rest = negative ? -decimal.coefficient : decimal.coefficient;
  std::string digits;
  for (; rest > 0; rest /= 10)
    digits += static_cast<char>('0' + static_cast<int>(rest % 10));
  if (digits.empty()) return 0;
  std::reverse(digits.begin(), digits.end());
  if (negative) digits.insert(0, 1, '-');
  digits += "e" + std::to_string(decimal.exponent);
  double value = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), value);
  return value;
}

std::optional<Decimal> Sum(const Decimal& a, const Decimal& b) {
  const int exponent = std::min(a.exponent, b.exponent);
  const auto x = Scaled(a, exponent);
  const auto y = Scaled(b, exponent);
  if (!x || !y) return std::nullopt;
  return Decimal{x->coefficient + y->coefficient, exponent};
}

std::optional<Decimal> Product(const Decimal& a, const Decimal& b) {
  constexpr Wide kHalf = Wide{1} << 60;
  const auto fits = [](Wide value) { return value < kHalf && value > -kHalf; };
  if (!fits(a.coefficient) || !fits(b.coefficient)) return std::nullopt;
  return Decimal{a.coefficient * b.coefficient, a.exponent + b.exponent};
}

// Sixteen digits after the point, rounded half away from zero.
std::optional<Decimal> Quotient(const Decimal& a, const Decimal& b) {
  constexpr int kDigits = 16;
  // Scaled until only the digits after the point are between them.
  const auto dividend = Scaled(a, b.exponent - kDigits);
  if (!dividend) return std::nullopt;
  const auto divisor = Scaled(b, dividend->exponent + kDigits);
  if (!divisor) return Decimal{0, -kDigits};  // Beyond all digits.
  const Wide quotient = dividend->coefficient / divisor->coefficient;
  const Wide rest = dividend->coefficient % divisor->coefficient;
  const Wide twice = (rest < 0 ? -rest : rest) * 2;
  const bool round =
      twice >= (divisor->coefficient < 0 ? -divisor->coefficient : divisor->coefficient);
  const Wide away = (dividend->coefficient < 0) == (divisor->coefficient < 0) ? 1 : -1;
  return Decimal{quotient + (round ? away : 0), -kDigits};
}

using DecimalOperation = std::optional<Decimal> (*)(const Decimal&, const Decimal&);
using FloatOperation = double (*)(double, double);

// Where decimals are too large to be exact, floating point does.
double Apply(double a, double b, DecimalOperation exact, FloatOperation fallback) {
  const auto x = FromDouble(a);
  const auto y = FromDouble(b);
  const auto result = x && y ? exact(*x, *y) : std::nullopt;
  return result ? ToDouble(*result) : fallback(a, b);
}

double AddDecimals(double a, double b) {
  return Apply(a, b, Sum, [](double x, double y) { return x + y; });
}

Datum AddFloat(Call& call) {
  double sum = 0;
  for (const Datum& value : call.From(0))
    sum = AddDecimals(sum, ToFloat64(value));
  return Datum::Float(sum);
}

Datum SubFloat(Call& call) {
  double rest = ToFloat64(call[0]);
  for (const Datum& value : call.From(1))
    rest = AddDecimals(rest, -ToFloat64(value));
  return Datum::Float(rest);
}

Datum MulFloat(Call& call) {
  double product = ToFloat64(call[0]);
  for (const Datum& value : call.From(1)) {
    product = Apply(product, ToFloat64(value), Product, [](double x, double y) { return x * y; });
  }
  return Datum::Float(product);
}

Datum DivFloat(Call& call) {
  double quotient = ToFloat64(call[0]);
  for (const Datum& value : call.From(1)) {
    const double divisor = ToFloat64(value);
    if (divisor == 0) return call.Fail("division by zero");
    quotient = Apply(quotient, divisor, Quotient, [](double x, double y) { return x / y; });
  }
  return Datum::Float(quotient);
}

// Halves, or what the third argument says, go up.
Datum Round(Call& call) {
  if (call.size() > 3) return call.Fail("too many arguments");
  const double limit = call.size() > 2 ? call[2].real() : 0.5;
  const double power = std::pow(10.0, static_cast<double>(call.Int(1)));
  const double digits = power * ToFloat64(call[0]);
  double whole = 0;
  const double fraction = std::modf(digits, &whole);
  return Datum::Float((fraction >= limit ? std::ceil(digits) : std::floor(digits)) / power);
}

constexpr TemplateFunction kFunctions[] = {
    {"add", "a*", Add},
    {"add1", "a", [](Call& call) { return Datum::Int64(WrapAdd(ToInt64(call[0]), 1)); }},
    {"add1f", "a", [](Call& call) { return Datum::Float(AddDecimals(ToFloat64(call[0]), 1)); }},
    {"addf", "a*", AddFloat},
    {"biggest", "aa*", Max},
    {"ceil", "a", [](Call& call) { return Datum::Float(std::ceil(ToFloat64(call[0]))); }},
    {"div", "aa", Div},
    {"divf", "aa*", DivFloat},
    {"floor", "a", [](Call& call) { return Datum::Float(std::floor(ToFloat64(call[0]))); }},
    {"max", "aa*", Max},
    {"maxf", "aa*", MaxFloat},
    {"min", "aa*", Min},
    {"minf", "aa*", MinFloat},
    {"mod", "aa", Mod},
    {"mul", "aa*", Mul},
    {"mulf", "aa*", MulFloat},
    {"round", "aif*", Round},
    {"sub", "aa",
     [](Call& call) { return Datum::Int64(WrapSub(ToInt64(call[0]), ToInt64(call[1]))); }},
    {"subf", "aa*", SubFloat},
};

}  // namespace

std::span<const TemplateFunction> MathFunctions() {
  return kFunctions;
}

}  // namespace agent
