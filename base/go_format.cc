#include "base/go_format.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <iterator>
#include <limits>
#include <span>
#include <system_error>

#include "base/check.h"
#include "base/go_print_ranges.h"
#include "base/utf8.h"

namespace agent {
namespace {

constexpr uint64_t kMaxInt64 = std::numeric_limits<int64_t>::max();

bool IsDigit(char c) {
  return c >= '0' && c <= '9';
}

bool IsHexDigit(char c) {
  return IsDigit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

char Lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

std::string Lowered(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(), Lower);
  return out;
}

Error Expected(std::string_view what, std::string_view got) {
  std::string message = "expected ";
  message.append(what).append(", got ");
  AppendGoQuoted(got, message);
  return Error{ErrorCode::kInvalid, std::move(message)};
}

// --- Quoting.

// Whether `rune` lies in one of the ascending [first, last] pairs.
template <typename T>
bool InRanges(std::span<const T> pairs, T rune) {
  const auto after = std::upper_bound(pairs.begin(), pairs.end(), rune);
  const auto index = after - pairs.begin();
  // Behind an odd number of bounds: inside a pair. At its last rune: just behind it.
  return index % 2 == 1 || (index > 0 && *std::prev(after) == rune);
}

bool IsPrintable(char32_t rune) {
  if (rune < 0x10000) return InRanges<uint16_t>(kGoPrint16, static_cast<uint16_t>(rune));
  return InRanges<uint32_t>(kGoPrint32, static_cast<uint32_t>(rune));
}

// The letter behind the backslash for the control characters that have one; 0 for others.
char EscapeLetter(char32_t rune) {
  constexpr std::string_view kLetters = "abtnvfr";  // From 0x07 on.
  return rune >= 0x07 && rune <= 0x0D ? kLetters[rune - 0x07] : '\0';
}

// `letter` says what follows: x two hexadecimal digits, u four, U eight.
void AppendHexEscape(char letter, unsigned digits, char32_t code, std::string& out) {
  out += '\\';
  out += letter;
  while (digits-- > 0)
    out += "0123456789abcdef"[(code >> (4U * digits)) & 0xFU];
}

void AppendUnprintable(char32_t rune, std::string& out) {
  if (const char letter = EscapeLetter(rune); letter != '\0') {
    out += '\\';
    out += letter;
  } else if (rune < ' ' || rune == 0x7F) {
    AppendHexEscape('x', 2, rune, out);
  } else if (rune < 0x10000) {
    AppendHexEscape('u', 4, rune, out);
  } else {
    AppendHexEscape('U', 8, rune, out);
  }
}

bool IsPlain(char c) {
  return c >= ' ' && c <= '~' && c != '"' && c != '\\';
}

// --- Durations.

struct Unit {
  std::string_view name;
  uint64_t nanos;
};

constexpr uint64_t kSecond = 1'000'000'000;
constexpr uint64_t kDay = kSecond * 3600 * 24;

constexpr std::array<Unit, 8> kGoUnits = {{{"ns", 1},
                                           {"us", 1'000},
                                           {"\xC2\xB5s", 1'000},  // Micro sign.
                                           {"\xCE\xBCs", 1'000},  // Greek mu.
                                           {"ms", 1'000'000},
                                           {"s", kSecond},
                                           {"m", 60 * kSecond},
                                           {"h", 3600 * kSecond}}};

constexpr std::array<Unit, 7> kPrometheusUnits = {{{"y", kDay * 365},
                                                   {"w", kDay * 7},
                                                   {"d", kDay},
                                                   {"h", 3600 * kSecond},
                                                   {"m", 60 * kSecond},
                                                   {"s", kSecond},
                                                   {"ms", 1'000'000}}};

// Takes the leading digits of `text`. False when the number is beyond 2^63.
bool TakeInteger(std::string_view& text, uint64_t& value) {
  value = 0;
  while (!text.empty() && IsDigit(text.front())) {
    const auto digit = static_cast<uint64_t>(text.front() - '0');
    if (value > (kMaxInt64 + 1 - digit) / 10) return false;
    value = value * 10 + digit;
    text.remove_prefix(1);
  }
  return true;
}

// Takes the leading digits of `text` as a fraction value/scale; digits beyond what fits are cut
// off.
void TakeFraction(std::string_view& text, uint64_t& value, double& scale) {
  value = 0;
  scale = 1;
  bool full = false;
  for (; !text.empty() && IsDigit(text.front()); text.remove_prefix(1)) {
    const auto digit = static_cast<uint64_t>(text.front() - '0');
    full = full || value > (kMaxInt64 - digit) / 10;
    if (full) continue;
    value = value * 10 + digit;
    scale *= 10;
  }
}

// Takes a unit: everything up to the next digit or point.
template <std::size_t kSize>
const Unit* TakeUnit(std::string_view& text, const std::array<Unit, kSize>& units) {
  std::size_t size = 0;
  while (size < text.size() && text[size] != '.' && !IsDigit(text[size]))
    ++size;
  const std::string_view name = text.substr(0, size);
  text.remove_prefix(size);
  const auto* found = std::find_if(units.begin(), units.end(),
                                   [name](const Unit& unit) { return unit.name == name; });
  return found == units.end() ? nullptr : found;
}

// Takes one "1.5h" of a Go duration and adds it. False when it is none or the sum is too large.
bool TakeGoTerm(std::string_view& text, uint64_t& total) {
  uint64_t whole = 0;
  const std::size_t before = text.size();
  if (!TakeInteger(text, whole)) return false;
  bool digits = text.size() != before;
  uint64_t fraction = 0;
  double scale = 1;
  if (!text.empty() && text.front() == '.') {
    text.remove_prefix(1);
    const std::size_t point = text.size();
    TakeFraction(text, fraction, scale);
    digits = digits || text.size() != point;
  }
  if (!digits) return false;
  const Unit* unit = TakeUnit(text, kGoUnits);
  if (unit == nullptr || whole > (kMaxInt64 + 1) / unit->nanos) return false;
  uint64_t nanos = whole * unit->nanos;
  if (fraction > 0) {
    // In this order, so that rounding is Go's.
    nanos += static_cast<uint64_t>(static_cast<double>(fraction) *
                                   (static_cast<double>(unit->nanos) / scale));
  }
  if (nanos > kMaxInt64 + 1 - total) return false;
  total += nanos;
  return true;
}

// `value` in units of `unit` nanoseconds with as many decimals as it has.
void AppendDecimal(uint64_t value, uint64_t unit, std::string& out) {
  out += std::to_string(value / unit);
  uint64_t rest = value % unit;
  if (rest == 0) return;
  out += '.';
  for (; rest != 0; rest = rest * 10 % unit)
    out += static_cast<char>('0' + static_cast<char>(rest * 10 / unit));
}

// --- Numbers.

// Whether `text` (without sign) is a decimal number as Go writes them: digits with at most one
// point, and an exponent at will.
bool IsGoNumber(std::string_view text, bool (*is_digit)(char), char exponent, bool need_exponent) {
  bool digits = false;
  bool point = false;
  std::size_t i = 0;
  for (; i < text.size() && (is_digit(text[i]) || (text[i] == '.' && !point)); ++i)
    (text[i] == '.' ? point : digits) = true;
  if (!digits) return false;
  if (i == text.size()) return !need_exponent;
  if (Lower(text[i]) != exponent) return false;
  ++i;
  if (i < text.size() && (text[i] == '+' || text[i] == '-')) ++i;
  return i < text.size() &&
         std::all_of(text.begin() + static_cast<std::ptrdiff_t>(i), text.end(), IsDigit);
}

// Go's rule for underscores in a number: each stands between two digits; "0x" counts as one.
bool UnderscoresSeparateDigits(std::string_view text, bool hex) {
  bool after_digit = false;
  bool after_underscore = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '_' && !after_digit) return false;
    const bool digit = (hex && i < 2) || (hex ? IsHexDigit(c) : IsDigit(c));
    if (after_underscore && !digit) return false;
    after_underscore = c == '_';
    after_digit = digit;
  }
  return !after_underscore;
}

}  // namespace

namespace {

enum class Beyond : uint8_t { kAsIs, kEscaped };

void AppendQuoted(std::string_view text, Beyond ascii, std::string& out) {
  out += '"';
  while (!text.empty()) {
    const auto* const plain_end = std::find_if_not(text.begin(), text.end(), IsPlain);
    const auto plain = static_cast<std::size_t>(plain_end - text.begin());
    out.append(text.substr(0, plain));
    text.remove_prefix(plain);
    if (text.empty()) break;

    const DecodedRune rune = DecodeRune(text);
    if (!rune.valid) {
      AppendHexEscape('x', 2, static_cast<unsigned char>(text.front()), out);
    } else if (rune.rune == '"' || rune.rune == '\\') {
      out += '\\';
      out += text.front();
    } else if (ascii == Beyond::kAsIs && IsPrintable(rune.rune)) {
      out.append(text.substr(0, rune.size));
    } else {
      AppendUnprintable(rune.rune, out);
    }
    text.remove_prefix(rune.size);
  }
  out += '"';
}

}  // namespace

void AppendGoQuoted(std::string_view text, std::string& out) {
  AppendQuoted(text, Beyond::kAsIs, out);
}

void AppendGoQuotedToAscii(std::string_view text, std::string& out) {
  AppendQuoted(text, Beyond::kEscaped, out);
}

void AppendGoShortest(double value, std::string& out) {
  const double size = std::fabs(value);
  if (!std::isfinite(value) || size == 0 || (size >= 1e-4 && size < 1e6)) {
    return AppendGoFloat(value, out);
  }
  std::array<char, 32> buffer{};
  const auto [end, error] = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value,
                                          std::chars_format::scientific);
  CHECK(error == std::errc());
  out.append(buffer.data(), end);
}

void AppendGoFloat(double value, std::string& out) {
  if (std::isnan(value)) {
    out += "NaN";
    return;
  }
  if (std::isinf(value)) {
    out += value > 0 ? "+Inf" : "-Inf";
    return;
  }
  // The shortest digits come in scientific form only: std::to_chars in fixed form writes all digits
  // of a large number, Go zeros.
  std::array<char, 32> buffer{};
  const auto [end, error] = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value,
                                          std::chars_format::scientific);
  CHECK(error == std::errc());
  std::string_view text(buffer.data(), static_cast<std::size_t>(end - buffer.data()));
  if (text.front() == '-') {
    out += '-';
    text.remove_prefix(1);
  }
  const std::size_t mark = text.find('e');
  const int exponent = std::atoi(std::string(text.substr(mark + 1)).c_str());
  std::string digits(1, text.front());
  if (mark > 2) digits.append(text.substr(2, mark - 2));
  const int whole = exponent + 1;  // Digits before the point.
  const int count = static_cast<int>(digits.size());
  if (whole <= 0) {
    out.append("0");
    if (digits != "0") out.append(".").append(static_cast<std::size_t>(-whole), '0').append(digits);
  } else if (whole >= count) {
    out.append(digits).append(static_cast<std::size_t>(whole - count), '0');
  } else {
    digits.insert(static_cast<std::size_t>(whole), 1, '.');
    out.append(digits);
  }
}

