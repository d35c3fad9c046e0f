// JSON web tokens: a header that is a JSON object with "alg", and what follows it: payload and
// signature, or the four further parts of an encrypted one. A token that was cut off behind its
// header is found too; its payload can be read by everybody.

#include <array>

#include "pipeline/json/json_dom.h"
#include "pipeline/redact/base64.h"
#include "pipeline/redact/chars.h"
#include "pipeline/redact/detector.h"

namespace agent::redact {
namespace {

constexpr std::size_t kMaxHeaderBytes = 4096;

enum class Header : uint8_t { kNone, kSigned, kEncrypted };

Header ReadHeader(std::string_view encoded) {
  std::string decoded;
  if (encoded.size() > kMaxHeaderBytes || !DecodeBase64(encoded, decoded)) return Header::kNone;
  JsonDocument document;
  const JsonNode* const root = document.ParseCopy(decoded);
  if (root == nullptr || root->type != JsonType::kObject) return Header::kNone;
  const JsonNode* const algorithm = root->Find("alg");
  if (algorithm == nullptr || algorithm->type != JsonType::kString) return Header::kNone;
  return root->Find("enc") != nullptr ? Header::kEncrypted : Header::kSigned;
}

// The end of the part that begins with the dot at `dot`; `dot` when there is none. The dot of a
// sentence is no part, and only the first one may be empty.
std::size_t PartEnd(std::string_view text, std::size_t dot, bool may_be_empty) {
  if (!IsAt(text, dot, '.')) return dot;
  if (IsAt(text, dot + 1, kBase64Url)) return RunEnd(text, dot + 1, kBase64Url);
  const bool is_empty = may_be_empty && IsAt(text, dot + 1, '.') && IsAt(text, dot + 2, kBase64Url);
  return is_empty ? dot + 1 : dot;
}

std::optional<Found> FindJwt(std::string_view text, std::size_t at) {
  if (IsBefore(text, at, kBase64Url)) return std::nullopt;
  const std::size_t header_end = RunEnd(text, at, kBase64Url);
  if (PartEnd(text, header_end, /*may_be_empty=*/true) == header_end) return std::nullopt;
  const Header header = ReadHeader(text.substr(at, header_end - at));
  if (header == Header::kNone) return std::nullopt;
  const int parts = header == Header::kEncrypted ? 4 : 2;
  std::size_t end = header_end;
  for (int i = 0; i < parts; ++i)
    end = PartEnd(text, end, /*may_be_empty=*/i == 0);
  return Found{at, end};
}

constexpr std::array<Trigger, 1> kTriggers = {{{.literal = "eyJ"}}};

constexpr std::array<Detector, 1> kDetectors = {{
    {.name = "jwt",
     .is_default = true,
     .triggers = kTriggers,
     .find = FindJwt,
     .normalize = AppendAsItIs,
     .example = "token=eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiI0MiJ9."
                "dBjftJeZ4CVPmB92K27uhbUJU1p1rwW1gFWFOEjXk"},
}};

}  // namespace

std::span<const Detector> JwtDetectors() {
  return kDetectors;
}

}  // namespace agent::redact
