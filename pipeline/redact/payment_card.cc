// Numbers of payment cards: an issuer's first digits, a length that this issuer uses, and the check
// digit of Luhn. Written in one piece, or in the groups that are printed on the card with one space
// or one dash between them. Of random numbers with 16 digits about one in forty passes.

#include <array>
#include <initializer_list>

#include "pipeline/redact/chars.h"
#include "pipeline/redact/detector.h"

namespace agent::redact {
namespace {

constexpr std::size_t kMinDigits = 13;
constexpr std::size_t kMaxDigits = 19;

struct CardDigits {
  std::array<uint8_t, kMaxDigits> digits{};
  std::size_t size = 0;
};

// Which numbers an issuer gives out: from `first` to `last`, as the leading digits.
struct IssuerRange {
  int first = 0;
  int last = 0;
  int prefix_digits = 0;
  std::size_t min_size = 0;
  std::size_t max_size = 0;
};

constexpr std::array<IssuerRange, 19> kIssuers = {{
    {4, 4, 1, 13, 19},                               // Visa: 13, 16 or 19.
    {51, 55, 2, 16, 16},                             // Mastercard.
    {2221, 2720, 4, 16, 16},                         // Mastercard.
    {34, 34, 2, 15, 15},                             // American Express.
    {37, 37, 2, 15, 15},     {300, 305, 3, 14, 19},  // Diners Club.
    {3095, 3095, 4, 14, 19}, {36, 36, 2, 14, 19},     {38, 39, 2, 14, 19},
    {6011, 6011, 4, 16, 19},                                                    // Discover.
    {644, 649, 3, 16, 19},   {65, 65, 2, 16, 19},     {3528, 3589, 4, 16, 19},  // JCB.
    {62, 62, 2, 16, 19},                                                        // UnionPay.
    {2200, 2204, 4, 16, 19},                                                    // Mir.
    {5018, 5020, 4, 13, 19},                                                    // Maestro.
    {5038, 5038, 4, 13, 19}, {6304, 6304, 4, 13, 19}, {6759, 6763, 4, 13, 19},
}};

int Prefix(const CardDigits& card, int digits) {
  int prefix = 0;
  for (int i = 0; i < digits; ++i)
    prefix = prefix * 10 + card.digits[static_cast<std::size_t>(i)];
  return prefix;
}

bool HasIssuer(const CardDigits& card) {
  if (card.digits[0] == 4) return card.size == 13 || card.size == 16 || card.size == 19;
  for (const IssuerRange& issuer : kIssuers) {
    const int prefix = Prefix(card, issuer.prefix_digits);
    if (prefix >= issuer.first && prefix <= issuer.last) {
      return card.size >= issuer.min_size && card.size <= issuer.max_size;
    }
  }
  return false;
}

bool PassesLuhn(const CardDigits& card) {
  unsigned sum = 0;
  for (std::size_t i = 0; i < card.size; ++i) {
    unsigned digit = card.digits[card.size - 1 - i];
    if (i % 2 == 1) digit = digit < 5 ? digit * 2 : digit * 2 - 9;
    sum += digit;
  }
  return sum % 10 == 0;
}

bool IsCard(const CardDigits& card) {
  return HasIssuer(card) && PassesLuhn(card);
}

void Append(std::string_view digits, CardDigits& card) {
  for (const char c : digits)
    card.digits[card.size++] = static_cast<uint8_t>(c - '0');
}

bool IsWord(std::string_view text, std::size_t at) {
  return IsAt(text, at, kAlnum) || IsAt(text, at, '_');
}

// Part of a longer number: 0.4111111111111111.
bool IsFractionBefore(std::string_view text, std::size_t begin) {
  return IsBefore(text, begin, '.') && IsBefore(text, begin - 1, kDigit);
}

bool EndsHere(std::string_view text, std::size_t end) {
  if (IsWord(text, end)) return false;
  return !IsAt(text, end, '.') || !IsAt(text, end + 1, kDigit);
}

// The end of a card in groups of these sizes; 0: there is none.
std::size_t GroupedEnd(std::string_view text, std::size_t begin,
                       std::initializer_list<std::size_t> sizes) {
  const char separator = text[begin + 4];
  CardDigits card;
  std::size_t at = begin;
  for (const std::size_t size : sizes) {
    if (at > begin) {
      if (!IsAt(text, at, separator)) return 0;
      ++at;
    }
    const std::size_t end = RunEnd(text, at, kDigit);
    if (end - at != size) return 0;
    Append(text.substr(at, size), card);
    at = end;
  }
  return EndsHere(text, at) && IsCard(card) ? at : 0;
}

std::optional<Found> FindPaymentCard(std::string_view text, std::size_t at) {
  if (IsBefore(text, at, kAlnum) || IsBefore(text, at, '_') || IsFractionBefore(text, at)) {
    return std::nullopt;
  }
  const std::size_t run_end = RunEnd(text, at, kDigit);
  const std::size_t digits = run_end - at;
  if (digits >= kMinDigits) {
    if (digits > kMaxDigits || !EndsHere(text, run_end)) return std::nullopt;
    CardDigits card;
    Append(text.substr(at, digits), card);
    return IsCard(card) ? std::optional(Found{at, run_end}) : std::nullopt;
  }
  const bool grouped = digits == 4 && (IsAt(text, run_end, ' ') || IsAt(text, run_end, '-'));
  if (!grouped) return std::nullopt;
  for (const auto& sizes :
       {std::initializer_list<std::size_t>{4, 4, 4, 4, 3}, {4, 4, 4, 4}, {4, 6, 5}, {4, 6, 4}}) {
    if (const std::size_t end = GroupedEnd(text, at, sizes)) return Found{at, end};
  }
  return std::nullopt;
}

void AppendDigits(std::string_view value, std::string& out) {
  for (const char c : value) {
    if (Is(c, kDigit)) out += c;
  }
}

constexpr std::array<Trigger, 1> kTriggers = {{{.kind = TriggerKind::kCard}}};

constexpr std::array<Detector, 1> kDetectors = {{
    {.name = "payment_card",
     .is_default = true,
     .triggers = kTriggers,
     .find = FindPaymentCard,
     .normalize = AppendDigits,
     .example = "card 4111 1111 1111 1111 declined"},
}};

}  // namespace

std::span<const Detector> PaymentCardDetectors() {
  return kDetectors;
}

}  // namespace agent::redact
