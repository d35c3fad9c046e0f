// Scans any text as logfmt: pairs come in the order of the text and lie in it or in the arena. Then
// makes a pair of the input, in quotes: what was put in comes out.

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <optional>
#include <string>
#include <string_view>

#include "base/check.h"
#include "base/utf8.h"
#include "pipeline/arena.h"
#include "pipeline/stages/logfmt_scanner.h"
#include "tests/support/padded_text.h"

namespace {

std::string Quoted(std::string_view text) {
  std::string quoted = "\"";
  for (const char c : text) {
    char escaped[8] = {c, '\0'};
    if (c == '"' || c == '\\') std::snprintf(escaped, sizeof(escaped), "\\%c", c);
    if (static_cast<unsigned char>(c) < 0x20) {
      std::snprintf(escaped, sizeof(escaped), "\\u%04x", static_cast<unsigned>(c));
    }
    quoted += escaped;
  }
  return quoted + '"';
}

void ScanAnything(std::string_view text) {
  agent::Arena arena;
  agent::LogfmtScanner scanner(text, arena);
  std::size_t at = 0;
  while (const std::optional<agent::LogfmtPair> pair = scanner.Next()) {
    CHECK(!pair->key.empty() && pair->key.data() >= text.data() + at);
    at = static_cast<std::size_t>(pair->key.data() - text.data()) + pair->key.size();
    CHECK(at <= text.size());
    CHECK(pair->key.find_first_of("=\" ") == std::string_view::npos);
    // A byte that is no UTF-8 becomes U+FFFD where something is unescaped.
    CHECK(pair->value.size() <= 3 * text.size());
  }
}

void RoundTrip(std::string_view value) {
  const agent::PaddedText text("before=1 key=" + Quoted(value) + " after=2");
  agent::Arena arena;
  agent::LogfmtScanner scanner(text.view(), arena);
  CHECK(scanner.Next()->value == "1");
  CHECK(scanner.Next()->value == value);
  CHECK(scanner.Next()->key == "after");
  CHECK(!scanner.Next() && !scanner.failed());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const agent::PaddedText padded(input);
  ScanAnything(padded.view());
  if (agent::IsValidUtf8(input) && input.find('\0') == std::string_view::npos) RoundTrip(input);
  return 0;
}
