#include "pipeline/json/json_strings.h"

#include <array>

namespace agent {
namespace {

constexpr int32_t kReplacement = 0xFFFD;

constexpr std::array<char, 256> MakeEscapes() {
  std::array<char, 256> table{};
  table['"'] = '"';
  table['\\'] = '\\';
  table['/'] = '/';
  table['b'] = '\b';
  table['f'] = '\f';
  table['n'] = '\n';
  table['r'] = '\r';
  table['t'] = '\t';
  return table;
}
constexpr std::array<char, 256> kEscapes = MakeEscapes();

int32_t HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool IsSurrogate(int32_t unit) {
  return unit >= 0xD800 && unit < 0xE000;
}
bool IsHighSurrogate(int32_t unit) {
  return unit >= 0xD800 && unit < 0xDC00;
}
bool IsLowSurrogate(int32_t unit) {
  return unit >= 0xDC00 && unit < 0xE000;
}

char Byte(int32_t value) {
  return static_cast<char>(static_cast<unsigned char>(value));
}

// A lone surrogate becomes U+FFFD.
void PutRune(int32_t rune, char*& out) {
  if (IsSurrogate(rune)) rune = kReplacement;
  if (rune < 0x80) {
    *out++ = Byte(rune);
    return;
  }
  if (rune < 0x800) {
    *out++ = Byte(0xC0 | (rune >> 6));
    *out++ = Byte(0x80 | (rune & 0x3F));
    return;
  }
  if (rune < 0x10000) {
    *out++ = Byte(0xE0 | (rune >> 12));
  } else {
    *out++ = Byte(0xF0 | (rune >> 18));
    *out++ = Byte(0x80 | ((rune >> 12) & 0x3F));
  }
  *out++ = Byte(0x80 | ((rune >> 6) & 0x3F));
  *out++ = Byte(0x80 | (rune & 0x3F));
}

}  // namespace

char SimpleEscape(char letter) {
  return kEscapes[static_cast<unsigned char>(letter)];
}

int32_t HexDigits4(const char* p) {
  int32_t value = 0;
  for (int i = 0; i < 4; ++i) {
    const int32_t digit = HexDigit(p[i]);
    if (digit < 0) return -1;
    value = value * 16 + digit;
  }
  return value;
}

std::size_t EscapeLength(const char* p, const char* end) {
  if (end - p < 2) return 0;
  if (SimpleEscape(p[1]) != 0) return 2;
  return p[1] == 'u' && end - p >= 6 && HexDigits4(p + 2) >= 0 ? 6 : 0;
}

std::size_t DecodeUnicodeEscape(const char* p, const char* end, char*& out) {
  const int32_t first = HexDigits4(p + 2);
  if (!IsSurrogate(first) || end - p < 12 || p[6] != '\\' || p[7] != 'u') {
    PutRune(first, out);
    return 6;
  }
  const int32_t second = HexDigits4(p + 8);
  if (IsHighSurrogate(first) && IsLowSurrogate(second)) {
    PutRune(0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00), out);
  } else {
    PutRune(first, out);
    PutRune(second, out);
  }
  return 12;
}

std::size_t DecodeString(const char* begin, const char* end, char* out) {
  char* at = out;
  for (const char* p = begin; p < end;) {
    const auto* backslash =
        static_cast<const char*>(std::memchr(p, '\\', static_cast<std::size_t>(end - p)));
    const char* stop = backslash != nullptr ? backslash : end;
    std::memcpy(at, p, static_cast<std::size_t>(stop - p));
    at += stop - p;
    p = stop;
    if (p == end) break;
    if (const char simple = SimpleEscape(p[1]); simple != 0) {
      *at++ = simple;
      p += 2;
    } else {
      p += DecodeUnicodeEscape(p, end, at);
    }
  }
  return static_cast<std::size_t>(at - out);
}

}  // namespace agent
