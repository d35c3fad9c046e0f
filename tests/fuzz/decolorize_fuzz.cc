// Takes ANSI sequences out of a line; must agree with the regular expression that Promtail uses.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/check.h"
#include "pipeline/regex/regex.h"
#include "pipeline/stages/ansi.h"
#include "tests/support/padded_text.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, std::size_t size) {
  static const std::unique_ptr<agent::Regex> expression = [] {
    auto compiled = agent::Regex::Compile(
        R"([\x1b\x{9b}][[\]()#;?]*(?:(?:(?:[a-zA-Z\d]*(?:;[a-zA-Z\d]*)*)?\x07)|)"
        R"((?:(?:\d{1,4}(?:;\d{0,4})*)?[\dA-PRZcf-ntqry=><~])))");
    CHECK(compiled.ok());
    return std::move(compiled).value();
  }();
  const std::string_view line(reinterpret_cast<const char*>(data), size);
  std::string want;
  std::size_t kept = 0;
  std::vector<agent::TextSpan> match(expression->captured());
  expression->Begin(line);
  while (expression->Next(match)) {
    want += line.substr(kept, match[0].begin - kept);
    kept = match[0].end;
  }
  want += line.substr(kept);

  const agent::PaddedText padded(line);
  agent::Arena arena;
  CHECK(agent::StripAnsi(padded.view(), arena) == want);
  return 0;
}
