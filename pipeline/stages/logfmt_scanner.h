// Reads logfmt: `level=info msg="it's done" debug`. Keys are bytes above the space other than `=`
// and
// `"`; values are such bytes too, or a JSON-like string in quotes.

#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include "pipeline/arena.h"

namespace agent {

struct LogfmtPair {
  std::string_view key;
  std::string_view value;  // In the text, or in the arena where it had escapes.
};

class LogfmtScanner {
 public:
  LogfmtScanner(std::string_view text, Arena& arena) : text_(text), arena_(arena) {}

  // The next pair; nullopt at the end or at a syntax error, after which failed() is true.
  std::optional<LogfmtPair> Next();
  [[nodiscard]] bool failed() const { return failed_; }

 private:
  std::optional<std::string_view> Key();
  std::optional<std::string_view> Value();
  std::optional<std::string_view> QuotedValue();
  // Unescapes what stands between the quotes; false where an escape is none.
  bool Unescape(std::string_view quoted, std::string_view& value);
  std::nullopt_t Fail();

  const std::string_view text_;
  Arena& arena_;
  std::size_t at_ = 0;
  bool failed_ = false;
};

}  // namespace agent
