#include "outputs/snappy_encoder.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "base/check.h"

#if defined(__x86_64__)
#include <immintrin.h>
#define AGENT_SNAPPY_X86 1
#endif

namespace agent {
namespace {

static_assert(std::endian::native == std::endian::little);

constexpr int kHashShift = 64 - 13;
// Where less than this is left of a block, no match is looked for: wide loads stay inside.
constexpr std::size_t kTailBytes = 80;
constexpr std::size_t kWide = 64;

inline uint64_t Load64(const char* at) {
  uint64_t value = 0;
  std::memcpy(&value, at, sizeof(value));
  return value;
}

inline std::size_t Hash(uint64_t eight_bytes) {
  return static_cast<std::size_t>((eight_bytes * 0x9E3779B185EBCA87ULL) >> kHashShift);
}

// The end of a match, byte by byte or eight at a time: what the wide kernels leave over.
inline std::size_t ScalarMatch(const char* a, const char* b, const char* end) {
  const char* const start = b;
  for (; b + 8 <= end; a += 8, b += 8) {
    const uint64_t difference = Load64(a) ^ Load64(b);
    if (difference != 0) {
      return static_cast<std::size_t>(b - start) +
             static_cast<std::size_t>(std::countr_zero(difference)) / 8;
    }
  }
  while (b < end && *a == *b) {
    ++a;
    ++b;
  }
  return static_cast<std::size_t>(b - start);
}

// A kernel's operations: how many bytes are equal from a and b on; a bit for each of 64 equal
// bytes; 64 bytes copied.
struct PortableOps {
  static std::size_t Match(const char* a, const char* b, const char* end) {
    return ScalarMatch(a, b, end);
  }
  static uint64_t EqualMask(const char* a, const char* b) {
    uint64_t mask = 0;
    for (std::size_t at = 0; at < kWide; at += 8) {
      // 0x80 in each byte that is equal; then the eight top bits side by side.
      const uint64_t x = Load64(a + at) ^ Load64(b + at);
      constexpr uint64_t kLow = 0x7f7f7f7f7f7f7f7fULL;
      const uint64_t equal = ~(((x & kLow) + kLow) | x | kLow);
      mask |= (((equal >> 7) * 0x0102040810204080ULL) >> 56) << at;
    }
    return mask;
  }
  static void Copy64(char* to, const char* from) { std::memcpy(to, from, kWide); }
};

#ifdef AGENT_SNAPPY_X86
#define AGENT_AVX2 __attribute__((target("avx2,bmi,bmi2")))
#define AGENT_AVX512 __attribute__((target("avx512f,avx512bw,avx512vl,avx2,bmi,bmi2")))

struct Avx2Ops {
  AGENT_AVX2 static inline __m256i Load(const char* at) {
    return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(at));
  }
  AGENT_AVX2 static inline uint32_t Equal32(const char* a, const char* b) {
    return static_cast<uint32_t>(_mm256_movemask_epi8(_mm256_cmpeq_epi8(Load(a), Load(b))));
  }
  AGENT_AVX2 static inline std::size_t Match(const char* a, const char* b, const char* end) {
    const char* const start = b;
    for (; b + 32 <= end; a += 32, b += 32) {
      const uint32_t equal = Equal32(a, b);
      if (equal != ~uint32_t{0}) {
        return static_cast<std::size_t>(b - start) +
               static_cast<std::size_t>(std::countr_one(equal));
      }
    }
    return static_cast<std::size_t>(b - start) + ScalarMatch(a, b, end);
  }
  AGENT_AVX2 static inline uint64_t EqualMask(const char* a, const char* b) {
    return Equal32(a, b) | static_cast<uint64_t>(Equal32(a + 32, b + 32)) << 32;
  }
  AGENT_AVX2 static inline void Copy64(char* to, const char* from) {
    const __m256i low = Load(from);
    const __m256i high = Load(from + 32);
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), low);
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(to + 32), high);
  }
};

