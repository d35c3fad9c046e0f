// E-mail addresses, and the user and password in a URL: what stands around an '@'.
//
// An address is the part of RFC 5322 that people use: letters, digits and . _ % + - before the @
// (at most 64 bytes), then a domain of at least two labels, the last one of letters. Latin, Greek
// and Cyrillic letters count; `%40` counts as @, as in a query string.

#include <algorithm>
#include <array>

#include "pipeline/redact/chars.h"
#include "pipeline/redact/detector.h"

namespace agent::redact {
namespace {

constexpr std::size_t kMaxLocalBytes = 64;
constexpr std::size_t kMaxDomainBytes = 253;
constexpr std::size_t kMaxLabelBytes = 63;
constexpr std::size_t kMaxUserinfoBytes = 256;

// systemd's units look like addresses: user@1000.service.
constexpr std::array<std::string_view, 11> kNotTopLevel = {
    "automount", "device", "mount", "path",   "scope", "service",
    "slice",     "socket", "swap",  "target", "timer"};

// Letters of two bytes in UTF-8: Latin, Greek, Cyrillic, Armenian. Longer sequences are not taken:
// scripts without spaces would run into the address, and so would typographic punctuation.
bool IsLetterPair(char lead, char next) {
  const auto first = static_cast<uint8_t>(lead);
  return first >= 0xC3 && first <= 0xD5 && (static_cast<uint8_t>(next) & 0xC0U) == 0x80;
}

// Bytes of the letter or digit at `at`, or of one of `classes`; 0: it is none.
std::size_t CharSize(std::string_view text, std::size_t at, uint16_t classes) {
  if (at >= text.size()) return 0;
  if (Is(text[at], classes)) return 1;
  return at + 1 < text.size() && IsLetterPair(text[at], text[at + 1]) ? 2 : 0;
}

bool IsLocalSign(char c) {
  return c == '.' || c == '_' || c == '%' || c == '+' || c == '-';
}

// Bytes of the character of a local part that ends at `at`.
std::size_t LocalSizeBefore(std::string_view text, std::size_t at) {
  if (at == 0) return 0;
  const char c = text[at - 1];
  if (Is(c, kAlnum) || IsLocalSign(c)) return 1;
  return at > 1 && IsLetterPair(text[at - 2], c) ? 2 : 0;
}

// `%3D` before an address in a query string is not a part of it; `%2B` is.
bool IsForeignEscape(std::string_view text, std::size_t at) {
  if (at + 2 >= text.size() || text[at] != '%') return false;
  const int high = HexValue(text[at + 1]);
  const int low = HexValue(text[at + 2]);
  if (high < 0 || low < 0) return false;
  const char decoded = static_cast<char>(high * 16 + low);
  return !Is(decoded, kAlnum) && !IsLocalSign(decoded);
}

// Where the local part begins that ends at `end`; `end` when there is none.
std::size_t LocalBegin(std::string_view text, std::size_t end, bool escaped) {
  if (IsBefore(text, end, '.')) return end;
  std::size_t begin = end;
  while (const std::size_t size = LocalSizeBefore(text, begin)) {
    if (text[begin - size] == '.' && IsAt(text, begin, '.') && begin < end) break;
    begin -= size;
    if (end - begin > kMaxLocalBytes) return end;
    if (escaped && end - begin >= 3 && IsForeignEscape(text, begin)) {
      begin += 3;
      break;
    }
  }
  while (begin < end && IsLocalSign(text[begin]) && text[begin] != '_')
    ++begin;
  return begin;
}

// One label of a domain.
struct Label {
  std::size_t begin = 0;
  std::size_t end = 0;
  std::size_t letters_end = 0;  // Of the letters that it begins with.
  bool digits_only = true;
};

Label ReadLabel(std::string_view text, std::size_t at) {
  Label label{at, at, at, true};
  while (const std::size_t size = CharSize(text, label.end, kAlnum)) {
    const bool is_digit = Is(text[label.end], kDigit);
    if (!is_digit) label.digits_only = false;
    if (!is_digit && label.letters_end == label.end) label.letters_end += size;
    label.end += size;
    // A dash belongs to it when something follows.
    const std::size_t dashes = text.find_first_not_of('-', label.end);
    if (dashes != std::string_view::npos && dashes > label.end &&
        CharSize(text, dashes, kAlnum) > 0) {
      label.digits_only = false;
      label.end = dashes;
    }
    if (label.end - label.begin > kMaxLabelBytes) break;
  }
  return label;
}

// Where a top-level domain ends that begins like this label; 0: it is none.
std::size_t TopLevelEnd(std::string_view text, const Label& label) {
  const std::string_view whole = text.substr(label.begin, label.end - label.begin);
  if (whole.starts_with("xn--")) return label.end;
  const std::string_view letters = text.substr(label.begin, label.letters_end - label.begin);
  if (letters.size() < 2 || IsAt(text, label.letters_end, kDigit)) return 0;
  const bool is_unit = std::any_of(kNotTopLevel.begin(), kNotTopLevel.end(),
                                   [&](auto name) { return EqualsIgnoringCase(letters, name); });
  return is_unit ? 0 : label.letters_end;
}

// The end of the domain that begins at `from`; 0: there is none.
std::size_t DomainEnd(std::string_view text, std::size_t from) {
  std::size_t end = 0;
  std::size_t numeric_labels = 0;
  std::size_t at = from;
  for (std::size_t count = 0;; ++count) {
    const Label label = ReadLabel(text, at);
    if (label.end == at || label.end - label.begin > kMaxLabelBytes) break;
    if (label.end - from > kMaxDomainBytes) break;
    if (count > 0) {
      if (const std::size_t top = TopLevelEnd(text, label)) end = top;
    }
    // `left-pad@1.3.0-beta.rc` is a package of that version; `icon@2x.png` a picture.
    if (label.digits_only && count == numeric_labels) ++numeric_labels;
    const bool scale = label.end - label.begin == 2 && Is(text[at], kDigit) && text[at + 1] == 'x';
    if (numeric_labels > 1 || (count == 0 && scale)) return 0;
    if (!IsAt(text, label.end, '.')) break;
    at = label.end + 1;
  }
  return end;
}

std::optional<Found> FindEmail(std::string_view text, std::size_t at) {
  const bool escaped = text[at] == '%';
  const std::size_t begin = LocalBegin(text, at, escaped);
  if (begin == at) return std::nullopt;
  // In ssh://ann@host, ann is a user of that host.
  if (begin >= 3 && text.substr(begin - 3, 3) == "://") return std::nullopt;
  const std::size_t end = DomainEnd(text, at + (escaped ? 3 : 1));
  if (end == 0) return std::nullopt;
  // git@github.com:group/project is everybody's.
  const bool is_repository = text.substr(begin, at - begin) == "git" && IsAt(text, end, ':') &&
                             !IsAt(text, end + 1, kDigit);
  if (is_repository) return std::nullopt;
  return Found{begin, end};
}

void AppendLowerCase(std::string_view value, std::string& out) {
  for (const char c : value)
    out += ToLower(c);
}

// An @ in a password is not always escaped: the last one before the host counts.
std::size_t UserinfoEnd(std::string_view text, std::size_t at) {
  std::size_t end = at;
  for (std::size_t i = at + 1; i < text.size() && i - at < kMaxUserinfoBytes; ++i) {
    if (text[i] == '@') end = i;
    if (text[i] != '@' && !Is(text[i], kUserinfo)) break;
  }
  return end;
}

// `user:*****@` has been masked already.
bool IsMasked(std::string_view password) {
  return password.find_first_not_of('*') == std::string_view::npos ||
         password.find_first_not_of('x') == std::string_view::npos;
}

// In scheme://user:password@host, user and password.
std::optional<Found> FindUrlCredentials(std::string_view text, std::size_t at) {
  std::size_t begin = at;
  while (IsBefore(text, begin, kUserinfo)) {
    --begin;
    if (at - begin > kMaxUserinfoBytes) return std::nullopt;
  }
  const bool in_url =
      begin >= 4 && text.substr(begin - 3, 3) == "://" && Is(text[begin - 4], kAlnum);
  if (!in_url) return std::nullopt;
  const std::size_t colon = begin + text.substr(begin, at - begin).find(':');
  if (colon < begin || colon >= at) return std::nullopt;
  const std::size_t end = UserinfoEnd(text, at);
  if (IsMasked(text.substr(colon + 1, end - colon - 1))) return std::nullopt;
  return Found{begin, end};
}

constexpr std::array<Trigger, 2> kEmailTriggers = {{
    {.literal = "@"},
    {.literal = "%40"},
}};
constexpr std::array<Trigger, 1> kUrlTriggers = {{{.literal = "@"}}};

constexpr std::array<Detector, 2> kDetectors = {{
    {.name = "url_credentials",
     .is_default = true,
     .triggers = kUrlTriggers,
     .find = FindUrlCredentials,
     .normalize = AppendAsItIs,
     .example = "postgres://app:s3cret@db.example.com/orders"},
    {.name = "email",
     .is_default = true,
     .triggers = kEmailTriggers,
     .find = FindEmail,
     .normalize = AppendLowerCase,
     .example = "from ann.smith+news@mail.example.com"},
}};

}  // namespace

std::span<const Detector> EmailDetectors() {
  return kDetectors;
}

}  // namespace agent::redact
