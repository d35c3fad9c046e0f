#include "pipeline/redact/trigger_scanner.h"

#include <algorithm>
#include <cstring>
#include <limits>

#include "pipeline/redact/chars.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace agent::redact {
namespace {

// Of a text, that many bytes are looked at in one step; the shapes that begin in them may reach
// into as many behind, and none is longer than that.
constexpr std::size_t kStep = 32;
constexpr std::size_t kRareBytes = 3;

// Each function has a bit for each of 32 bytes. Eight of them at a time, in a plain register.
struct Portable {
  static uint32_t Digits(const char* p) { return Ranges(p, '0', '9', 0); }
  static uint32_t Capitals(const char* p) { return Ranges(p, 'A', 'Z', 0); }
  static uint32_t HexLetters(const char* p) { return Ranges(p, 'a', 'f', 0x20); }
  static uint32_t Equal(const char* p, char c) { return Ranges(p, c, c, 0); }

  static uint32_t Literals(const char* p, const LiteralTables& tables) {
    uint32_t places = 0;
    for (std::size_t i = 0; i < kStep; ++i) {
      const auto bits = tables.exact[0][Byte(p[i])] & tables.exact[1][Byte(p[i + 1])] &
                        tables.exact[2][Byte(p[i + 2])];
      places |= static_cast<uint32_t>(bits != 0) << i;
    }
    return places;
  }

 private:
  static uint8_t Byte(char c) { return static_cast<uint8_t>(c); }
  // Bytes from `first` to `last` (both below 128) once the bits of `set` are set.
  static uint32_t Ranges(const char* p, char first, char last, uint8_t set) {
    constexpr uint64_t kOnes = 0x0101010101010101ULL;
    constexpr uint64_t kHighs = kOnes << 7U;
    uint32_t places = 0;
    for (std::size_t i = 0; i < kStep / 8; ++i) {
      uint64_t word = 0;
      std::memcpy(&word, p + i * 8, sizeof word);
      word |= kOnes * set;
      const uint64_t low = word & ~kHighs;
      const uint64_t from = low + kOnes * (0x80U - Byte(first));        // High bit: not below it.
      const uint64_t beyond = low + kOnes * (0x80U - Byte(last) - 1U);  // High bit: above it.
      const uint64_t in = from & ~beyond & ~word & kHighs;
      // Gathers the eight high bits.
      places |= static_cast<uint32_t>((in >> 7U) * 0x0102040810204080ULL >> 56U) << (i * 8);
    }
    return places;
  }
};

#if defined(__x86_64__)

#define AGENT_AVX2 __attribute__((target("avx2"))) static inline

struct Avx2 {
  AGENT_AVX2 __m256i Load(const char* p) {
    return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
  }
  AGENT_AVX2 uint32_t Bits(__m256i bytes) {
    return static_cast<uint32_t>(_mm256_movemask_epi8(bytes));
  }
  AGENT_AVX2 uint32_t InRange(__m256i text, char first, char size) {
    const __m256i from_zero = _mm256_sub_epi8(text, _mm256_set1_epi8(first));
    const __m256i last = _mm256_set1_epi8(static_cast<char>(size - 1));
    return Bits(_mm256_cmpeq_epi8(_mm256_min_epu8(from_zero, last), from_zero));
  }
  AGENT_AVX2 uint32_t Digits(const char* p) { return InRange(Load(p), '0', 10); }
  AGENT_AVX2 uint32_t Capitals(const char* p) { return InRange(Load(p), 'A', 26); }
  AGENT_AVX2 uint32_t HexLetters(const char* p) {
    return InRange(_mm256_or_si256(Load(p), _mm256_set1_epi8(0x20)), 'a', 6);
  }
  AGENT_AVX2 uint32_t Equal(const char* p, char c) {
    return Bits(_mm256_cmpeq_epi8(Load(p), _mm256_set1_epi8(c)));
  }

