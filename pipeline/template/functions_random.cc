// Random texts, numbers and UUIDs. Good enough to tell things apart; not for secrets.

#include <cstdint>
#include <string>
#include <string_view>

#include "base/random.h"
#include "base/unicode.h"
#include "pipeline/template/functions.h"

namespace agent {
namespace {

// Below `limit`, which is not 0.
uint64_t Below(uint64_t limit, Call& call) {
  return call.runtime().random().Next() % limit;
}

// Room for the text of a requested length; false after Fail.
bool CheckCount(int64_t count, Call& call) {
  if (count < 0 || count > static_cast<int64_t>(DatumPool::kMaxBytes)) {
    call.Fail("the length must be at least 0, and not huge");
    return false;
  }
  return call.Charge(static_cast<std::size_t>(count));
}

Datum FromAlphabet(Call& call, std::string_view alphabet) {
  if (!CheckCount(call.Int(0), call)) return {};
  std::string text;
  for (int64_t i = 0; i < call.Int(0); ++i)
    text += alphabet[Below(alphabet.size(), call)];
  return call.Keep(std::move(text));
}

constexpr std::string_view kAlphaNumeric =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
constexpr std::string_view kLetters = kAlphaNumeric.substr(0, 52);
constexpr std::string_view kDigits = kAlphaNumeric.substr(52);

Datum Ascii(Call& call) {
  if (!CheckCount(call.Int(0), call)) return {};
  std::string text;
  for (int64_t i = 0; i < call.Int(0); ++i)
    text += static_cast<char>(' ' + Below(95, call));
  return call.Keep(std::move(text));
}

// Base64 of random bytes.
Datum Bytes(Call& call) {
  if (!CheckCount(call.Int(0), call)) return {};
  std::string bytes;
  for (int64_t i = 0; i < call.Int(0); ++i)
    bytes += static_cast<char>(Below(256, call));
  const Datum argument = Datum::String(bytes);
  Call encode(std::span(&argument, 1), call.runtime());
  return FindFunction("b64enc")->run(encode);
}

// From the first to just below the second number.
Datum Int(Call& call) {
  if (call.Int(1) <= call.Int(0)) return call.Fail("the second number must be larger");
  const uint64_t span = static_cast<uint64_t>(call.Int(1)) - static_cast<uint64_t>(call.Int(0));
  return Datum::Int(static_cast<int64_t>(static_cast<uint64_t>(call.Int(0)) + Below(span, call)));
}

Datum Shuffle(Call& call) {
  std::u32string runes = ToRunes(call.Text(0));
  for (std::size_t i = runes.size(); i > 1; --i)
    std::swap(runes[i - 1], runes[Below(i, call)]);
  return call.Keep(FromRunes(runes));
}

Datum UuidV4(Call& call) {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string uuid = "xxxxxxxx-xxxx-4xxx-yxxx-xxxxxxxxxxxx";
  for (char& c : uuid) {
    if (c == 'x') c = kHex[Below(16, call)];
    if (c == 'y') c = kHex[8 + Below(4, call)];
  }
  return call.Keep(std::move(uuid));
}

constexpr TemplateFunction kFunctions[] = {
    {"randAlpha", "i", [](Call& call) { return FromAlphabet(call, kLetters); }},
    {"randAlphaNum", "i", [](Call& call) { return FromAlphabet(call, kAlphaNumeric); }},
    {"randAscii", "i", Ascii},
    {"randBytes", "i", Bytes},
    {"randInt", "ii", Int},
    {"randNumeric", "i", [](Call& call) { return FromAlphabet(call, kDigits); }},
    {"shuffle", "s", Shuffle},
    {"uuidv4", "", UuidV4},
};

}  // namespace

std::span<const TemplateFunction> RandomFunctions() {
  return kFunctions;
}

}  // namespace agent