struct Avx512Ops {
  AGENT_AVX512 static inline uint64_t EqualMask(const char* a, const char* b) {
    return _mm512_cmpeq_epi8_mask(_mm512_loadu_si512(a), _mm512_loadu_si512(b));
  }
  AGENT_AVX512 static inline std::size_t Match(const char* a, const char* b, const char* end) {
    const char* const start = b;
    for (; b + 64 <= end; a += 64, b += 64) {
      const uint64_t equal = EqualMask(a, b);
      if (equal != ~uint64_t{0}) {
        return static_cast<std::size_t>(b - start) +
               static_cast<std::size_t>(std::countr_one(equal));
      }
    }
    return static_cast<std::size_t>(b - start) + ScalarMatch(a, b, end);
  }
  AGENT_AVX512 static inline void Copy64(char* to, const char* from) {
    _mm512_storeu_si512(to, _mm512_loadu_si512(from));
  }
};
#endif

// Writes a literal. `input_end` bounds wide loads; the output has slack for wide stores.
template <typename Ops>
[[gnu::always_inline]] inline char* PutLiteral(char* out, const char* from, std::size_t size,
                                               const char* input_end) {
  if (size <= 60) {
    *out++ = static_cast<char>((size - 1) << 2);
  } else if (size <= 256) {
    *out++ = static_cast<char>(60 << 2);
    *out++ = static_cast<char>(size - 1);
  } else {
    *out++ = static_cast<char>(61 << 2);
    *out++ = static_cast<char>(size - 1);
    *out++ = static_cast<char>((size - 1) >> 8);
  }
  if (static_cast<std::size_t>(input_end - from) >= size + kWide) {
    std::size_t done = 0;
    do {
      Ops::Copy64(out + done, from + done);
      done += kWide;
    } while (done < size);
  } else {
    std::memcpy(out, from, size);
  }
  return out + size;
}

inline char* PutLongCopy(char* out, std::size_t distance, std::size_t size) {
  const auto element = static_cast<uint32_t>(2 | (size - 1) << 2 | distance << 8);
  std::memcpy(out, &element, sizeof(element));
  return out + 3;
}

inline char* PutCopy(char* out, std::size_t distance, std::size_t size) {
  while (size >= 68) {
    out = PutLongCopy(out, distance, 64);
    size -= 64;
  }
  if (size > 64) {  // Leaves at least 4, the least that the short form can say.
    out = PutLongCopy(out, distance, 60);
    size -= 60;
  }
  if (size >= 12 || distance >= 2048) return PutLongCopy(out, distance, size);
  *out++ = static_cast<char>(1 | (size - 4) << 2 | (distance >> 8) << 5);
  *out++ = static_cast<char>(distance);
  return out;
}

// The state of one block while it is compressed.
struct BlockState {
  const char* block;
  const char* end;
  const char* last;     // No match starts at or after this.
  const char* literal;  // What has not been written yet starts here.
  uint16_t* table;
};

// Goes on at the same distance while at least eight bytes in a row are equal within the next 64.
template <typename Ops>
[[gnu::always_inline]] inline char* FollowDistance(BlockState& s, std::size_t distance, char* out) {
  const char* p = s.literal;
  while (p < s.last) {
    const uint64_t same = Ops::EqualMask(p, p - distance);
    uint64_t runs = same & same >> 1;
    runs &= runs >> 2;
    runs &= runs >> 4;  // A bit where eight equal bytes start.
    if (runs == 0) break;
    const auto skip = static_cast<std::size_t>(std::countr_zero(runs));
    std::size_t size = static_cast<std::size_t>(std::countr_one(same >> skip));
    if (skip + size >= kWide) size = Ops::Match(p + skip - distance, p + skip, s.end);
    s.table[Hash(Load64(p))] = static_cast<uint16_t>(p - s.block);
    if (skip > 0) out = PutLiteral<Ops>(out, p, skip, s.end);
    out = PutCopy(out, distance, size);
    p += skip + size;
  }
  s.literal = p;
  return out;
}