  // The buckets that a byte allows at one place of a literal.
  AGENT_AVX2 __m256i Buckets(__m256i text, const LiteralTables& tables, std::size_t place) {
    const __m256i low_table = _mm256_broadcastsi128_si256(
        _mm_load_si128(reinterpret_cast<const __m128i*>(tables.low[place].data())));
    const __m256i high_table = _mm256_broadcastsi128_si256(
        _mm_load_si128(reinterpret_cast<const __m128i*>(tables.high[place].data())));
    const __m256i half = _mm256_set1_epi8(0x0F);
    const __m256i low = _mm256_and_si256(text, half);
    const __m256i high = _mm256_and_si256(_mm256_srli_epi16(text, 4), half);
    return _mm256_and_si256(_mm256_shuffle_epi8(low_table, low),
                            _mm256_shuffle_epi8(high_table, high));
  }
  AGENT_AVX2 uint32_t Literals(const char* p, const LiteralTables& tables) {
    const __m256i first = Buckets(Load(p), tables, 0);
    const __m256i second = Buckets(Load(p + 1), tables, 1);
    const __m256i third = Buckets(Load(p + 2), tables, 2);
    const __m256i common = _mm256_and_si256(_mm256_and_si256(first, second), third);
    return ~Bits(_mm256_cmpeq_epi8(common, _mm256_setzero_si256()));
  }
};

#undef AGENT_AVX2

#endif

// Of `left` bytes, those that are there.
uint32_t FirstBits(std::size_t left) {
  return left >= 32 ? ~uint32_t{0} : (uint32_t{1} << left) - 1;
}

uint64_t Join(uint32_t low, uint32_t high) {
  return low | static_cast<uint64_t>(high) << 32U;
}

// Which halves of bytes literals have at each of their places.
struct RareBytes {
  std::array<uint16_t, kRareBytes> low{};
  std::array<uint16_t, kRareBytes> high{};

  friend RareBytes operator|(RareBytes a, const RareBytes& b) {
    for (std::size_t i = 0; i < kRareBytes; ++i) {
      a.low[i] = static_cast<uint16_t>(a.low[i] | b.low[i]);
      a.high[i] = static_cast<uint16_t>(a.high[i] | b.high[i]);
    }
    return a;
  }
};

RareBytes BytesOf(const Trigger& trigger) {
  const std::string_view rare = trigger.literal.substr(trigger.rare_at, kRareBytes);
  RareBytes bytes;
  for (std::size_t i = 0; i < kRareBytes; ++i) {
    const auto byte = static_cast<uint8_t>(i < rare.size() ? rare[i] : 0);
    bytes.low[i] = static_cast<uint16_t>(i < rare.size() ? 1U << (byte & 0x0FU) : 0xFFFFU);
    bytes.high[i] = static_cast<uint16_t>(i < rare.size() ? 1U << (byte >> 4U) : 0xFFFFU);
  }
  return bytes;
}

// How often a text has a byte that a literal's place allows, about: log lines are mostly small
// letters.
double ChanceOf(uint16_t low, uint16_t high) {
  double chance = 0;
  for (unsigned byte = 0; byte < 128; ++byte) {
    if ((uint32_t{low} >> (byte & 0x0FU) & 1U) == 0) continue;
    if ((uint32_t{high} >> (byte >> 4U) & 1U) == 0) continue;
    const char c = static_cast<char>(byte);
    chance += Is(c, kLower) ? 0.025 : Is(c, kDigit) ? 0.015 : byte < 0x20 ? 0.0001 : 0.003;
  }
  return chance;
}

// How often a place of a text passes for one of these literals: every combination does.
double ChanceOf(const RareBytes& bytes) {
  double chance = 1;
  for (std::size_t i = 0; i < kRareBytes; ++i)
    chance *= ChanceOf(bytes.low[i], bytes.high[i]);
  return chance;
}

template <typename Member>
struct Group {
  RareBytes bytes;
  std::vector<Member> members;
};

// Joins the two groups that go together best, until there are no more than `count`.
template <typename Member>
void MergeGroups(std::vector<Group<Member>>& groups, std::size_t count) {
  while (groups.size() > count) {
    std::size_t first = 0;
    std::size_t second = 1;
    double least = std::numeric_limits<double>::max();
    for (std::size_t i = 0; i < groups.size(); ++i) {
      for (std::size_t j = i + 1; j < groups.size(); ++j) {
        const double cost = ChanceOf(groups[i].bytes | groups[j].bytes) -
                            ChanceOf(groups[i].bytes) - ChanceOf(groups[j].bytes);
        if (cost >= least) continue;
        least = cost;
        first = i;
        second = j;
      }
    }
    groups[first].bytes = groups[first].bytes | groups[second].bytes;
    auto& members = groups[second].members;
    groups[first].members.insert(groups[first].members.end(), members.begin(), members.end());
    groups.erase(groups.begin() + static_cast<std::ptrdiff_t>(second));
  }
}

// A digit, a dot, a digit, and the same again so soon that a number of up to three digits lies
// between.
uint64_t Ipv4Places(uint64_t digits, uint64_t dots) {
  const uint64_t places = digits & dots >> 1U & digits >> 2U;
  return places & (places >> 2U | places >> 3U | places >> 4U);
}

// Four colons between hexadecimal digits, with up to four digits between them; the first of a row.
uint64_t Ipv6Places(uint64_t hex, uint64_t colons) {
  const uint64_t places = hex & colons >> 1U & hex >> 2U;
  uint64_t rows = places;
  for (int i = 0; i < 3; ++i)
    rows = places & (rows >> 2U | rows >> 3U | rows >> 4U | rows >> 5U);
  return rows & ~(places << 2U | places << 3U | places << 4U | places << 5U);
}

}  // namespace

