// Hashes in lower-case hexadecimal, and the base64 and base32 encodings.

#include <openssl/evp.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "pipeline/template/functions.h"

namespace agent {
namespace {

std::string HexDigest(std::string_view text, const EVP_MD* algorithm) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  CHECK(EVP_Digest(text.data(), text.size(), digest.data(), &size, algorithm, nullptr) == 1);
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string hex;
  for (unsigned int i = 0; i < size; ++i) {
    hex += kHex[digest[i] >> 4];
    hex += kHex[digest[i] & 15];
  }
  return hex;
}

// Promtail puts the salt before the text.
Datum Salted(Call& call, const EVP_MD* algorithm) {
  return call.Keep(HexDigest(std::string(call.Text(0)) + std::string(call.Text(1)), algorithm));
}

Datum Adler32(Call& call) {
  constexpr uint32_t kModulus = 65'521;
  uint32_t low = 1;
  uint32_t high = 0;
  for (const char c : call.Text(0)) {
    low = (low + static_cast<unsigned char>(c)) % kModulus;
    high = (high + low) % kModulus;
  }
  return call.Keep(std::to_string(high << 16 | low));
}

// An alphabet of 2^bits characters; a group of characters is a whole number of bytes.
struct Encoding {
  std::string_view name;
  std::string_view alphabet;
  unsigned bits;
  std::size_t group;
};
constexpr Encoding kBase64 = {
    "base64", "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", 6, 4};
constexpr Encoding kBase32 = {"base32", "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 5, 8};

std::string Encode(std::string_view bytes, const Encoding& encoding) {
  std::string text;
  uint32_t buffer = 0;
  unsigned pending = 0;
  const uint32_t mask = (1U << encoding.bits) - 1;
  for (const char c : bytes) {
    buffer = buffer << 8 | static_cast<unsigned char>(c);
    for (pending += 8; pending >= encoding.bits;) {
      pending -= encoding.bits;
      text += encoding.alphabet[buffer >> pending & mask];
    }
  }
  if (pending > 0) text += encoding.alphabet[buffer << (encoding.bits - pending) & mask];
  while (text.size() % encoding.group != 0)
    text += '=';
  return text;
}

// How many padding characters end a group of which `used` characters carry data; -1: none can.
int PaddingAfter(std::size_t used, const Encoding& encoding) {
  const std::size_t bits_over = used * encoding.bits % 8;
  if (used == 0 || bits_over >= encoding.bits) return -1;
  return static_cast<int>(encoding.group - used);
}

struct Decoded {
  std::string bytes;
  std::size_t bad = std::string::npos;  // Where the first wrong character is.
};

bool IsLineBreak(char c) {
  return c == '\n' || c == '\r';
}

// Where the padding from `from` on is wrong, `used` characters into a group; npos when it is not.
std::size_t FindBadPadding(std::string_view text, std::size_t from, std::size_t used,
                           const Encoding& encoding) {
  const int padding = PaddingAfter(used, encoding);
  if (padding < 0) return from;
  int found = 0;
  std::size_t i = from;
  for (; i < text.size(); ++i) {
    if (IsLineBreak(text[i])) continue;
    if (text[i] != '=' || found == padding) break;
    ++found;
  }
  if (found < padding) return i < text.size() ? i - 1 : text.size();
  return i < text.size() ? i : std::string_view::npos;
}

// Line breaks are skipped; padding is required and must end the text.
Decoded Decode(std::string_view text, const Encoding& encoding) {
  Decoded decoded;
  uint32_t buffer = 0;
  unsigned pending = 0;
  std::size_t used = 0;  // Characters of the current group.
  std::size_t group_start = 0;
  std::size_t i = 0;
  for (; i < text.size() && text[i] != '='; ++i) {
    if (IsLineBreak(text[i])) continue;
    const std::size_t value = encoding.alphabet.find(text[i]);
    if (value == std::string_view::npos) {
      decoded.bad = i;
      return decoded;
    }
    if (used == 0) group_start = i;
    buffer = buffer << encoding.bits | static_cast<uint32_t>(value);
    pending += encoding.bits;
    if (pending >= 8) {
      pending -= 8;
      decoded.bytes += static_cast<char>(buffer >> pending & 255);
    }
    used = (used + 1) % encoding.group;
  }
  if (i < text.size()) {
    decoded.bad = FindBadPadding(text, i, used, encoding);
  } else if (used != 0) {
    decoded.bad = group_start;
  }
  return decoded;
}

// Sprig returns the message of the error instead of failing.
Datum DecodedText(Call& call, const Encoding& encoding) {
  Decoded decoded = Decode(call.Text(0), encoding);
  if (decoded.bad == std::string::npos) return call.Keep(std::move(decoded.bytes));
  return call.Keep("illegal " + std::string(encoding.name) + " data at input byte " +
                   std::to_string(decoded.bad));
}

constexpr TemplateFunction kFunctions[] = {
    {"Hash", "ss", [](Call& call) { return Salted(call, EVP_sha3_256()); }},
    {"Sha2Hash", "ss", [](Call& call) { return Salted(call, EVP_sha256()); }},
    {"adler32sum", "s", Adler32},
    {"b32dec", "s", [](Call& call) { return DecodedText(call, kBase32); }},
    {"b32enc", "s", [](Call& call) { return call.Keep(Encode(call.Text(0), kBase32)); }},
    {"b64dec", "s", [](Call& call) { return DecodedText(call, kBase64); }},
    {"b64enc", "s", [](Call& call) { return call.Keep(Encode(call.Text(0), kBase64)); }},
    {"sha1sum", "s", [](Call& call) { return call.Keep(HexDigest(call.Text(0), EVP_sha1())); }},
    {"sha256sum", "s", [](Call& call) { return call.Keep(HexDigest(call.Text(0), EVP_sha256())); }},
    {"sha512sum", "s", [](Call& call) { return call.Keep(HexDigest(call.Text(0), EVP_sha512())); }},
};

}  // namespace

std::span<const TemplateFunction> HashFunctions() {
  return kFunctions;
}

}  // namespace agent
