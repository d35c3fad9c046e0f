// The grok compiler on expressions and patterns made by the fuzzer: lines `NAME expression` up to
// an empty one define patterns, the next line is the expression, the rest the text. Whatever they
// are, nothing crashes, problems point into the text they speak of, and captures are groups.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "pipeline/grok/compiler.h"

namespace {

std::string_view TakeLine(std::string_view& rest) {
  const std::size_t end = std::min(rest.find('\n'), rest.size());
  const std::string_view line = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return line;
}

void CheckProblem(const agent::GrokProblem& problem, std::string_view expression,
                  const agent::GrokPatterns& patterns) {
  const std::string_view text =
      problem.pattern.empty() ? expression : patterns.Find(problem.pattern)->text;
  if (problem.message.empty()) std::abort();
  if (problem.position > text.size()) std::abort();
  if (problem.length > text.size() - problem.position) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, std::size_t size) {
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  agent::GrokPatterns patterns;
  for (std::string_view line = TakeLine(rest); !line.empty(); line = TakeLine(rest)) {
    const std::size_t blank = std::min(line.find(' '), line.size());
    if (!agent::IsGrokPatternName(line.substr(0, blank))) continue;
    patterns.Add(line.substr(0, blank), line.substr(std::min(blank + 1, line.size())));
  }
  const std::string_view expression = TakeLine(rest);
  if (size > 600) return 0;

  agent::GrokProblem problem;
  const auto compiled = agent::CompileGrok(expression, patterns, problem);
  if (!compiled) {
    CheckProblem(problem, expression, patterns);
    return 0;
  }
  const std::size_t groups = compiled->regex->group_count();
  std::vector<agent::TextSpan> found(groups + 1);
  const bool matches = compiled->regex->Search(rest, found);
  for (const agent::GrokCapture& capture : compiled->captures) {
    if (capture.group == 0 || capture.group > groups || capture.field.empty()) std::abort();
    const agent::TextSpan& span = found[capture.group];
    if (matches && span.matched() && span.end > rest.size()) std::abort();
  }
  return 0;
}
