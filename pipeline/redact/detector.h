// What finds one kind of personal data or secret in a text. Each detector has triggers, which a
// vectorised scan looks for in every line, and a function that looks closely at the place of one.
//
// Rules that keep redacting stable (what was redacted is not found again, and nothing new appears
// beside it): a value begins and ends at ASCII characters or whole UTF-8 letters, and has neither a
// letter nor a digit directly in front of it or behind it.

#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace agent::redact {

// Where a value stands in a text.
struct Found {
  std::size_t begin = 0;
  std::size_t end = 0;

  bool operator==(const Found&) const = default;
};

enum class TriggerKind : uint8_t {
  kLiteral,     // A text.
  kIpv4,        // The last digit of a number before a dot, with another such place right behind.
  kIpv6Groups,  // The last digit of the first of several groups of hexadecimal digits and colons.
  kCard,        // The first digit of thirteen, or of four that a space or dash and four follow.
  kIban,        // The first of two capital letters and two digits.
};

struct Trigger {
  TriggerKind kind = TriggerKind::kLiteral;
  std::string_view literal{};
  // Where the three bytes of the literal are that the scan looks for: the rarest. Of a shorter
  // literal, 0.
  uint8_t rare_at = 0;
};

// The value that the trigger at `at` belongs to, if it is one. Bounded work beside the length of
// the value: a text made of nothing but triggers takes time in proportion to its length.
using FindFunction = std::optional<Found> (*)(std::string_view text, std::size_t at);

struct Detector {
  std::string_view name;  // In the configuration, in replacements and in the metric.
  bool is_default = false;
  std::span<const Trigger> triggers;
  FindFunction find = nullptr;
  // Appends the value in the one form that is hashed, so that two spellings are equal.
  void (*normalize)(std::string_view value, std::string& out) = nullptr;
  std::string_view example;  // A text with one value.
};

// All of them. Where two find the same place, the first one here has it.
std::span<const Detector> AllDetectors();

// One file each: what AllDetectors() is made of.
std::span<const Detector> EmailDetectors();
std::span<const Detector> IpAddressDetectors();
std::span<const Detector> PaymentCardDetectors();
std::span<const Detector> IbanDetectors();
std::span<const Detector> JwtDetectors();
std::span<const Detector> HttpAuthDetectors();
std::span<const Detector> CloudKeyDetectors();
std::span<const Detector> ServiceTokenDetectors();
std::span<const Detector> PrivateKeyDetectors();

void AppendAsItIs(std::string_view value, std::string& out);

}  // namespace agent::redact
