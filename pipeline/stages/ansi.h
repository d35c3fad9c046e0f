// ANSI escape sequences: colours and cursor movements that programs write for terminals.
//
// Recognises what Promtail's expression does, with the preferences of that expression:
//
//   [\x1B\x{9B}][[\]()#;?]*(?:(?:(?:[a-zA-Z\d]*(?:;[a-zA-Z\d]*)*)?\x07)|
//       (?:(?:\d{1,4}(?:;\d{0,4})*)?[\dA-PRZcf-ntqry=><~]))

#pragma once

#include <cstddef>
#include <string_view>

#include "pipeline/arena.h"

namespace agent {

// The first byte of an ESC or a U+009B (C2 9B) in the text; `end` when there is none. Reads up to
// kTextPadding bytes past `end`.
const char* FindAnsiIntroducer(const char* p, const char* end);

// The length of the sequence at the front of a text that begins with ESC or U+009B; 0 when it is
// none.
std::size_t AnsiSequenceLength(std::string_view text);

// The line without its sequences; itself where it has none, else in the arena.
std::string_view StripAnsi(std::string_view line, Arena& arena);

}  // namespace agent