std::span<const TriggerScanner::Variant> TriggerScanner::Variants() {
  static const std::vector<Variant> kVariants = [] {
    std::vector<Variant> variants;
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx2") != 0) variants.push_back(Variant::kAvx2);
#endif
    variants.push_back(Variant::kPortable);
    return variants;
  }();
  return kVariants;
}

TriggerScanner::TriggerScanner(std::span<const Detector* const> detectors, Variant variant)
    : variant_(variant) {
  std::vector<Group<Literal>> groups;
  for (uint32_t i = 0; i < detectors.size(); ++i) {
    for (const Trigger& trigger : detectors[i]->triggers) {
      if (trigger.kind == TriggerKind::kLiteral) {
        groups.push_back({BytesOf(trigger), {Literal{trigger.literal, trigger.rare_at, i}}});
        has_literals_ = true;
      } else {
        detectors_of_[static_cast<std::size_t>(trigger.kind)].push_back(i);
        has_numbers_ = true;
      }
    }
  }
  MergeGroups(groups, buckets_.size());
  for (std::size_t i = 0; i < groups.size(); ++i)
    FillBucket(i, std::move(groups[i].members));
}

void TriggerScanner::FillBucket(std::size_t bucket, std::vector<Literal> literals) {
  for (Literal& literal : literals) {
    const std::string_view rare = literal.text.substr(literal.rare_at, kRareBytes);
    constexpr std::array<char, kRareBytes> kSet = {'\xFF', '\xFF', '\xFF'};
    std::memcpy(&literal.rare, rare.data(), rare.size());
    std::memcpy(&literal.rare_bits, kSet.data(), rare.size());
  }
  const auto bit = static_cast<uint8_t>(1U << bucket);
  const auto set = [bit](uint8_t& bits) { bits = static_cast<uint8_t>(bits | bit); };
  for (const Literal& literal : literals) {
    const std::string_view rare = literal.text.substr(literal.rare_at, kRareBytes);
    for (std::size_t place = 0; place < kRareBytes; ++place) {
      // A shorter literal may be followed by anything.
      const bool any = place >= rare.size();
      for (std::size_t byte = 0; byte < 256; ++byte) {
        if (!any && byte != static_cast<uint8_t>(rare[place])) continue;
        set(tables_.exact[place][byte]);
        set(tables_.low[place][byte & 0x0FU]);
        set(tables_.high[place][byte >> 4U]);
      }
    }
  }
  buckets_[bucket] = std::move(literals);
}

void TriggerScanner::EmitLiterals(std::string_view text, std::size_t at, uint32_t places,
                                  std::vector<Candidate>& out) const {
  for (; places != 0; places &= places - 1) {
    const std::size_t rare = at + static_cast<std::size_t>(__builtin_ctz(places));
    const char* const p = text.data() + rare;
    uint32_t word = 0;
    std::memcpy(&word, p, sizeof word);
    unsigned bits = tables_.exact[0][static_cast<uint8_t>(p[0])] &
                    tables_.exact[1][static_cast<uint8_t>(p[1])] &
                    tables_.exact[2][static_cast<uint8_t>(p[2])];
    for (; bits != 0; bits &= bits - 1) {
      for (const Literal& literal : buckets_[static_cast<std::size_t>(__builtin_ctz(bits))]) {
        if ((word & literal.rare_bits) != literal.rare || rare < literal.rare_at) continue;
        const std::size_t begin = rare - literal.rare_at;
        if (!text.substr(begin).starts_with(literal.text)) continue;
        out.push_back({static_cast<uint32_t>(begin), literal.detector});
      }
    }
  }
}

