// Text that every match of an expression contains. Looking for it first is cheaper than any engine.

#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "pipeline/regex/syntax.h"

namespace agent {

// The most telling of those texts: the rarest in log lines, by a guess. Empty when there is none
// that is worth looking for.
std::string RequiredLiteral(const RegexNode& root);

// Looks for a text of at least one byte.
class LiteralFinder {
 public:
  explicit LiteralFinder(std::string literal);
  [[nodiscard]] bool In(std::string_view text) const;
  [[nodiscard]] const std::string& literal() const { return literal_; }

 private:
  [[nodiscard]] bool ScanPairs(std::string_view text) const;

  std::string literal_;
  // Where in it its two rarest bytes stand; both 0 for one byte.
  std::size_t first_ = 0;
  std::size_t second_ = 0;
};

}  // namespace agent
