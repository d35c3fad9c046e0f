#include "pipeline/redact/base64.h"

#include <cstdint>

#include "pipeline/redact/chars.h"

namespace agent::redact {
namespace {

int Value(char c) {
  if (Is(c, kUpper)) return c - 'A';
  if (Is(c, kLower)) return c - 'a' + 26;
  if (Is(c, kDigit)) return c - '0' + 52;
  if (c == '+' || c == '-') return 62;
  return c == '/' || c == '_' ? 63 : -1;
}

}  // namespace

bool DecodeBase64(std::string_view text, std::string& out) {
  while (text.ends_with('='))
    text.remove_suffix(1);
  if (text.size() % 4 == 1) return false;
  out.clear();
  uint32_t bits = 0;
  unsigned held = 0;
  for (const char c : text) {
    const int value = Value(c);
    if (value < 0) return false;
    bits = bits << 6U | static_cast<uint32_t>(value);
    held += 6;
    if (held < 8) continue;
    held -= 8;
    out += static_cast<char>(bits >> held & 0xFFU);
  }
  return true;
}

}  // namespace agent::redact
