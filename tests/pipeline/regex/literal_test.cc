#include "pipeline/regex/literal.h"

#include <string>

#include <catch2/catch.hpp>

namespace agent {
namespace {

TEST_CASE("literal: the text that every match contains", "[regex]") {
  struct Case {
    const char* pattern;
    const char* want;
  };
  const auto c = GENERATE(values<Case>({
      {R"(([a-z]+@[a-z]+\.[a-z]{2,}))", "@"},
      {R"-("user_id":\s*"([^"]+)")-", R"("user_id":)"},
      {"level=(debug|trace)", "level="},
      {"(?:status)=(\\d+)", "status="},
      {"(abc)+x", "abc"},
      {"(abc)*XYZ", "XYZ"},
      {"(abc)?", ""},
      {"abc|def", ""},
      {"(?i)ERROR", ""},
      {"^GET$", "GET"},
      {"G\\bET", "GET"},
      {"\\d+ \\d+", ""},
      {"a\\x{fffd}b", ""},
      {"\xc3\xa9t\xc3\xa9", "\xc3\xa9t\xc3\xa9"},
  }));
  INFO(c.pattern);
  const std::optional<RegexNode> tree = ParseGoRegex(c.pattern);
  REQUIRE(tree);

  CHECK(RequiredLiteral(*tree) == c.want);
}

TEST_CASE("literal: is found wherever it stands", "[regex]") {
  const std::string literal = GENERATE(as<std::string>(), "@", "ab", "a_b", "user_id\":", "aaaaab");
  const LiteralFinder finder(literal);
  for (std::size_t size = 0; size < 70; ++size) {
    std::string text(size, 'a');
    CHECK_FALSE(finder.In(text));
    for (std::size_t at = 0; at + literal.size() <= size; ++at) {
      std::string with = text;
      with.replace(at, literal.size(), literal);
      INFO(with);
      CHECK(finder.In(with));
    }
  }
}

}  // namespace
}  // namespace agent
