// A regular expression in Go's syntax as a tree: from it follow the form that PCRE2 runs and the
// text that every match must contain. Only for expressions that RE2 has accepted.

#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "pipeline/regex/rune_set.h"

namespace agent {

struct RegexNode {
  enum class Kind : uint8_t {
    kEmpty,
    kLiteral,  // `rune`, in both cases with `fold`.
    kClass,    // `set`.
    kOpaque,   // One character of a class that only RE2 knows.
    kBeginText,
    kEndText,
    kBeginLine,
    kEndLine,
    kWordBoundary,
    kNoWordBoundary,
    kCapture,    // Of children[0], as group number `group`.
    kConcat,     // Of all children.
    kAlternate,  // Of all children, the first one that leads to a match wins.
    kRepeat,     // Of children[0], `min` to `max` times.
  };
  static constexpr int kUnlimited = -1;

  Kind kind = Kind::kEmpty;
  bool fold = false;
  bool greedy = true;
  char32_t rune = 0;
  int min = 0;
  int max = 0;
  std::size_t group = 0;
  RuneSet set;
  std::vector<RegexNode> children;
};

// nullopt when the expression has something that this parser does not know; then RE2 has to do
// alone.
std::optional<RegexNode> ParseGoRegex(std::string_view pattern);

// Whether the node can match without consuming anything.
bool CanBeEmpty(const RegexNode& node);

}  // namespace agent
