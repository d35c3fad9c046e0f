#include "outputs/document/json_text.h"

#include <array>
#include <charconv>
#include <cmath>
#include <cstring>
#include <ctime>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "base/clock.h"
#include "base/utf8.h"

namespace agent {
namespace {

constexpr std::size_t kMaxEscape = 6;  // "\u001f".
constexpr std::size_t kVector = 16;
constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

char* PutEscape(char* to, unsigned char c) {
  *to++ = '\\';  // NOLINT(clang-analyzer-core.NullDereference): there is room, Ensure() said.
  switch (c) {
    case '"':
    case '\\':
      *to++ = static_cast<char>(c);
      return to;
    case '\n':
      *to++ = 'n';
      return to;
    case '\r':
      *to++ = 'r';
      return to;
    case '\t':
      *to++ = 't';
      return to;
    default:
      break;
  }
  constexpr std::string_view kDigits = "0123456789abcdef";
  to[0] = 'u';
  to[1] = to[2] = '0';
  to[3] = kDigits[c >> 4];
  to[4] = kDigits[c & 15];
  return to + 5;
}

bool NeedsEscape(unsigned char c) {
  return c < 0x20 || c == '"' || c == '\\';
}

// How many bytes at `text` can be copied as they are, up to the first that must be escaped, or,
// when `stop_at_high`, that is not ASCII. They have been copied; `to` has room for a vector more.
std::size_t CopyPlain(char* to, std::string_view text, bool stop_at_high) {
  std::size_t at = 0;
#ifdef __SSE2__
  const __m128i quote = _mm_set1_epi8('"');
  const __m128i backslash = _mm_set1_epi8('\\');
  const __m128i last_control = _mm_set1_epi8(0x1f);
  const __m128i zero = _mm_setzero_si128();
  for (; at + kVector <= text.size(); at += kVector) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(text.data() + at));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to + at), bytes);
    const __m128i control = _mm_cmpeq_epi8(_mm_subs_epu8(bytes, last_control), zero);
    const __m128i escaped = _mm_or_si128(
        control, _mm_or_si128(_mm_cmpeq_epi8(bytes, quote), _mm_cmpeq_epi8(bytes, backslash)));
    const __m128i stop = stop_at_high ? _mm_or_si128(escaped, bytes) : escaped;
    // The sign bits: of what must be escaped, and of what is not ASCII.
    const int mask = _mm_movemask_epi8(stop);
    if (mask != 0) return at + static_cast<std::size_t>(__builtin_ctz(static_cast<unsigned>(mask)));
  }
#endif
  for (; at < text.size(); ++at) {
    const auto c = static_cast<unsigned char>(text[at]);
    if (NeedsEscape(c) || (stop_at_high && c >= 0x80)) return at;
    to[at] = text[at];
  }
  return at;
}

}  // namespace

void AppendJsonString(GrowingBuffer& to, std::string_view text) {
  to.Append("\"");
  bool ascii_so_far = true;
  bool replaces = false;  // There is invalid UTF-8 in it: looked at rune by rune.
  while (!text.empty()) {
    to.Ensure(text.size() + kVector + kMaxEscape);
    const std::size_t plain = CopyPlain(to.end(), text, ascii_so_far || replaces);
    to.Extend(plain);
    text.remove_prefix(plain);
    if (text.empty()) break;
    const auto c = static_cast<unsigned char>(text.front());
    if (NeedsEscape(c)) {
      to.Extend(static_cast<std::size_t>(PutEscape(to.end(), c) - to.end()));
      text.remove_prefix(1);
    } else if (!replaces) {
      // The first byte that is not ASCII: the rest is looked at once.
      ascii_so_far = false;
      replaces = !IsValidUtf8(text);
    } else {
      const DecodedRune rune = DecodeRune(text);
      to.Append(rune.valid ? text.substr(0, rune.size) : kReplacement);
      text.remove_prefix(rune.size);
    }
  }
  to.Append("\"");
}

std::string JsonString(std::string_view text) {
  GrowingBuffer buffer;
  AppendJsonString(buffer, text);
  return {buffer.data(), buffer.size()};
}

void AppendJsonInteger(GrowingBuffer& to, int64_t number) {
  constexpr std::size_t kMaxDigits = 20;
  to.Ensure(kMaxDigits);
  const auto result = std::to_chars(to.end(), to.end() + kMaxDigits, number);
  to.Extend(static_cast<std::size_t>(result.ptr - to.end()));
}

void AppendJsonDouble(GrowingBuffer& to, double number) {
  if (!std::isfinite(number)) return to.Append("null");
  constexpr std::size_t kMaxDigits = 32;
  to.Ensure(kMaxDigits);
  const auto result = std::to_chars(to.end(), to.end() + kMaxDigits, number);
  const std::string_view text(to.end(), static_cast<std::size_t>(result.ptr - to.end()));
  const bool whole = text.find_first_of(".e") == std::string_view::npos;
  to.Extend(text.size());
  if (whole) to.Append(".0");
}

void AppendJsonValue(GrowingBuffer& to, const Value& value) {
  switch (value.type()) {
    case ValueType::kAbsent:
    case ValueType::kNull:
      return to.Append("null");
    case ValueType::kString:
      return AppendJsonString(to, value.text());
    case ValueType::kNumber:
      return AppendJsonDouble(to, value.number());
    case ValueType::kInteger:
      return AppendJsonInteger(to, value.integer());
    case ValueType::kBool:
      return to.Append(value.boolean() ? "true" : "false");
  }
}

void AppendJsonTime(GrowingBuffer& to, int64_t unix_ns) {
  constexpr std::size_t kSecondSize = 20;  // "2024-05-01T10:00:00.
  struct Cached {
    int64_t second = -1;
    std::array<char, 64> text{};
    std::size_t size = 0;
  };
  static thread_local Cached cached;
  int64_t second = unix_ns / kNanosPerSecond;
  int64_t nanos = unix_ns % kNanosPerSecond;
  if (nanos < 0) {
    nanos += kNanosPerSecond;
    --second;
  }
  if (second != cached.second || cached.size == 0) {
    const auto time = static_cast<time_t>(second);
    tm parts{};
    gmtime_r(&time, &parts);
    cached.size =
        std::strftime(cached.text.data(), cached.text.size(), "\"%Y-%m-%dT%H:%M:%S.", &parts);
    cached.second = second;
  }
  to.Ensure(kSecondSize + kVector + cached.size);
  char* at = to.end();
  std::memcpy(at, cached.text.data(), cached.size);
  at += cached.size;
  for (int i = 8; i >= 0; --i) {
    at[i] = static_cast<char>('0' + nanos % 10);
    nanos /= 10;
  }
  at[9] = 'Z';
  at[10] = '"';
  to.Extend(cached.size + 11);
}

}  // namespace agent
