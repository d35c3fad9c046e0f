// Writes a regular expression in the form in which PCRE2 gives the same result as Go: every class
// spelled out, so that nothing depends on PCRE2's own idea of \w, \s, `$` or letter case.

#pragma once

#include <optional>
#include <string>
#include <vector>

#include "pipeline/regex/syntax.h"

namespace agent {

enum class PcreAlphabet : uint8_t {
  kAscii,    // For texts of bytes below 0x80 only; quicker.
  kUnicode,  // For valid UTF-8.
};

// `captured`: by group number; other groups do not capture. nullopt when the two engines might
// differ: classes that need Unicode tables, and repetitions of what can be empty. To be compiled
// with PCRE2_DOTALL and PCRE2_ALT_CIRCUMFLEX, newline LF.
std::optional<std::string> ToPcre(const RegexNode& root, const std::vector<bool>& captured,
                                  PcreAlphabet alphabet);

}  // namespace agent
