// Cuts a JMESPath expression into tokens.

#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "pipeline/json/jmespath.h"

namespace agent {

enum class JmesToken : uint8_t {
  kEnd,
  kIdentifier,        // text
  kQuotedIdentifier,  // text, decoded
  kNumber,            // text
  kLiteral,           // text: JSON
  kRawString,         // text, decoded
  kDot,
  kStar,
  kComma,
  kColon,
  kLeftBrace,
  kRightBrace,
  kLeftBracket,
  kRightBracket,
  kLeftParen,
  kRightParen,
  kFlatten,  // []
  kFilter,   // [?
  kCurrent,  // @
  kPipe,
  kOr,
  kAnd,
  kNot,
  kReference,  // &
  kEqual,
  kNotEqual,
  kLess,
  kLessEqual,
  kGreater,
  kGreaterEqual,
};

struct JmesLexeme {
  JmesToken token = JmesToken::kEnd;
  std::string text;
  std::size_t offset = 0;
};

// All tokens, the last one kEnd. False after an error.
bool TokenizeJmesPath(std::string_view expression, std::vector<JmesLexeme>& tokens,
                      JmesPath::SyntaxError& error);

}  // namespace agent
