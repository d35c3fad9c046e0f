// Letters of upper and lower case, and white space, as Go sees them.

#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace agent {

char32_t RuneToUpper(char32_t rune);
char32_t RuneToLower(char32_t rune);
bool IsUnicodeSpace(char32_t rune);
inline bool IsUpperRune(char32_t rune) {
  return RuneToLower(rune) != rune;
}
inline bool IsLowerRune(char32_t rune) {
  return RuneToUpper(rune) != rune;
}

// Append the text in that case; an invalid byte becomes U+FFFD.
void AppendUpper(std::string_view text, std::string& out);
void AppendLower(std::string_view text, std::string& out);

// Without white space at both ends.
std::string_view TrimUnicodeSpace(std::string_view text);

// All runes; U+FFFD for an invalid byte.
std::u32string ToRunes(std::string_view text);
std::string FromRunes(std::u32string_view runes);

}  // namespace agent
