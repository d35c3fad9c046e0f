// Turns a grok expression, `%{IPORHOST:client} took %{NUMBER:ms:int}`, into one regular expression
// and what its groups mean.
//
// Texts from Logstash are written for Ruby's engine. What RE2 has under another name is translated:
// `(?m)` (there: `.` matches a newline too) is `(?s)`, `\h` is a hexadecimal digit, `^` and `$` are
// the ends of lines. Atomic groups and possessive quantifiers become plain ones: they match the
// same and more. Look-around and back-references are problems.

#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "pipeline/convert_value.h"
#include "pipeline/grok/patterns.h"
#include "pipeline/grok/problem.h"
#include "pipeline/regex/regex.h"

namespace agent {

struct GrokCapture {
  std::string field;  // `[a][b]` is "a.b".
  Conversion type = Conversion::kString;
  std::size_t group = 0;
  // Named in the expression itself, not in a pattern that it refers to: such a name wins.
  bool own = true;
};

struct GrokExpression {
  std::unique_ptr<Regex> regex;
  std::vector<GrokCapture> captures;  // By group number; fields may repeat.
};

// nullopt after a problem.
std::optional<GrokExpression> CompileGrok(std::string_view text, const GrokPatterns& patterns,
                                          GrokProblem& problem);

}  // namespace agent
