// What stands in an Authorization header: bearer tokens, and user and password of basic
// authentication. Only the token is found; the word in front of it stays.
//
// A bearer token behind the header's name has at least 8 characters; elsewhere, where `bearer` may
// be a word of a sentence, at least 16 with a digit among them.

#include <array>

#include "base/utf8.h"
#include "pipeline/redact/base64.h"
#include "pipeline/redact/chars.h"
#include "pipeline/redact/detector.h"

namespace agent::redact {
namespace {

constexpr std::size_t kMinInHeader = 8;
constexpr std::size_t kMinElsewhere = 16;
constexpr std::size_t kMaxBasicBytes = 1024;
constexpr std::size_t kMaxMarks = 8;  // Between the header's name and what it says.

// `Authorization: `, `"authorization":"`, `authorization=` and the like end at `at`.
bool IsBehindHeaderName(std::string_view text, std::size_t at) {
  constexpr std::string_view kName = "authorization";
  std::size_t end = at;
  while (end > 0 && at - end < kMaxMarks &&
         std::string_view(" \t:=>[\"'\\").find(text[end - 1]) != std::string_view::npos) {
    --end;
  }
  return end < at && end >= kName.size() &&
         EqualsIgnoringCase(text.substr(end - kName.size(), kName.size()), kName);
}

// Behind the scheme that begins at `at`, with `size` characters and its space.
std::size_t TokenBegin(std::string_view text, std::size_t at, std::size_t size) {
  std::size_t begin = at + size;
  while (IsAt(text, begin, ' '))
    ++begin;
  return begin;
}

std::optional<Found> FindBearerToken(std::string_view text, std::size_t at) {
  if (IsBefore(text, at, kAlnum)) return std::nullopt;
  const std::size_t begin = TokenBegin(text, at, std::string_view("bearer ").size());
  std::size_t end = RunEnd(text, begin, kToken);
  // A dot at the end is a sentence's.
  while (end > begin && text[end - 1] == '.')
    --end;
  const std::string_view token = text.substr(begin, end - begin);
  while (IsAt(text, end, '='))
    ++end;
  const bool has_digit = token.find_first_of("0123456789") != std::string_view::npos;
  const bool long_enough = token.size() >= kMinElsewhere && has_digit;
  if (!long_enough && (token.size() < kMinInHeader || !IsBehindHeaderName(text, at))) {
    return std::nullopt;
  }
  return Found{begin, end};
}

bool IsUserAndPassword(const std::string& decoded) {
  if (decoded.find(':') == std::string::npos || !IsValidUtf8(decoded)) return false;
  for (const char c : decoded) {
    if (static_cast<uint8_t>(c) < 0x20 || c == 0x7F) return false;
  }
  return true;
}

std::optional<Found> FindBasicAuth(std::string_view text, std::size_t at) {
  if (IsBefore(text, at, kAlnum)) return std::nullopt;
  const std::size_t begin = TokenBegin(text, at, std::string_view("basic ").size());
  std::size_t end = RunEnd(text, begin, kBase64);
  for (int i = 0; i < 2 && IsAt(text, end, '='); ++i)
    ++end;
  if (end - begin < 4 || end - begin > kMaxBasicBytes) return std::nullopt;
  std::string decoded;
  if (!DecodeBase64(text.substr(begin, end - begin), decoded)) return std::nullopt;
  if (!IsUserAndPassword(decoded)) return std::nullopt;
  return Found{begin, end};
}

constexpr std::array<Trigger, 3> kBearerTriggers = {{
    {.literal = "Bearer ", .rare_at = 3},
    {.literal = "bearer ", .rare_at = 3},
    {.literal = "BEARER ", .rare_at = 3},
}};
constexpr std::array<Trigger, 3> kBasicTriggers = {{
    {.literal = "Basic ", .rare_at = 1},
    {.literal = "basic ", .rare_at = 1},
    {.literal = "BASIC ", .rare_at = 1},
}};

constexpr std::array<Detector, 2> kDetectors = {{
    {.name = "bearer_token",
     .is_default = true,
     .triggers = kBearerTriggers,
     .find = FindBearerToken,
     .normalize = AppendAsItIs,
     .example = "Authorization: Bearer mF_9.B5f-4.1JqM"},
    {.name = "basic_auth",
     .is_default = true,
     .triggers = kBasicTriggers,
     .find = FindBasicAuth,
     .normalize = AppendAsItIs,
     .example = "Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="},
}};

}  // namespace

std::span<const Detector> HttpAuthDetectors() {
  return kDetectors;
}

}  // namespace agent::redact
