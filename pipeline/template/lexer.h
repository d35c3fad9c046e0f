// Cuts a template into text and the tokens of its actions, as Go's text/template does.

#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace agent {

enum class TokenKind : uint8_t {
  kText,
  kLeftDelim,
  kRightDelim,
  kSpace,
  kIdentifier,
  kKeyword,   // if, range, end, nil, …
  kField,     // ".name"; text without the dot.
  kVariable,  // "$" or "$name".
  kDot,
  kBool,
  kNumber,
  kCharConstant,
  kString,     // In double quotes, as written.
  kRawString,  // In backquotes, as written.
  kDeclare,    // :=
  kAssign,     // =
  kPipe,
  kComma,
  kLeftParen,
  kRightParen,
  kEnd,  // Of the template.
};

struct Token {
  TokenKind kind = TokenKind::kEnd;
  std::size_t offset = 0;  // In the template.
  std::string_view text;   // A part of the template.
};

// "line:column: message", counting from 1.
Error TemplateError(std::string_view source, std::size_t offset, std::string message);

// Views into `source`. The last token is kEnd.
Result<std::vector<Token>> LexTemplate(std::string_view source);

}  // namespace agent