template <typename Ops>
[[gnu::always_inline]] inline char* CompressWith(const char* block, std::size_t size,
                                                 uint16_t* table, char* out) {
  BlockState s{block, block + size, block, block, table};
  if (size > kTailBytes) s.last = s.end - kTailBytes;
  const char* p = block + 1;
  // Where nothing matches, the steps grow: text that does not compress is passed quickly.
  for (std::size_t skip = 32; p < s.last;) {
    const uint64_t here = Load64(p);
    uint16_t& slot = table[Hash(here)];
    const char* candidate = block + slot;
    slot = static_cast<uint16_t>(p - block);
    if (here != Load64(candidate)) {
      p += skip >> 5;
      skip += 2;
      continue;
    }
    const char* start = p;
    while (start > s.literal && candidate > block && start[-1] == candidate[-1]) {
      --start;
      --candidate;
    }
    const auto back = static_cast<std::size_t>(p - start);
    const std::size_t match = back + Ops::Match(candidate + back, p, s.end);
    const auto distance = static_cast<std::size_t>(start - candidate);
    if (start > s.literal) {
      out = PutLiteral<Ops>(out, s.literal, static_cast<std::size_t>(start - s.literal), s.end);
    }
    out = PutCopy(out, distance, match);
    s.literal = start + match;
    out = FollowDistance<Ops>(s, distance, out);
    p = s.literal;
    if (p < s.last) table[Hash(Load64(p - 2))] = static_cast<uint16_t>(p - 2 - block);
    skip = 32;
  }
  if (s.literal < s.end) {
    out = PutLiteral<Ops>(out, s.literal, static_cast<std::size_t>(s.end - s.literal), s.end);
  }
  return out;
}

char* CompressPortable(const char* block, std::size_t size, uint16_t* table, char* out) {
  return CompressWith<PortableOps>(block, size, table, out);
}
#ifdef AGENT_SNAPPY_X86
AGENT_AVX2 char* CompressAvx2(const char* block, std::size_t size, uint16_t* table, char* out) {
  return CompressWith<Avx2Ops>(block, size, table, out);
}
AGENT_AVX512 char* CompressAvx512(const char* block, std::size_t size, uint16_t* table, char* out) {
  return CompressWith<Avx512Ops>(block, size, table, out);
}
#endif

}  // namespace

SnappyEncoder::Kernel SnappyEncoder::BestKernel() {
#ifdef AGENT_SNAPPY_X86
  const bool bmi = __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2");
  if (bmi && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl")) {
    return Kernel::kAvx512;
  }
  if (bmi && __builtin_cpu_supports("avx2")) return Kernel::kAvx2;
#endif
  return Kernel::kPortable;
}

SnappyEncoder::SnappyEncoder(Kernel kernel)
    : compress_block_(CompressPortable), table_(std::make_unique<Table>()) {
#ifdef AGENT_SNAPPY_X86
  if (kernel == Kernel::kAvx2) compress_block_ = CompressAvx2;
  if (kernel == Kernel::kAvx512) compress_block_ = CompressAvx512;
#else
  CHECK(kernel == Kernel::kPortable);
#endif
}

const char* SnappyEncoder::Block(std::span<const std::string_view>& parts, std::size_t& at,
                                 std::size_t size) {
  while (at == parts.front().size()) {
    parts = parts.subspan(1);
    at = 0;
  }
  const char* const here = parts.front().data() + at;
  if (parts.front().size() - at >= size) {
    at += size;
    return here;
  }
  if (gathered_ == nullptr) gathered_ = std::make_unique<char[]>(kBlockBytes);
  for (std::size_t filled = 0; filled < size;) {
    if (at == parts.front().size()) {
      parts = parts.subspan(1);
      at = 0;
      continue;
    }
    const std::size_t piece = std::min(parts.front().size() - at, size - filled);
    std::memcpy(gathered_.get() + filled, parts.front().data() + at, piece);
    filled += piece;
    at += piece;
  }
  return gathered_.get();
}

std::size_t SnappyEncoder::Compress(std::span<const std::string_view> parts, char* out) {
  std::size_t left = 0;
  for (const std::string_view part : parts)
    left += part.size();
  CHECK(left <= UINT32_MAX);
  char* to = out;
  std::size_t varint = left;
  for (; varint >= 0x80; varint >>= 7)
    *to++ = static_cast<char>(varint | 0x80);
  *to++ = static_cast<char>(varint);

  std::size_t at = 0;  // In the part at the front.
  while (left > 0) {
    const std::size_t size = std::min(left, kBlockBytes);
    const char* const block = Block(parts, at, size);
    table_->fill(0);
    to = compress_block_(block, size, table_->data(), to);
    left -= size;
  }
  return static_cast<std::size_t>(to - out);
}

}  // namespace agent
