#include "pipeline/regex/jit_program.h"

#include <memory>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "base/regex/go_regex.h"
#include "base/utf8.h"
#include "pipeline/regex/regex.h"
#include "tests/pipeline/regex/pattern_generator.h"

namespace agent {
namespace {

// The first match as RE2 alone sees it.
std::vector<TextSpan> ByRe2(const GoRegex& regex, std::string_view text, bool& matched) {
  std::vector<TextSpan> groups(regex.group_count() + 1);
  matched = regex.SearchBytes(text, groups);
  return groups;
}

TEST_CASE("regex: both engines agree on expressions made by chance", "[regex]") {
  constexpr int kPatterns = 6000;
  constexpr int kTexts = 6;
  PatternGenerator generate(20260504);
  int by_machine_code = 0;
  for (int i = 0; i < kPatterns; ++i) {
    const std::string pattern = generate.Pattern();
    const Result<std::unique_ptr<GoRegex>> re2 = GoRegex::Compile(pattern);
    const Result<std::unique_ptr<Regex>> both = Regex::Compile(pattern);
    REQUIRE(re2.ok() == both.ok());
    if (!both.ok()) continue;
    Regex& regex = **both;
    by_machine_code += regex.uses_jit() ? 1 : 0;
    for (int j = 0; j < kTexts; ++j) {
      const std::string text = generate.Text();
      INFO("/" << pattern << "/ in '" << text << "'");
      bool matched = false;
      const std::vector<TextSpan> want = ByRe2(**re2, text, matched);
      std::vector<TextSpan> got(want.size());
      REQUIRE(regex.Search(text, got) == matched);
      REQUIRE(regex.Matches(text) == matched);
      if (matched) REQUIRE(got == want);
    }
  }
  CHECK(by_machine_code > kPatterns / 3);
}

TEST_CASE("regex: leaving groups out changes nothing else", "[regex]") {
  PatternGenerator generate(7);
  for (int i = 0; i < 3000; ++i) {
    const std::string pattern = generate.Pattern();
    const Result<std::unique_ptr<Regex>> all = Regex::Compile(pattern);
    const Result<std::unique_ptr<Regex>> some = Regex::Compile(pattern);
    if (!all.ok()) continue;
    const std::size_t last = (*all)->group_count();
    (*some)->Capture({last});
    for (int j = 0; j < 4; ++j) {
      const std::string text = generate.Text();
      INFO("/" << pattern << "/ in '" << text << "'");
      std::vector<TextSpan> want(last + 1);
      std::vector<TextSpan> got(1);
      (*all)->Begin(text);
      (*some)->Begin(text);
      while ((*all)->Next(want)) {
        REQUIRE((*some)->Next(got));
        REQUIRE(got[0] == want[last]);
      }
      REQUIRE_FALSE((*some)->Next(got));
    }
  }
}

}  // namespace
}  // namespace agent
