// Keys of AWS, Google Cloud and Azure.
//
// An AWS access key id, a Google API key and Azure's keys have marks of their own. An AWS secret
// key is 40 characters like any others: it is found behind its name only (`aws_secret_access_key=`,
// `"SecretAccessKey": "`).

#include <array>

#include "pipeline/redact/chars.h"
#include "pipeline/redact/detector.h"

namespace agent::redact {
namespace {

constexpr std::size_t kAwsKeyIdBytes = 20;
constexpr std::size_t kAwsSecretBytes = 40;

std::optional<Found> FindAwsAccessKey(std::string_view text, std::size_t at) {
  if (IsBefore(text, at, kAlnum) || text.size() - at < kAwsKeyIdBytes) return std::nullopt;
  const std::size_t end = at + kAwsKeyIdBytes;
  for (std::size_t i = at + 4; i < end; ++i) {
    const char c = text[i];
    if (!Is(c, kUpper) && (c < '2' || c > '7')) return std::nullopt;
  }
  if (IsAt(text, end, kAlnum)) return std::nullopt;
  return Found{at, end};
}

// The end of the run at `begin` when it has exactly this many; 0 otherwise.
std::size_t ExactRun(std::string_view text, std::size_t begin, std::size_t size, uint16_t classes) {
  std::size_t end = begin;
  while (end - begin <= size && IsAt(text, end, classes))
    ++end;
  return end - begin == size ? end : 0;
}

// `=`, `: `, `":"`, ` = '` and the like between a name and its value.
std::size_t ValueBegin(std::string_view text, std::size_t at) {
  constexpr std::size_t kMaxMarks = 8;
  const std::size_t end = at;
  while (at < text.size() && at - end < kMaxMarks &&
         std::string_view(" \t:=>\"'\\").find(text[at]) != std::string_view::npos) {
    ++at;
  }
  return at;
}

std::optional<Found> FindAwsSecretKey(std::string_view text, std::size_t at) {
  // The literals leave out the first letter, which has two cases.
  if (!IsBefore(text, at, 's') && !IsBefore(text, at, 'S')) return std::nullopt;
  std::size_t name_end = at;
  while (IsAt(text, name_end, kLetter) || IsAt(text, name_end, '_') || IsAt(text, name_end, '-'))
    ++name_end;
  const std::size_t begin = ValueBegin(text, name_end);
  if (begin == name_end) return std::nullopt;
  const std::size_t end = ExactRun(text, begin, kAwsSecretBytes, kBase64);
  if (end == 0 || IsAt(text, end, '=')) return std::nullopt;
  return Found{begin, end};
}

std::optional<Found> FindGcpKey(std::string_view text, std::size_t at) {
  if (IsBefore(text, at, kAlnum)) return std::nullopt;
  const std::string_view rest = text.substr(at);
  if (rest.starts_with("ya29.")) {
    // An access token of OAuth, which may have dots inside.
    std::size_t end = RunEnd(text, at + 5, kToken);
    while (end > at && text[end - 1] == '.')
      --end;
    return end - at >= 25 ? std::optional(Found{at, end}) : std::nullopt;
  }
  const bool is_client_secret = rest.starts_with("GOCSPX-");
  const std::size_t begin = at + (is_client_secret ? 7 : 4);
  const std::size_t end = ExactRun(text, begin, is_client_secret ? 28 : 35, kBase64Url);
  return end == 0 ? std::nullopt : std::optional(Found{at, end});
}

// The signature of a shared access URL: 32 bytes in base64, whose signs may be percent-encoded.
std::optional<Found> FindAzureSignature(std::string_view text, std::size_t begin) {
  constexpr std::size_t kCharacters = 43;
  std::size_t end = begin;
  for (std::size_t count = 0; count < kCharacters; ++count) {
    if (IsAt(text, end, '%') && IsAt(text, end + 1, kHex) && IsAt(text, end + 2, kHex)) {
      end += 3;
    } else if (IsAt(text, end, kBase64)) {
      ++end;
    } else {
      return std::nullopt;
    }
  }
  const std::string_view padding = text.substr(end, 3);
  if (padding.starts_with('=')) {
    ++end;
  } else if (padding == "%3D" || padding == "%3d") {
    end += 3;
  } else {
    return std::nullopt;
  }
  return IsAt(text, end, kAlnum) ? std::nullopt : std::optional(Found{begin, end});
}

// abc8Q~…: three characters, a digit, and 31 to 34 behind the mark.
std::optional<Found> FindAzureClientSecret(std::string_view text, std::size_t mark) {
  constexpr std::size_t kBefore = 4;
  constexpr std::size_t kMin = 31;
  constexpr std::size_t kMax = 34;
  const auto is_part = [text](std::size_t i) {
    return IsAt(text, i, kBase64Url) || IsAt(text, i, '~') || IsAt(text, i, '.');
  };
  if (mark < kBefore || !Is(text[mark - 1], kDigit)) return std::nullopt;
  const std::size_t begin = mark - kBefore;
  for (std::size_t i = begin; i < mark; ++i) {
    if (!is_part(i)) return std::nullopt;
  }
  if (!Is(text[begin], kAlnum) || (begin > 0 && is_part(begin - 1))) return std::nullopt;
  std::size_t end = mark + 2;
  while (end - mark - 2 <= kMax && is_part(end))
    ++end;
  while (end > mark && text[end - 1] == '.')
    --end;
  const std::size_t behind = end - mark - 2;
  return behind >= kMin && behind <= kMax ? std::optional(Found{begin, end}) : std::nullopt;
}

std::optional<Found> FindAzureKey(std::string_view text, std::size_t at) {
  const std::string_view rest = text.substr(at);
  if (rest.starts_with("Q~")) return FindAzureClientSecret(text, at);
  if (rest.starts_with("sig=")) {
    const bool is_parameter =
        IsBefore(text, at, '?') || IsBefore(text, at, '&') || IsBefore(text, at, ';');
    return is_parameter ? FindAzureSignature(text, at + 4) : std::nullopt;
  }
  const bool is_account = rest.starts_with("AccountKey=");
  const std::size_t begin = at + rest.find('=') + 1;
  const std::size_t end = ExactRun(text, begin, is_account ? 86 : 43, kBase64);
  const std::size_t padding = is_account ? 2 : 1;
  const bool is_padded =
      end != 0 && text.substr(end, padding) == std::string_view("==").substr(0, padding);
  if (!is_padded || IsAt(text, end + padding, kAlnum)) return std::nullopt;
  return Found{begin, end + padding};
}

constexpr std::array<Trigger, 4> kAwsKeyTriggers = {{
    {.literal = "AKIA", .rare_at = 1},
    {.literal = "ASIA", .rare_at = 1},
    {.literal = "ABIA", .rare_at = 1},
    {.literal = "ACCA", .rare_at = 1},
}};
constexpr std::array<Trigger, 7> kAwsSecretTriggers = {{
    {.literal = "ecret_access_key", .rare_at = 11},
    {.literal = "ECRET_ACCESS_KEY", .rare_at = 11},
    {.literal = "ecret-access-key", .rare_at = 11},
    {.literal = "ecretAccessKey", .rare_at = 10},
    {.literal = "ecret_key", .rare_at = 4},
    {.literal = "ECRET_KEY", .rare_at = 4},
    {.literal = "ecretKey", .rare_at = 4},
}};
constexpr std::array<Trigger, 3> kGcpTriggers = {{
    {.literal = "AIza", .rare_at = 1},
    {.literal = "GOCSPX-", .rare_at = 2},
    {.literal = "ya29.", .rare_at = 1},
}};
constexpr std::array<Trigger, 4> kAzureTriggers = {{
    {.literal = "AccountKey=", .rare_at = 6},
    {.literal = "SharedAccessKey=", .rare_at = 11},
    {.literal = "sig=", .rare_at = 1},
    {.literal = "Q~"},
}};

constexpr std::array<Detector, 4> kDetectors = {{
    {.name = "aws_access_key",
     .is_default = true,
     .triggers = kAwsKeyTriggers,
     .find = FindAwsAccessKey,
     .normalize = AppendAsItIs,
     .example = "key id AKIAIOSFODNN7EXAMPLE"},
    {.name = "aws_secret_key",
     .is_default = true,
     .triggers = kAwsSecretTriggers,
     .find = FindAwsSecretKey,
     .normalize = AppendAsItIs,
     .example = "aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"},
    {.name = "gcp_key",
     .is_default = true,
     .triggers = kGcpTriggers,
     .find = FindGcpKey,
     .normalize = AppendAsItIs,
     .example = "key=AIzaSyA-0123456789_abcdefghijklmnopqrst"},
    {.name = "azure_key",
     .is_default = true,
     .triggers = kAzureTriggers,
     .find = FindAzureKey,
     .normalize = AppendAsItIs,
     .example = "?sv=2022-11-02&sig=0123456789abcdefghijABCDEFGHIJ%2Bklmnopqrstuv%3D"},
}};

}  // namespace

std::span<const Detector> CloudKeyDetectors() {
  return kDetectors;
}

}  // namespace agent::redact
