// International bank account numbers: a country, two check digits, and as many letters and digits
// as this country has, with a remainder of 1 by 97. In one piece or in groups of four with a space
// between them; capital letters, as they are written.

#include <algorithm>
#include <array>

#include "pipeline/redact/chars.h"
#include "pipeline/redact/detector.h"

namespace agent::redact {
namespace {

struct Country {
  std::string_view code;
  std::size_t size;  // Of the whole number.
};

// Sorted. From the registry that SWIFT keeps.
constexpr std::array<Country, 89> kCountries = {{
    {"AD", 24}, {"AE", 23}, {"AL", 28}, {"AT", 20}, {"AZ", 28}, {"BA", 20}, {"BE", 16}, {"BG", 22},
    {"BH", 22}, {"BI", 27}, {"BR", 29}, {"BY", 28}, {"CH", 21}, {"CR", 22}, {"CY", 28}, {"CZ", 24},
    {"DE", 22}, {"DJ", 27}, {"DK", 18}, {"DO", 28}, {"EE", 20}, {"EG", 29}, {"ES", 24}, {"FI", 18},
    {"FK", 18}, {"FO", 18}, {"FR", 27}, {"GB", 22}, {"GE", 22}, {"GI", 23}, {"GL", 18}, {"GR", 27},
    {"GT", 28}, {"HN", 28}, {"HR", 21}, {"HU", 28}, {"IE", 22}, {"IL", 23}, {"IQ", 23}, {"IS", 26},
    {"IT", 27}, {"JO", 30}, {"KW", 30}, {"KZ", 20}, {"LB", 28}, {"LC", 32}, {"LI", 21}, {"LT", 20},
    {"LU", 20}, {"LV", 21}, {"LY", 25}, {"MC", 27}, {"MD", 24}, {"ME", 22}, {"MK", 19}, {"MN", 20},
    {"MR", 27}, {"MT", 31}, {"MU", 30}, {"NI", 28}, {"NL", 18}, {"NO", 15}, {"OM", 23}, {"PK", 24},
    {"PL", 28}, {"PS", 29}, {"PT", 25}, {"QA", 29}, {"RO", 24}, {"RS", 22}, {"RU", 33}, {"SA", 24},
    {"SC", 31}, {"SD", 18}, {"SE", 24}, {"SI", 19}, {"SK", 24}, {"SM", 27}, {"SO", 23}, {"ST", 25},
    {"SV", 28}, {"TL", 23}, {"TN", 24}, {"TR", 26}, {"UA", 29}, {"VA", 22}, {"VG", 24}, {"XK", 20},
    {"YE", 30},
}};

constexpr std::size_t kMaxSize = 34;

// 0: no country.
std::size_t SizeIn(std::string_view code) {
  const auto* const at = std::lower_bound(
      kCountries.begin(), kCountries.end(), code,
      [](const Country& country, std::string_view wanted) { return country.code < wanted; });
  return at != kCountries.end() && at->code == code ? at->size : 0;
}

// The whole number without spaces: letters count as 10 to 35, the first four characters come last.
bool PassesMod97(std::string_view iban) {
  unsigned remainder = 0;
  for (std::size_t i = 0; i < iban.size(); ++i) {
    const char c = iban[(i + 4) % iban.size()];
    const bool is_digit = Is(c, kDigit);
    const auto value = static_cast<unsigned>(is_digit ? c - '0' : c - 'A' + 10);
    remainder = (remainder * (is_digit ? 10 : 100) + value) % 97;
  }
  return remainder == 1;
}

std::optional<Found> FindIban(std::string_view text, std::size_t at) {
  if (IsBefore(text, at, kAlnum) || IsBefore(text, at, '_')) return std::nullopt;
  const std::size_t size = SizeIn(text.substr(at, 2));
  if (size == 0) return std::nullopt;
  const bool spaced = IsAt(text, at + 4, ' ');
  std::array<char, kMaxSize> iban{};
  std::size_t next = at;
  for (std::size_t i = 0; i < size; ++i) {
    if (spaced && i > 0 && i % 4 == 0) {
      if (!IsAt(text, next, ' ')) return std::nullopt;
      ++next;
    }
    if (!IsAt(text, next, kCapitalOrDigit)) return std::nullopt;
    iban[i] = text[next++];
  }
  if (IsAt(text, next, kAlnum) || IsAt(text, next, '_')) return std::nullopt;
  if (!PassesMod97({iban.data(), size})) return std::nullopt;
  return Found{at, next};
}

void AppendWithoutSpaces(std::string_view value, std::string& out) {
  for (const char c : value) {
    if (c != ' ') out += c;
  }
}

constexpr std::array<Trigger, 1> kTriggers = {{{.kind = TriggerKind::kIban}}};

constexpr std::array<Detector, 1> kDetectors = {{
    {.name = "iban",
     .is_default = true,
     .triggers = kTriggers,
     .find = FindIban,
     .normalize = AppendWithoutSpaces,
     .example = "to DE89 3704 0044 0532 0130 00"},
}};

}  // namespace

std::span<const Detector> IbanDetectors() {
  return kDetectors;
}

}  // namespace agent::redact
