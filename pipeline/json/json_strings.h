// The inside of JSON strings: finding their end quickly, checking and decoding their escapes.
//
// All functions may read up to kTextPadding bytes past `end`, as everything in a block may; what
// lies there does not change their answer.

#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#if defined(__SSE2__)
#include <emmintrin.h>
#elif defined(__ARM_NEON)
#include <arm_neon.h>
#endif

namespace agent {

// The first quote, backslash or control character (below 0x20) at or after `p`; anything at or
// after `end` when there is none.
inline const char* FindStringSpecial(const char* p, const char* end) {
#if defined(__SSE2__)
  // Most strings of a log line end within one vector: wider ones gain nothing here.
  const __m128i quote = _mm_set1_epi8('"');
  const __m128i backslash = _mm_set1_epi8('\\');
  const __m128i last_control = _mm_set1_epi8(0x1f);
  for (; p < end; p += 16) {
    const __m128i text = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
    const __m128i special =
        _mm_or_si128(_mm_or_si128(_mm_cmpeq_epi8(text, quote), _mm_cmpeq_epi8(text, backslash)),
                     _mm_cmpeq_epi8(_mm_min_epu8(text, last_control), text));
    const auto mask = static_cast<unsigned>(_mm_movemask_epi8(special));
    if (mask != 0) return p + __builtin_ctz(mask);
  }
#elif defined(__ARM_NEON)
  const uint8x16_t quote = vdupq_n_u8('"');
  const uint8x16_t backslash = vdupq_n_u8('\\');
  const uint8x16_t space = vdupq_n_u8(0x20);
  for (; p < end; p += 16) {
    const uint8x16_t text = vld1q_u8(reinterpret_cast<const uint8_t*>(p));
    const uint8x16_t special =
        vorrq_u8(vorrq_u8(vceqq_u8(text, quote), vceqq_u8(text, backslash)), vcltq_u8(text, space));
    // Four bits for each byte.
    const uint64_t mask =
        vget_lane_u64(vreinterpret_u64_u8(vshrn_n_u16(vreinterpretq_u16_u8(special), 4)), 0);
    if (mask != 0) return p + (__builtin_ctzll(mask) >> 2);
  }
#else
  for (; p < end; ++p) {
    const auto c = static_cast<unsigned char>(*p);
    if (c == '"' || c == '\\' || c < 0x20) return p;
  }
#endif
  return p;
}

// What a one-letter escape stands for: 'n' to newline. 0 for 'u' and for what is no escape.
char SimpleEscape(char letter);

// The value of four hexadecimal digits; negative when they are not.
int32_t HexDigits4(const char* p);

// The length of the escape at `p` (a backslash) if it is a valid one that ends before `end`, else
// 0.
std::size_t EscapeLength(const char* p, const char* end);

// Decodes what stands between the quotes of a string whose escapes are valid. Writes at most
// `end - begin` bytes to `out`, which may not overlap it, and returns how many.
//
// Surrogates pair up as in the decoder that Promtail uses: the second of two \u escapes that are no
// pair is not looked at again, so each of them becomes U+FFFD. Bytes that are not UTF-8 stay.
std::size_t DecodeString(const char* begin, const char* end, char* out);

// Decodes one \u escape, or two that belong together, at `p` (a backslash; valid). Returns the
// bytes consumed and appends at `out`, which it moves.
std::size_t DecodeUnicodeEscape(const char* p, const char* end, char*& out);

}  // namespace agent
