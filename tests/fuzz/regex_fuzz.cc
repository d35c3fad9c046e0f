// Both engines on an expression and a text made by the fuzzer: the first line is the expression,
// the rest the text. Whatever they are, nothing crashes, and the engines agree.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <vector>

#include "base/regex/go_regex.h"
#include "pipeline/regex/regex.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, std::size_t size) {
  using agent::GoRegex;
  using agent::Regex;
  using agent::TextSpan;
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const std::size_t split = std::min(input.find('\n'), input.size());
  const std::string_view pattern = input.substr(0, split);
  const std::string_view text = split < size ? input.substr(split + 1) : std::string_view{};
  if (pattern.size() > 200) return 0;

  const auto go = GoRegex::Compile(pattern);
  const auto regex = Regex::Compile(pattern);
  if (go.ok() != regex.ok()) std::abort();
  if (!go.ok()) return 0;
  std::vector<TextSpan> want((*go)->group_count() + 1);
  std::vector<TextSpan> got(want.size());
  const bool matches = (*go)->SearchBytes(text, want);
  if ((*regex)->Search(text, got) != matches) std::abort();
  if (matches && got != want) std::abort();
  (*regex)->Begin(text);
  std::size_t end = 0;
  while ((*regex)->Next(got)) {
    if (got[0].begin < end || got[0].end > text.size()) std::abort();
    end = got[0].end;
  }
  return 0;
}