void TriggerScanner::Emit(TriggerKind kind, std::size_t at, uint32_t places,
                          std::vector<Candidate>& out) const {
  for (; places != 0; places &= places - 1) {
    const std::size_t begin = at + static_cast<std::size_t>(__builtin_ctz(places));
    for (const uint32_t detector : detectors_of_[static_cast<std::size_t>(kind)])
      out.push_back({static_cast<uint32_t>(begin), detector});
  }
}

// `digits` of 64 bytes from `at` on; `before`: the byte in front of them is one too.
template <typename V>
[[gnu::always_inline]] inline void TriggerScanner::ScanDigits(std::string_view text, std::size_t at,
                                                              uint64_t digits, bool before,
                                                              std::vector<Candidate>& out) const {
  const char* const p = text.data() + at;
  const auto emit = [&](TriggerKind kind, uint64_t places) {
    if (const auto starts = static_cast<uint32_t>(places)) Emit(kind, at, starts, out);
  };
  const uint64_t pairs = digits & digits >> 1U;
  if (Wants(TriggerKind::kIpv4)) {
    const uint64_t dots = Join(V::Equal(p, '.'), V::Equal(p + kStep, '.'));
    emit(TriggerKind::kIpv4, Ipv4Places(digits, dots));
  }
  if (Wants(TriggerKind::kIban)) {
    emit(TriggerKind::kIban, V::Capitals(p) & V::Capitals(p + 1) & pairs >> 2U);
  }
  if (!Wants(TriggerKind::kCard)) return;
  const uint64_t fours = pairs & pairs >> 2U;
  const uint64_t first = fours & ~(digits << 1U | (before ? 1U : 0U));
  uint64_t places = first & fours >> 4U & fours >> 8U & digits >> 12U;
  if (const uint64_t groups = first & fours >> 5U) {
    places |= groups & (V::Equal(p + 4, ' ') | V::Equal(p + 4, '-'));
  }
  emit(TriggerKind::kCard, places);
}

template <typename V>
[[gnu::always_inline]] inline void TriggerScanner::ScanWith(std::string_view text,
                                                            std::vector<Candidate>& out) const {
  uint32_t digits = has_numbers_ ? V::Digits(text.data()) & FirstBits(text.size()) : 0;
  bool before = false;
  for (std::size_t at = 0; at < text.size(); at += kStep) {
    const char* const p = text.data() + at;
    const std::size_t left = text.size() - at;
    if (has_literals_) {
      const uint32_t places = V::Literals(p, tables_) & FirstBits(left);
      if (places != 0) EmitLiterals(text, at, places, out);
    }
    if (!has_numbers_) continue;
    const uint32_t there = left > kStep ? FirstBits(left - kStep) : 0;
    const uint32_t next = V::Digits(p + kStep) & there;
    if (Wants(TriggerKind::kIpv6Groups)) {
      const uint64_t colons = Join(V::Equal(p, ':'), V::Equal(p + kStep, ':') & there);
      if (__builtin_popcountll(colons) >= 4) {
        const uint64_t hex = Join(digits, next) | Join(V::HexLetters(p) & FirstBits(left),
                                                       V::HexLetters(p + kStep) & there);
        Emit(TriggerKind::kIpv6Groups, at, static_cast<uint32_t>(Ipv6Places(hex, colons)), out);
      }
    }
    // The letters of an IBAN may be the last two here.
    if ((digits | next) != 0) ScanDigits<V>(text, at, Join(digits, next), before, out);
    before = digits >> 31U != 0;
    digits = next;
  }
}

#if defined(__x86_64__)
__attribute__((target("avx2,popcnt,bmi,bmi2"))) void TriggerScanner::ScanAvx2(
    std::string_view text, std::vector<Candidate>& out) const {
  ScanWith<Avx2>(text, out);
}
#else
void TriggerScanner::ScanAvx2(std::string_view text, std::vector<Candidate>& out) const {
  ScanWith<Portable>(text, out);
}
#endif

void TriggerScanner::Scan(std::string_view text, std::vector<Candidate>& out) const {
  if (variant_ == Variant::kAvx2) {
    ScanAvx2(text, out);
  } else {
    ScanWith<Portable>(text, out);
  }
}

}  // namespace agent::redact
