#include "base/utf8.h"

#include <cstring>

namespace agent {
namespace {

constexpr char32_t kReplacement = 0xFFFD;

constexpr uint8_t Byte(std::string_view text, std::size_t i) {
  return static_cast<uint8_t>(text[i]);
}

constexpr bool IsContinuation(uint8_t byte) {
  return (byte & 0xC0) == 0x80;
}

// What may follow a lead byte: how many bytes in all, and the range of the second one, which rules
// out overlong forms, surrogates and runes beyond U+10FFFF. Size 0: not a lead byte.
struct Lead {
  std::size_t size = 0;
  uint8_t second_min = 0x80;
  uint8_t second_max = 0xBF;
};

constexpr Lead LeadOf(uint8_t byte) {
  if (byte < 0xC2) return {};
  if (byte < 0xE0) return {.size = 2};
  if (byte == 0xE0) return {.size = 3, .second_min = 0xA0};
  if (byte == 0xED) return {.size = 3, .second_max = 0x9F};
  if (byte < 0xF0) return {.size = 3};
  if (byte == 0xF0) return {.size = 4, .second_min = 0x90};
  if (byte < 0xF4) return {.size = 4};
  if (byte == 0xF4) return {.size = 4, .second_max = 0x8F};
  return {};
}

// The number of leading ASCII bytes, eight at a time.
std::size_t AsciiPrefix(std::string_view text) {
  std::size_t i = 0;
  for (; i + sizeof(uint64_t) <= text.size(); i += sizeof(uint64_t)) {
    uint64_t word = 0;
    std::memcpy(&word, text.data() + i, sizeof word);
    if ((word & 0x8080808080808080ULL) != 0) break;
  }
  while (i < text.size() && Byte(text, i) < 0x80)
    ++i;
  return i;
}

}  // namespace

bool IsValidUtf8(std::string_view text) {
  for (;;) {
    text.remove_prefix(AsciiPrefix(text));
    if (text.empty()) return true;
    const DecodedRune rune = DecodeRune(text);
    if (!rune.valid) return false;
    text.remove_prefix(rune.size);
  }
}

DecodedRune DecodeRune(std::string_view text) {
  const uint8_t first = Byte(text, 0);
  if (first < 0x80) return {.rune = first, .size = 1, .valid = true};
  const Lead lead = LeadOf(first);
  if (lead.size == 0 || text.size() < lead.size) return {};
  const uint8_t second = Byte(text, 1);
  if (second < lead.second_min || second > lead.second_max) return {};

  // A lead byte of n bytes carries 7 - n bits.
  char32_t rune = first & ((1U << (7 - lead.size)) - 1);
  for (std::size_t i = 1; i < lead.size; ++i) {
    const uint8_t byte = Byte(text, i);
    if (!IsContinuation(byte)) return {};
    rune = (rune << 6) | (byte & 0x3FU);
  }
  return {.rune = rune, .size = lead.size, .valid = true};
}

void AppendUtf8(char32_t rune, std::string& out) {
  if (rune > 0x10FFFF || (rune >= 0xD800 && rune <= 0xDFFF)) rune = kReplacement;
  const auto low = [rune](unsigned shift) {
    return static_cast<char>(0x80U | ((rune >> shift) & 0x3FU));
  };
  if (rune < 0x80) {
    out += static_cast<char>(rune);
  } else if (rune < 0x800) {
    out += static_cast<char>(0xC0U | (rune >> 6));
    out += low(0);
  } else if (rune < 0x10000) {
    out += static_cast<char>(0xE0U | (rune >> 12));
    out += low(6);
    out += low(0);
  } else {
    out += static_cast<char>(0xF0U | (rune >> 18));
    out += low(12);
    out += low(6);
    out += low(0);
  }
}

void AppendSanitized(std::string_view text, std::string& out) {
  while (!text.empty()) {
    const std::size_t ascii = AsciiPrefix(text);
    out.append(text.substr(0, ascii));
    text.remove_prefix(ascii);
    if (text.empty()) return;
    const DecodedRune rune = DecodeRune(text);
    if (rune.valid) {
      out.append(text.substr(0, rune.size));
    } else {
      AppendUtf8(kReplacement, out);
    }
    text.remove_prefix(rune.size);
  }
}

}  // namespace agent
