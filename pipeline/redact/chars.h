// Classes of bytes that the detectors share: ASCII only, whatever the locale.

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace agent::redact {

enum CharClass : uint16_t {
  kDigit = 1,
  kUpper = 2,
  kLower = 4,
  kHexLetter = 8,
  kBase64Sign = 16,     // + /
  kBase64UrlSign = 32,  // - _
  kTokenSign = 64,      // - . _ ~ + /: with letters and digits, what a bearer token is made of.
  kUserinfoSign = 128,  // What else stands before the @ of a URL.
  kSpace = 256,         // Space, tab and line ends.
};

constexpr uint16_t kLetter = kUpper | kLower;
constexpr uint16_t kAlnum = kLetter | kDigit;
constexpr uint16_t kCapitalOrDigit = kUpper | kDigit;
constexpr uint16_t kHex = kDigit | kHexLetter;
constexpr uint16_t kBase64 = kAlnum | kBase64Sign;
constexpr uint16_t kBase64Url = kAlnum | kBase64UrlSign;
constexpr uint16_t kToken = kAlnum | kTokenSign;
constexpr uint16_t kUserinfo = kAlnum | kUserinfoSign;

constexpr std::array<uint16_t, 256> MakeCharClasses() {
  std::array<uint16_t, 256> classes{};
  const auto add = [&classes](std::string_view chars, uint16_t bits) {
    for (const char c : chars) {
      uint16_t& own = classes[static_cast<uint8_t>(c)];
      own = static_cast<uint16_t>(own | bits);
    }
  };
  add("0123456789", kDigit);
  add("ABCDEFGHIJKLMNOPQRSTUVWXYZ", kUpper);
  add("abcdefghijklmnopqrstuvwxyz", kLower);
  add("ABCDEFabcdef", kHexLetter);
  add("+/", kBase64Sign);
  add("-_", kBase64UrlSign);
  add("-._~+/", kTokenSign);
  add("-._~%!$&'()*+,;=:", kUserinfoSign);
  add(" \t\r\n", kSpace);
  return classes;
}

inline constexpr std::array<uint16_t, 256> kCharClasses = MakeCharClasses();

constexpr bool Is(char c, uint16_t classes) {
  return (kCharClasses[static_cast<uint8_t>(c)] & classes) != 0;
}
// False beyond the end.
constexpr bool IsAt(std::string_view text, std::size_t at, uint16_t classes) {
  return at < text.size() && Is(text[at], classes);
}
constexpr bool IsAt(std::string_view text, std::size_t at, char c) {
  return at < text.size() && text[at] == c;
}
// Of the byte in front of `at`; false at the beginning.
constexpr bool IsBefore(std::string_view text, std::size_t at, uint16_t classes) {
  return at > 0 && Is(text[at - 1], classes);
}
constexpr bool IsBefore(std::string_view text, std::size_t at, char c) {
  return at > 0 && text[at - 1] == c;
}
// The end of the run of such bytes that begins at `at`.
constexpr std::size_t RunEnd(std::string_view text, std::size_t at, uint16_t classes) {
  while (IsAt(text, at, classes))
    ++at;
  return at;
}

constexpr char ToLower(char c) {
  return Is(c, kUpper) ? static_cast<char>(c + ('a' - 'A')) : c;
}
// `lower` is in lower case.
constexpr bool EqualsIgnoringCase(std::string_view text, std::string_view lower) {
  if (text.size() != lower.size()) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (ToLower(text[i]) != lower[i]) return false;
  }
  return true;
}

// 0 to 15, or -1.
constexpr int HexValue(char c) {
  if (Is(c, kDigit)) return c - '0';
  return Is(c, kHexLetter) ? ToLower(c) - 'a' + 10 : -1;
}

}  // namespace agent::redact
