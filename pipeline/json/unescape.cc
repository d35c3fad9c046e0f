#include "pipeline/json/unescape.h"

#include <cstdint>
#include <cstring>
#include <vector>

#include "pipeline/json/json_strings.h"

#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

// Measured on lines of 395 bytes with a JSON line inside (every fourteenth byte a backslash),
// wrapper and all, in GB/s of input: AVX-512 5.7, AVX2 2.5, SSE2 2.3, portable 0.7. The first
// backslash after a load is found by a chain of dependent instructions; walking the bits of one
// load, instead of loading anew after each escape, is what makes the narrow ones fast enough.

namespace agent {
namespace {

// Decodes the escape at `p`. Its length, or 0 when it is wrong or cut off.
std::size_t DecodeEscape(const char* p, const char* end, char*& out) {
  if (const char simple = SimpleEscape(p[1]); simple != 0) {
    *out++ = simple;
    return 2;
  }
  if (EscapeLength(p, end) == 0) return 0;
  // Only a pair that is all there and right is for this place.
  if (end - p >= 12 && p[6] == '\\' && p[7] == 'u' && HexDigits4(p + 8) < 0) return 0;
  return DecodeUnicodeEscape(p, end, out);
}

// V::kWidth bytes at a time; V::Specials() has a bit for each quote, backslash and control
// character.
template <typename V>
[[gnu::always_inline]] inline Unescaped UnescapeLoop(const char* p, const char* end, char* out) {
  char* o = out;
  while (p < end) {
    const char* const block = p;
    std::size_t done = 0;  // Of the block.
    for (uint64_t specials = V::Specials(block); specials != 0;) {
      const auto at = static_cast<std::size_t>(__builtin_ctzll(specials));
      V::Copy(o, block + done);
      o += at - done;
      const char* const special = block + at;
      if (special >= end) return {};
      if (*special == '"') return {special, static_cast<std::size_t>(o - out)};
      if (*special != '\\') return {};
      const std::size_t length = DecodeEscape(special, end, o);
      if (length == 0) return {};
      done = at + length;
      specials = done < V::kWidth ? specials & (~uint64_t{0} << done) : 0;
    }
    if (done < V::kWidth) {
      V::Copy(o, block + done);
      o += V::kWidth - done;
      done = V::kWidth;
    }
    p = block + done;
  }
  return {};
}

struct Portable {
  static constexpr std::size_t kWidth = 8;
  static uint64_t Specials(const char* p) {
    uint64_t bits = 0;
    for (std::size_t i = 0; i < kWidth; ++i) {
      const auto c = static_cast<unsigned char>(p[i]);
      bits |= static_cast<uint64_t>(c == '"' || c == '\\' || c < 0x20) << i;
    }
    return bits;
  }
  static void Copy(char* to, const char* from) { std::memcpy(to, from, kWidth); }
};

Unescaped UnescapePortable(const char* p, const char* end, char* out) {
  return UnescapeLoop<Portable>(p, end, out);
}

#if defined(__x86_64__)

struct Sse2 {
  static constexpr std::size_t kWidth = 16;
  static uint64_t Specials(const char* p) {
    const __m128i text = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
    const __m128i control = _mm_cmpeq_epi8(_mm_min_epu8(text, _mm_set1_epi8(0x1f)), text);
    const __m128i quote = _mm_cmpeq_epi8(text, _mm_set1_epi8('"'));
    const __m128i backslash = _mm_cmpeq_epi8(text, _mm_set1_epi8('\\'));
    return static_cast<unsigned>(
        _mm_movemask_epi8(_mm_or_si128(control, _mm_or_si128(quote, backslash))));
  }
  static void Copy(char* to, const char* from) { std::memcpy(to, from, kWidth); }
};

Unescaped UnescapeSse2(const char* p, const char* end, char* out) {
  return UnescapeLoop<Sse2>(p, end, out);
}

struct Avx2 {
  static constexpr std::size_t kWidth = 32;
  __attribute__((target("avx2"))) static uint64_t Specials(const char* p) {
    const __m256i text = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
    const __m256i control = _mm256_cmpeq_epi8(_mm256_min_epu8(text, _mm256_set1_epi8(0x1f)), text);
    const __m256i quote = _mm256_cmpeq_epi8(text, _mm256_set1_epi8('"'));
    const __m256i backslash = _mm256_cmpeq_epi8(text, _mm256_set1_epi8('\\'));
    return static_cast<unsigned>(
        _mm256_movemask_epi8(_mm256_or_si256(control, _mm256_or_si256(quote, backslash))));
  }
  __attribute__((target("avx2"))) static void Copy(char* to, const char* from) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(to),
                        _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from)));
  }
};

__attribute__((target("avx2"))) Unescaped UnescapeAvx2(const char* p, const char* end, char* out) {
  return UnescapeLoop<Avx2>(p, end, out);
}

// Which of 64 characters have an escaping backslash in front of them. A run of backslashes may
// begin in the block before.
class EscapeFinder {
 public:
  struct Masks {
    uint64_t escaped;   // The characters after such a backslash.
    uint64_t escaping;  // The backslashes.
  };
  Masks Next(uint64_t backslashes) {
    const uint64_t fresh = backslashes & ~carry_;
    // Subtracting lets a borrow run through each row of backslashes: where it comes out says
    // whether the row was of odd length.
    constexpr uint64_t kOdd = 0xAAAA'AAAA'AAAA'AAAA;
    const uint64_t ends = (((fresh << 1) | kOdd) - fresh) ^ kOdd;
    const Masks masks = {ends ^ (backslashes | carry_), ends & backslashes};
    carry_ = masks.escaping >> 63;
    return masks;
  }
  [[nodiscard]] bool pending() const { return carry_ != 0; }

