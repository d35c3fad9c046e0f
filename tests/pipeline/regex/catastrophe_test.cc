// Expressions that are known to make backtracking engines run for ever, on lines of 64 KiB that are
// made to hurt. Work is bounded by steps: a search gives up at most once, then RE2 does it, and the
// result is Go's.

#include <string>
#include <string_view>
#include <vector>

#include <catch2/catch.hpp>

#include "base/regex/go_regex.h"
#include "pipeline/regex/regex.h"

namespace agent {
namespace {

constexpr std::size_t kLineBytes = std::size_t{64} << 10;

struct Catastrophe {
  const char* pattern;
  const char* repeated;  // Fills the line,
  const char* end;       // and this is how it ends.
};

constexpr Catastrophe kCatastrophes[] = {
    {"^(a+)+$", "a", "b"},
    {"^(a*)*$", "a", "b"},
    {"^(a|a)*$", "a", "b"},
    {"^(a|aa)+$", "a", "b"},
    {"^(a|a?)+$", "a", "b"},
    {"^(.*a){12}$", "a", "b"},
    {"^(.*?a){12}$", "a", "b"},
    {"(x+x+)+y", "x", "z"},
    {"(x+x+)+y$", "x", "z"},
    {"(.*)*x", "y", "z"},
    {"(.+)+x", "y", "z"},
    {"(?:a+){10,}b", "a", "c"},
    {"^(([a-z])+.)+[A-Z]([a-z])+$", "a", "!"},
    {"^([a-zA-Z0-9])(([\\-.]|[_]+)?([a-zA-Z0-9]+))*(@){1}[a-z0-9]+[.]{1}[a-z]{2,3}$", "a", "!"},
    {"^\\w+([-+.']\\w+)*@\\w+([-.]\\w+)*\\.\\w+([-.]\\w+)*$", "a.", "!"},
    {"^([\\w-]+(?:\\.[\\w-]+)*)@((?:[\\w-]+\\.)*\\w[\\w-]{0,66})\\.([a-z]{2,6})$", "a-", "@"},
    {"^(\\d+)+:(\\d+)+$", "1", "x"},
    {"^(\\s+)+\\S+\\s+\\S+$", " ", ""},
    {"\\s+$", " ", "x"},
    {"(\\s*,\\s*)+;", " , ", "."},
    {"^\\s*(\\S+\\s*)*;$", "ab ", "."},
    {"(\\w+\\s*)+:", "word ", "."},
    {"^(\\w+\\s?)*$", "word ", "!"},
    {"^(?:[^\"\\\\]|\\\\.)*\"$", "a\\\\", "'"},
    {"\"(?:[^\"\\\\]+|\\\\.)*\"", "\"a", ""},
    {"(['\"])(?:.*?)(['\"])end", "'\"", "x"},
    {"^(\\[.*\\]\\s*)+$", "[a] ", "("},
    {"(<[^>]*>)+\\s*</end>", "<a>", "<"},
    {"<(\\w+)[^>]*>(.*?)</done>", "<a>", "<"},
    {"(?s)/\\*.*\\*/$", "/*", "x"},
    {"^((ab)*)+$", "ab", "a"},
    {"^((ab)+|(aba)+)*$", "aba", "c"},
    {"(a?){20}a{20}$", "a", "b"},
    {"(?:a?){25}(?:a){25}c", "a", "b"},
    {"^(0|1|01|10)*2$", "01", "3"},
    {"^([01]+)+2$", "01", "3"},
    {"(?i)^(([a-z]+)\\d*)+$", "Ab", "!"},
    {"^(?:\\d{1,3}\\.?)+$", "127.", "x"},
    {"^(\\d{1,3}[.:]?){4,}x$", "1.", "y"},
    {"([^=]+=[^;]+;?)+$", "a=b", "="},
    {"^(?:[^,]*,){200}x", "a,", "y"},
    {"(?:([^,]*),)*end", "a,", "enx"},
    {"(level|lvl|l)+=(error|e)+x", "llll", "="},
    {"^(?P<time>\\S+\\s+\\S+)\\s+(?P<rest>(.+)+)#$", "t x ", "!"},
    {"(.*)(.*)(.*)(.*)#", "z", "!"},
    {".*.*.*=.*;", "=", "!"},
    {"(?:.*,){6}P", "1,", "x"},
    {"^(.*)\\|(.*)\\|(.*)\\|(.*)\\|end$", "|", "x"},
    {"(\\b\\w+\\b\\s?)+\\.$", "word ", "!"},
    {"(?:(?:a|b)*c|(?:b|a)*d)+e", "ab", "f"},
};

std::string LineOf(const Catastrophe& catastrophe) {
  std::string line;
  while (line.size() < kLineBytes)
    line += catastrophe.repeated;
  line.resize(kLineBytes - std::string_view(catastrophe.end).size());
  return line + catastrophe.end;
}

TEST_CASE("regex: fifty known catastrophes on lines of 64 KiB cost a bounded number of steps",
          "[regex]") {
  REQUIRE(std::size(kCatastrophes) == 50);
  for (const Catastrophe& catastrophe : kCatastrophes) {
    INFO(catastrophe.pattern);
    const std::string line = LineOf(catastrophe);
    const auto regex = Regex::Compile(catastrophe.pattern).value();
    const auto go = GoRegex::Compile(catastrophe.pattern).value();
    std::vector<TextSpan> got(regex->captured());
    std::vector<TextSpan> want(go->group_count() + 1);

    const bool found = regex->Search(line, got);

    CHECK(found == go->SearchBytes(line, want));
    if (found) CHECK(got == want);
    CHECK(regex->gave_up() <= 1);
  }
}

}  // namespace
}  // namespace agent