Result<std::chrono::nanoseconds> ParseGoDuration(std::string_view text) {
  constexpr std::string_view kForm =
      "a duration such as 10s, 1m30s or 500ms (units ns, us, ms, s, m, h)";
  std::string_view rest = text;
  const bool negative = rest.starts_with('-');
  if (negative || rest.starts_with('+')) rest.remove_prefix(1);
  if (rest == "0") return std::chrono::nanoseconds(0);
  if (rest.empty()) return Expected(kForm, text);
  uint64_t total = 0;
  while (!rest.empty()) {
    if (!TakeGoTerm(rest, total)) return Expected(kForm, text);
  }
  if (negative && total == kMaxInt64 + 1) {
    return std::chrono::nanoseconds(std::numeric_limits<int64_t>::min());
  }
  if (total > kMaxInt64) return Expected(kForm, text);
  const auto nanos = static_cast<int64_t>(total);
  return std::chrono::nanoseconds(negative ? -nanos : nanos);
}

std::string FormatGoDuration(std::chrono::nanoseconds duration) {
  if (duration.count() == 0) return "0s";
  std::string out;
  // Unsigned negation: the smallest duration has no positive counterpart.
  auto left = static_cast<uint64_t>(duration.count());
  if (duration.count() < 0) {
    out += '-';
    left = ~left + 1;
  }
  if (left < 1'000) {
    out += std::to_string(left) + "ns";
  } else if (left < 1'000'000) {
    AppendDecimal(left, 1'000, out);
    out += "\xC2\xB5s";
  } else if (left < kSecond) {
    AppendDecimal(left, 1'000'000, out);
    out += "ms";
  } else {
    const uint64_t hours = left / (3600 * kSecond);
    const uint64_t minutes = left / (60 * kSecond);
    if (hours > 0) out += std::to_string(hours) + "h";
    if (minutes > 0) out += std::to_string(minutes % 60) + "m";
    AppendDecimal(left % (60 * kSecond), kSecond, out);
    out += 's';
  }
  return out;
}

Result<std::chrono::nanoseconds> ParsePrometheusDuration(std::string_view text) {
  constexpr std::string_view kForm =
      "a duration such as 30s, 5m, 1h30m or 2d (units ms, s, m, h, d, w, y)";
  if (text == "0") return std::chrono::nanoseconds(0);
  if (text.empty()) return Expected(kForm, text);
  uint64_t total = 0;
  const Unit* previous = nullptr;
  for (std::string_view rest = text; !rest.empty();) {
    const std::size_t before = rest.size();
    uint64_t count = 0;
    if (!TakeInteger(rest, count) || rest.size() == before) return Expected(kForm, text);
    // Each unit once, the large ones first.
    const Unit* unit = TakeUnit(rest, kPrometheusUnits);
    if (unit == nullptr || (previous != nullptr && unit <= previous) ||
        count > (kMaxInt64 - total) / unit->nanos) {
      return Expected(kForm, text);
    }
    total += count * unit->nanos;
    previous = unit;
  }
  return std::chrono::nanoseconds(static_cast<int64_t>(total));
}

std::string FormatPrometheusDuration(std::chrono::nanoseconds duration) {
  auto left = static_cast<uint64_t>(duration.count());
  std::string out;
  for (const Unit& unit : kPrometheusUnits) {
    // Years, weeks and days only when they are all of it: "36h" says more than "1d12h".
    const bool fits = left >= unit.nanos && (unit.nanos < kDay || left % unit.nanos == 0);
    if (!fits) continue;
    out += std::to_string(left / unit.nanos);
    out += unit.name;
    left %= unit.nanos;
  }
  return out.empty() ? "0s" : out;
}

Result<uint64_t> ParseSize(std::string_view text) {
  constexpr std::string_view kForm = "a size such as 4096, 256KB, 10MB or 1GiB";
  constexpr std::string_view kPrefixes = "kmgtpe";
  std::string_view rest = text;
  const std::size_t before = rest.size();
  uint64_t value = 0;
  if (!TakeInteger(rest, value) || rest.size() == before) return Expected(kForm, text);
  while (rest.starts_with(' '))
    rest.remove_prefix(1);
  const std::string unit = Lowered(rest);
  if (unit.empty() || unit == "b") return value;
  const std::size_t power = kPrefixes.find(unit.front());
  std::string_view suffix = unit;
  suffix.remove_prefix(1);
  if (power == std::string_view::npos || (!suffix.empty() && suffix != "b" && suffix != "ib")) {
    return Expected(kForm, text);
  }
  const uint64_t factor = uint64_t{1} << (10 * (power + 1));
  if (value > std::numeric_limits<uint64_t>::max() / factor) return Expected(kForm, text);
  return value * factor;
}

Result<double> ParseGoFloat(std::string_view text) {
  constexpr std::string_view kForm = "a number";
  std::string_view rest = text;
  const bool negative = rest.starts_with('-');
  const bool sign = negative || rest.starts_with('+');
  if (sign) rest.remove_prefix(1);
  std::string word = Lowered(rest);
  if (word == "inf" || word == "infinity") {
    const double infinity = std::numeric_limits<double>::infinity();
    return negative ? -infinity : infinity;
  }
  if (word == "nan" && !sign) return std::numeric_limits<double>::quiet_NaN();

  const bool hex = word.starts_with("0x");
  if (!UnderscoresSeparateDigits(word, hex)) return Expected(kForm, text);
  std::erase(word, '_');
  const std::string_view number = word;
  const bool valid = hex ? IsGoNumber(number.substr(2), IsHexDigit, 'p', /*need_exponent=*/true)
                         : IsGoNumber(number, IsDigit, 'e', /*need_exponent=*/false);
  if (!valid) return Expected(kForm, text);
  // The form is checked, so strtod reads all of it; the process keeps the "C" locale.
  const double value = std::strtod(word.c_str(), nullptr);
  if (std::isinf(value)) return Expected("a number that a double can hold", text);
  return negative ? -value : value;
}

}  // namespace agent
