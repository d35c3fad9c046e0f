// Private keys in PEM form, from the first dashes to the last, with line ends as they are or
// escaped (`\n` in JSON). One whose end was cut off is found up to where its base64 stops. The
// lines of a key that was logged line by line are nothing but base64: `multiline` in front joins
// them.

#include <array>

#include "pipeline/redact/chars.h"
#include "pipeline/redact/detector.h"

namespace agent::redact {
namespace {

constexpr std::string_view kBegin = "-----BEGIN ";
constexpr std::string_view kEnd = "-----END ";
constexpr std::string_view kDashes = "-----";
constexpr std::size_t kMaxTitleBytes = 48;
constexpr std::size_t kMinBodyBytes = 16;

// Behind `…PRIVATE KEY-----`, or the same of PGP, when the title begins at `at`; 0: another one.
std::size_t TitleEnd(std::string_view text, std::size_t at) {
  std::size_t end = at;
  while (end - at < kMaxTitleBytes && (IsAt(text, end, kCapitalOrDigit) || IsAt(text, end, ' ')))
    ++end;
  const std::string_view title = text.substr(at, end - at);
  const bool is_private = title.ends_with("PRIVATE KEY") || title.ends_with("PRIVATE KEY BLOCK");
  if (!is_private || text.substr(end, kDashes.size()) != kDashes) return 0;
  return end + kDashes.size();
}

// Where the base64 stops that begins at `begin`, line ends included.
std::size_t BodyEnd(std::string_view text, std::size_t begin) {
  std::size_t end = begin;
  std::size_t at = begin;
  while (at < text.size()) {
    if (Is(text[at], kBase64) || text[at] == '=') {
      end = ++at;
    } else if (text[at] == '\n' || text[at] == '\r') {
      ++at;
    } else if (text[at] == '\\' && at + 1 < text.size() &&
               (text[at + 1] == 'n' || text[at + 1] == 'r' || text[at + 1] == '\\')) {
      // The letter of an escape is none of the base64.
      at += text[at + 1] == '\\' ? std::size_t{1} : 2;
    } else {
      break;
    }
  }
  return end;
}

std::optional<Found> FindPrivateKey(std::string_view text, std::size_t at) {
  const std::size_t body = TitleEnd(text, at + kBegin.size());
  if (body == 0) return std::nullopt;
  const std::size_t next = text.find(kDashes, body);
  if (next != std::string_view::npos && text.substr(next).starts_with(kEnd)) {
    const std::size_t end = TitleEnd(text, next + kEnd.size());
    if (end != 0) return Found{at, end};
  }
  const std::size_t end = BodyEnd(text, body);
  if (end - body < kMinBodyBytes) return std::nullopt;
  return Found{at, end};
}

constexpr std::array<Trigger, 1> kTriggers = {{{.literal = kBegin, .rare_at = 4}}};

constexpr std::array<Detector, 1> kDetectors = {{
    {.name = "private_key",
     .is_default = true,
     .triggers = kTriggers,
     .find = FindPrivateKey,
     .normalize = AppendAsItIs,
     .example = "-----BEGIN "
                "PRIVATE KEY-----\\nMIGHAgEAMBMGByqGSM49\\n-----END PRIVATE KEY-----"},
}};

}  // namespace

std::span<const Detector> PrivateKeyDetectors() {
  return kDetectors;
}

}  // namespace agent::redact
