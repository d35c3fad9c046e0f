#include "pipeline/stages/ansi.h"

#include <array>
#include <cstdint>
#include <cstring>

#if defined(__SSE2__)
#include <emmintrin.h>
#elif defined(__ARM_NEON)
#include <arm_neon.h>
#endif

namespace agent {
namespace {

constexpr char kEscape = '\x1b';
constexpr char kBell = '\x07';
// U+009B in UTF-8.
constexpr char kCsiFirst = '\xc2';
constexpr char kCsiSecond = '\x9b';

// What a byte may be in a sequence. No byte of the first class is in the third one, which is why
// the expression never gives one of them back.
enum : uint8_t { kPrefix = 1, kWord = 2, kFinal = 4, kDigit = 8 };

constexpr std::array<uint8_t, 256> MakeClasses() {
  std::array<uint8_t, 256> classes{};
  const auto add = [&classes](std::string_view bytes, uint8_t bit) {
    for (const char c : bytes)
      classes[static_cast<uint8_t>(c)] |= bit;
  };
  add("[]()#;?", kPrefix);
  add("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789;", kWord);
  add("0123456789ABCDEFGHIJKLMNOPRZcfghijklmntqry=><~", kFinal);
  add("0123456789", kDigit);
  return classes;
}
constexpr std::array<uint8_t, 256> kClasses = MakeClasses();

bool Is(char c, uint8_t bits) {
  return (kClasses[static_cast<uint8_t>(c)] & bits) != 0;
}

// After at most four digits from `p`.
const char* SkipParameter(const char* p, const char* end) {
  for (int i = 0; i < 4 && p < end && Is(*p, kDigit); ++i)
    ++p;
  return p;
}

// The end of the parameters and the final character that begin at `p`; null when they do not.
const char* ControlEnd(const char* p, const char* end) {
  if (p == end) return nullptr;
  if (!Is(*p, kDigit)) return Is(*p, kFinal) ? p + 1 : nullptr;
  const char* at = SkipParameter(p, end);
  while (at < end && *at == ';')
    at = SkipParameter(at + 1, end);
  if (at < end && Is(*at, kFinal)) return at + 1;
  // Nothing ends the parameters. The expression then takes their last digit for the final
  // character.
  while (at[-1] == ';')
    --at;
  return at;
}

#if defined(__SSE2__) || defined(__ARM_NEON)
// Whether a candidate, which a vector has found perhaps past the end, is an introducer.
const char* Checked(const char* candidate, const char* end) {
  if (candidate >= end) return end;
  // A first byte at the very end: the second one is not of this text.
  if (*candidate == kCsiFirst && candidate + 1 == end) return end;
  return candidate;
}
#endif

}  // namespace

const char* FindAnsiIntroducer(const char* p, const char* end) {
#if defined(__SSE2__)
  const __m128i escape = _mm_set1_epi8(kEscape);
  const __m128i first = _mm_set1_epi8(kCsiFirst);
  const __m128i second = _mm_set1_epi8(kCsiSecond);
  for (; p < end; p += 16) {
    const __m128i text = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
    const __m128i next = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p + 1));
    const __m128i found =
        _mm_or_si128(_mm_cmpeq_epi8(text, escape),
                     _mm_and_si128(_mm_cmpeq_epi8(text, first), _mm_cmpeq_epi8(next, second)));
    const auto mask = static_cast<unsigned>(_mm_movemask_epi8(found));
    if (mask != 0) return Checked(p + __builtin_ctz(mask), end);
  }
  return end;
#elif defined(__ARM_NEON)
  const uint8x16_t escape = vdupq_n_u8(static_cast<uint8_t>(kEscape));
  const uint8x16_t first = vdupq_n_u8(static_cast<uint8_t>(kCsiFirst));
  const uint8x16_t second = vdupq_n_u8(static_cast<uint8_t>(kCsiSecond));
  for (; p < end; p += 16) {
    const uint8x16_t text = vld1q_u8(reinterpret_cast<const uint8_t*>(p));
    const uint8x16_t next = vld1q_u8(reinterpret_cast<const uint8_t*>(p + 1));
    const uint8x16_t found =
        vorrq_u8(vceqq_u8(text, escape), vandq_u8(vceqq_u8(text, first), vceqq_u8(next, second)));
    // Four bits for each byte.
    const uint64_t mask =
        vget_lane_u64(vreinterpret_u64_u8(vshrn_n_u16(vreinterpretq_u16_u8(found), 4)), 0);
    if (mask != 0) return Checked(p + (__builtin_ctzll(mask) >> 2), end);
  }
  return end;
#else
  for (; p < end; ++p) {
    if (*p == kEscape) return p;
    if (*p == kCsiFirst && p + 1 < end && p[1] == kCsiSecond) return p;
  }
  return end;
#endif
}

std::size_t AnsiSequenceLength(std::string_view text) {
  const char* const begin = text.data();
  const char* const end = begin + text.size();
  const char* body = begin + (*begin == kEscape ? 1 : 2);
  while (body < end && Is(*body, kPrefix))
    ++body;
  // Preferred: anything up to a BEL, as in the setting of a window's title.
  const char* word = body;
  while (word < end && Is(*word, kWord))
    ++word;
  if (word < end && *word == kBell) return static_cast<std::size_t>(word + 1 - begin);
  const char* const control = ControlEnd(body, end);
  return control == nullptr ? 0 : static_cast<std::size_t>(control - begin);
}

std::string_view StripAnsi(std::string_view line, Arena& arena) {
  const char* const end = line.data() + line.size();
  const char* introducer = FindAnsiIntroducer(line.data(), end);
  if (introducer == end) return line;

  char* const stripped = arena.Allocate(line.size());
  std::size_t size = 0;
  const char* kept = line.data();  // Not yet copied.
  const auto copy_to = [&](const char* until) {
    const auto bytes = static_cast<std::size_t>(until - kept);
    if (bytes > 0) std::memcpy(stripped + size, kept, bytes);
    size += bytes;
  };
  while (introducer != end) {
    const std::size_t length =
        AnsiSequenceLength({introducer, static_cast<std::size_t>(end - introducer)});
    if (length == 0) {
      introducer = FindAnsiIntroducer(introducer + 1, end);
      continue;
    }
    copy_to(introducer);
    kept = introducer + length;
    introducer = FindAnsiIntroducer(kept, end);
  }
  copy_to(end);
  arena.Shrink(line.size(), size);
  return {stripped, size};
}

}  // namespace agent
