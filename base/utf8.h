// UTF-8, as Go treats it: an invalid byte stands for one U+FFFD.

#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace agent {

bool IsValidUtf8(std::string_view text);

struct DecodedRune {
  char32_t rune = 0xFFFD;
  std::size_t size = 1;  // Bytes consumed; at least 1.
  bool valid = false;    // False: `rune` is U+FFFD standing for one bad byte.
};
// The first rune of a non-empty text.
DecodedRune DecodeRune(std::string_view text);

void AppendUtf8(char32_t rune, std::string& out);

// Appends `text` with each invalid byte replaced by U+FFFD.
void AppendSanitized(std::string_view text, std::string& out);

}  // namespace agent
