// Go's dialect of regular expressions, as RE2 reads it. The two are nearly one: what differs are
// named groups (`(?<n>...)`, a name used twice) and `\C`. So names are taken out before RE2 sees
// the expression, and groups that nobody reads lose their parentheses' power to capture.

#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace agent {

// What is wrong with an expression, and where in it.
struct RegexProblem {
  std::string message;
  std::string hint;  // May be empty.
  // Bytes of the expression. Length 0: the expression as a whole.
  std::size_t position = 0;
  std::size_t length = 0;
};

// An expression taken apart just far enough to find its groups.
struct GoPattern {
  std::vector<std::string> group_names;  // By group number; [0] and unnamed groups are empty.
  // Of each capturing group, from number 1 on: the bytes that open it, "(" or "(?P<name>".
  struct Opener {
    std::size_t begin = 0;
    std::size_t end = 0;
  };
  std::vector<Opener> openers;
  std::vector<std::size_t> unclosed;  // Where groups begin that are never closed.
};

// False, with `problem` filled, for what RE2 would accept and Go refuses. Everything else that is
// wrong is left for RE2 to find.
bool ScanGoPattern(std::string_view pattern, GoPattern& scanned, RegexProblem& problem);

// The expression for RE2: without names, and with only the groups in `captured` (by number; index 0
// is not looked at) capturing. Empty `captured`: all of them.
std::string RewriteForRe2(std::string_view pattern, const GoPattern& scanned,
                          const std::vector<bool>& captured);

// Where a byte of RewriteForRe2(pattern, scanned, {}) stands in the pattern.
std::size_t OriginalOffset(const GoPattern& scanned, std::size_t rewritten_offset);

// The end of the character class that begins with "[" at `begin`: just after its "]", or the end of
// the pattern.
std::size_t EndOfClass(std::string_view pattern, std::size_t begin);

}  // namespace agent
