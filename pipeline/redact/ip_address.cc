// IP addresses.
//
// IPv4: four numbers of 0 to 255 without leading zeros. A fifth number before or behind makes it a
// version; a version of four numbers cannot be told from an address.
//
// IPv6: what inet_pton takes, also shortened and with an IPv4 tail. A shortened one must have a
// decimal digit, or `dead::beef` in a program's names would be one; eight groups of two digits are
// the address of a network card or a disk. A port behind is left alone.

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "pipeline/redact/chars.h"
#include "pipeline/redact/detector.h"

namespace agent::redact {
namespace {

constexpr std::size_t kMaxIpv6Bytes = 45;  // Six groups and an IPv4 address, all digits written.
constexpr std::size_t kMaxRunBytes = kMaxIpv6Bytes + 8;  // With a port and a dot or colon or two.

bool IsWord(std::string_view text, std::size_t at) {
  return IsAt(text, at, kAlnum) || IsAt(text, at, '_');
}

bool IsWordBefore(std::string_view text, std::size_t at) {
  return at > 0 && IsWord(text, at - 1);
}

// The end of the number 0 to 255 at `at`; 0: there is none.
std::size_t OctetEnd(std::string_view text, std::size_t at) {
  const std::size_t end = RunEnd(text, at, kDigit);
  const std::size_t size = end - at;
  if (size == 0 || size > 3 || (size > 1 && text[at] == '0')) return 0;
  int value = 0;
  for (std::size_t i = at; i < end; ++i)
    value = value * 10 + (text[i] - '0');
  return value <= 255 ? end : 0;
}

std::optional<Found> FindIpv4(std::string_view text, std::size_t at) {
  std::size_t begin = at;
  while (IsBefore(text, begin, kDigit) && at - begin < 3)
    --begin;
  if (IsWordBefore(text, begin) || IsBefore(text, begin, '.')) return std::nullopt;
  std::size_t end = OctetEnd(text, begin);
  for (int i = 0; i < 3; ++i) {
    if (end == 0 || !IsAt(text, end, '.')) return std::nullopt;
    end = OctetEnd(text, end + 1);
  }
  if (end == 0 || IsWord(text, end)) return std::nullopt;
  if (IsAt(text, end, '.') && IsWord(text, end + 1)) return std::nullopt;
  return Found{begin, end};
}

bool ParseIpv6(std::string_view text, in6_addr& address) {
  std::array<char, kMaxIpv6Bytes + 1> copy{};
  if (text.size() > kMaxIpv6Bytes) return false;
  std::memcpy(copy.data(), text.data(), text.size());
  return inet_pton(AF_INET6, copy.data(), &address) == 1;
}

// 00:11:22:33:44:55:66:77, which inet_pton takes too.
bool IsHardwareAddress(std::string_view text) {
  if (text.size() != 23) return false;
  for (std::size_t i = 2; i < text.size(); i += 3) {
    if (text[i] != ':') return false;
  }
  return true;
}

bool IsIpv6(std::string_view text) {
  in6_addr address{};
  if (!ParseIpv6(text, address) || IsHardwareAddress(text)) return false;
  const bool has_digit =
      std::any_of(text.begin(), text.end(), [](char c) { return Is(c, kDigit); });
  return has_digit || text.find("::") == std::string_view::npos;
}

bool IsRunByte(char c) {
  return Is(c, kHex) || c == ':' || c == '.';
}

// What stands around `at` of digits, colons and dots; empty when it is too long.
Found RunAround(std::string_view text, std::size_t at) {
  Found run{at, at};
  while (run.begin > 0 && IsRunByte(text[run.begin - 1]) && at - run.begin <= kMaxRunBytes)
    --run.begin;
  while (run.end < text.size() && IsRunByte(text[run.end]) && run.end - at <= kMaxRunBytes)
    ++run.end;
  return run.end - run.begin <= kMaxRunBytes ? run : Found{at, at};
}

// `src:2001:db8::1` and `std::dead::1`: what stands before the run's first colon is a name, and
// only a single colon ends it. False: no address begins here.
bool CutNameBefore(std::string_view text, Found& run) {
  while (run.begin < run.end && text[run.begin] == '.')
    ++run.begin;
  if (IsWordBefore(text, run.begin)) {
    while (run.begin < run.end && text[run.begin] != ':')
      ++run.begin;
    if (IsAt(text, run.begin + 1, ':') && !IsAt(text, run.begin + 2, ':')) return false;
  }
  // A single colon, or the first one of three.
  const bool single = IsAt(text, run.begin, ':') &&
                      (!IsAt(text, run.begin + 1, ':') || IsAt(text, run.begin + 2, ':'));
  if (single) ++run.begin;
  return run.begin < run.end;
}

// Behind the address there may be the end of a sentence, or a name.
void CutBehind(std::string_view text, Found& run) {
  if (IsWord(text, run.end)) {
    while (run.end > run.begin && text[run.end - 1] != ':' && text[run.end - 1] != '.')
      --run.end;
  }
  while (run.end > run.begin && text[run.end - 1] == '.')
    --run.end;
  if (run.end - run.begin < 2 || text[run.end - 1] != ':') return;
  const bool is_compression = text[run.end - 2] == ':';
  const bool is_third = run.end - run.begin > 2 && text[run.end - 3] == ':';
  if (!is_compression || is_third) --run.end;
}

// `2001:db8::1.53` in a packet dump, or a ninth group: the end of the address before its port.
std::size_t PortBegin(std::string_view address) {
  std::size_t begin = address.size();
  while (IsBefore(address, begin, kDigit))
    --begin;
  const std::size_t digits = address.size() - begin;
  if (begin < 2 || digits == 0 || digits > 5) return 0;
  const char mark = address[begin - 1];
  return mark == '.' || mark == ':' ? begin - 1 : 0;
}

std::optional<Found> FindIpv6(std::string_view text, std::size_t at) {
  Found run = RunAround(text, at);
  if (run.begin == run.end || !CutNameBefore(text, run)) return std::nullopt;
  CutBehind(text, run);
  if (run.begin >= run.end || IsWordBefore(text, run.begin)) return std::nullopt;
  const std::string_view address = text.substr(run.begin, run.end - run.begin);
  if (IsIpv6(address)) return run;
  const std::size_t port = PortBegin(address);
  if (port == 0 || !IsIpv6(address.substr(0, port))) return std::nullopt;
  return Found{run.begin, run.begin + port};
}

// RFC 5952: the shortest form, in lower case.
void AppendIpv6(std::string_view value, std::string& out) {
  in6_addr address{};
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (!ParseIpv6(value, address) ||
      inet_ntop(AF_INET6, &address, text.data(), text.size()) == nullptr) {
    out += value;
    return;
  }
  out += text.data();
}

constexpr std::array<Trigger, 1> kIpv4Triggers = {{{.kind = TriggerKind::kIpv4}}};
constexpr std::array<Trigger, 2> kIpv6Triggers = {{
    {.literal = "::"},
    {.kind = TriggerKind::kIpv6Groups},
}};

constexpr std::array<Detector, 2> kDetectors = {{
    {.name = "ipv4",
     .triggers = kIpv4Triggers,
     .find = FindIpv4,
     .normalize = AppendAsItIs,
     .example = "from 203.0.113.9:443"},
    {.name = "ipv6",
     .triggers = kIpv6Triggers,
     .find = FindIpv6,
     .normalize = AppendIpv6,
     .example = "from [2001:db8::8a2e:370:7334]:443"},
}};

}  // namespace

std::span<const Detector> IpAddressDetectors() {
  return kDetectors;
}

}  // namespace agent::redact
