// Parses the input's first line as a LogQL selector and asks it about labels and the rest. Then
// makes selectors of the input as a literal: they pick exactly that.

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>

#include "base/check.h"
#include "base/labels.h"
#include "base/utf8.h"
#include "pipeline/stages/selector.h"

namespace {

std::string Quoted(std::string_view text) {
  std::string quoted = "\"";
  for (const char c : text) {
    char escaped[8] = {c, '\0'};
    if (c == '"' || c == '\\') std::snprintf(escaped, sizeof(escaped), "\\%c", c);
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) {
      std::snprintf(escaped, sizeof(escaped), "\\x%02x", static_cast<unsigned>(c));
    }
    quoted += escaped;
  }
  return quoted + '"';
}

void PickLiteral(std::string_view text) {
  const std::string literal = Quoted(text);
  const agent::Labels same{{"a", std::string(text)}};
  const agent::Labels other{{"a", std::string(text) + "x"}};
  const auto equal = agent::Selector::Parse("{a=" + literal + "} |= " + literal);
  CHECK(equal.ok());
  CHECK((*equal)->MatchesLabels(same) && !(*equal)->MatchesLabels(other));
  CHECK((*equal)->MatchesLine("before " + std::string(text) + " after"));
  const auto unequal = agent::Selector::Parse("{a!=" + literal + "} != " + literal);
  CHECK(unequal.ok());
  CHECK(!(*unequal)->MatchesLabels(same) && (*unequal)->MatchesLabels(other));
  CHECK(!(*unequal)->MatchesLine(text));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const std::string_view text = input.substr(0, input.find('\n'));
  const std::string_view line = input.substr(text.size());
  if (text.size() > 300) return 0;

  std::size_t offset = 0;
  const auto selector = agent::Selector::Parse(text, &offset);
  if (selector.ok()) {
    for (const char* value : {"", "api", "web-1"}) {
      (*selector)->MatchesLabels(agent::Labels{{"app", value}, {"a", "b"}});
    }
    (*selector)->MatchesLine(line);
  } else {
    CHECK(!selector.error().message.empty() && offset <= text.size());
  }
  const bool plain = text.find_first_of(std::string_view("\0\r", 2)) == std::string_view::npos;
  if (!text.empty() && plain && agent::IsValidUtf8(text)) PickLiteral(text);
  return 0;
}