 private:
  uint64_t carry_ = 0;  // 1: the first character is escaped.
};

#define AGENT_AVX512 __attribute__((target("avx512f,avx512bw,avx512vbmi2,avx2")))

// Puts what they stand for in place of the letters n, t and r; false when there are others.
AGENT_AVX512 bool ReplaceLetters(__m512i& text, uint64_t letters) {
  const __mmask64 n = _mm512_mask_cmpeq_epi8_mask(letters, text, _mm512_set1_epi8('n'));
  const __mmask64 t = _mm512_mask_cmpeq_epi8_mask(letters, text, _mm512_set1_epi8('t'));
  const __mmask64 r = _mm512_mask_cmpeq_epi8_mask(letters, text, _mm512_set1_epi8('r'));
  if ((letters & ~(n | t | r)) != 0) return false;
  text = _mm512_mask_mov_epi8(text, n, _mm512_set1_epi8('\n'));
  text = _mm512_mask_mov_epi8(text, t, _mm512_set1_epi8('\t'));
  text = _mm512_mask_mov_epi8(text, r, _mm512_set1_epi8('\r'));
  return true;
}

// Drops the escaping backslashes of a whole vector at once. Rare escapes go to the AVX2 loop, with
// the rest of the string.
AGENT_AVX512 Unescaped UnescapeAvx512(const char* p, const char* end, char* out) {
  char* o = out;
  EscapeFinder finder;
  for (; p < end; p += 64) {
    __m512i text = _mm512_loadu_si512(p);
    const uint64_t backslashes = _mm512_cmpeq_epi8_mask(text, _mm512_set1_epi8('\\'));
    const uint64_t quotes = _mm512_cmpeq_epi8_mask(text, _mm512_set1_epi8('"'));
    const uint64_t controls = _mm512_cmplt_epu8_mask(text, _mm512_set1_epi8(0x20));
    const bool mid_escape = finder.pending();
    if ((backslashes | quotes | controls) == 0 && !mid_escape) {
      _mm512_storeu_si512(o, text);
      o += 64;
      continue;
    }
    const EscapeFinder::Masks masks = finder.Next(backslashes);
    const uint64_t stop = quotes & ~masks.escaped;
    const uint64_t inside = stop != 0 ? (stop & (~stop + 1)) - 1 : ~uint64_t{0};
    if ((controls & inside) != 0) return {};
    const uint64_t letters = masks.escaped & inside & ~(backslashes | quotes);
    if (letters != 0 && !ReplaceLetters(text, letters)) {
      Unescaped rest = UnescapeAvx2(mid_escape ? p - 1 : p, end, o);
      rest.size += static_cast<std::size_t>(o - out);
      return rest;
    }
    const uint64_t kept = inside & ~masks.escaping;
    _mm512_storeu_si512(o, _mm512_maskz_compress_epi8(kept, text));
    o += __builtin_popcountll(kept);
    if (stop == 0) continue;
    const char* const quote = p + __builtin_ctzll(stop);
    if (quote >= end) return {};
    return {quote, static_cast<std::size_t>(o - out)};
  }
  return {};
}

#undef AGENT_AVX512

#elif defined(__aarch64__)

struct Neon {
  static constexpr std::size_t kWidth = 16;
  static uint64_t Specials(const char* p) {
    static constexpr uint8_t kBits[16] = {1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128};
    const uint8x16_t text = vld1q_u8(reinterpret_cast<const uint8_t*>(p));
    const uint8x16_t special =
        vorrq_u8(vcltq_u8(text, vdupq_n_u8(0x20)),
                 vorrq_u8(vceqq_u8(text, vdupq_n_u8('"')), vceqq_u8(text, vdupq_n_u8('\\'))));
    const uint8x16_t bits = vandq_u8(special, vld1q_u8(kBits));
    return static_cast<uint64_t>(vaddv_u8(vget_low_u8(bits))) |
           static_cast<uint64_t>(vaddv_u8(vget_high_u8(bits))) << 8;
  }
  static void Copy(char* to, const char* from) { std::memcpy(to, from, kWidth); }
};

Unescaped UnescapeNeon(const char* p, const char* end, char* out) {
  return UnescapeLoop<Neon>(p, end, out);
}

#endif

std::vector<UnescapeVariant> FindVariants() {
  std::vector<UnescapeVariant> variants;
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vbmi2")) {
    variants.push_back({"avx512", UnescapeAvx512});
  }
  if (__builtin_cpu_supports("avx2")) variants.push_back({"avx2", UnescapeAvx2});
  variants.push_back({"sse2", UnescapeSse2});
#elif defined(__aarch64__)
  variants.push_back({"neon", UnescapeNeon});
#endif
  variants.push_back({"portable", UnescapePortable});
  return variants;
}

}  // namespace

std::span<const UnescapeVariant> UnescapeVariants() {
  static const std::vector<UnescapeVariant> kVariants = FindVariants();
  return kVariants;
}

}  // namespace agent
