#include "base/regex/go_regex.h"

#include <string>
#include <vector>

#include <catch2/catch.hpp>

namespace agent {
namespace {

TEST_CASE("go_regex: the whole text, dot matching a newline", "[regex]") {
  const auto regex = GoRegex::Compile("a.*b|c", RegexScope::kWholeText).value();

  CHECK(regex->Matches("a\nb"));
  CHECK(regex->Matches("c"));
  CHECK_FALSE(regex->Matches("xc"));
  CHECK_FALSE(regex->Matches("c\n"));
  CHECK_FALSE(regex->Matches("ab!"));
}

TEST_CASE("go_regex: an expression that is no UTF-8 is refused, as Go does", "[regex]") {
  const std::string pattern = GENERATE("a\xff", "\xed\xbf\xbd", "[\xc3]");

  const auto regex = GoRegex::Compile(pattern);

  REQUIRE_FALSE(regex.ok());
  CHECK_THAT(regex.error().message, Catch::Contains("not valid UTF-8"));
}

TEST_CASE("go_regex: groups that are left out keep their numbers", "[regex]") {
  const auto regex = GoRegex::Compile("(?P<a>x)(?<b>y)(z)").value();
  const auto some = regex->WithGroups({false, false, true, false});
  std::vector<TextSpan> groups(4);

  REQUIRE(some->Search("-xyz", 0, groups));

  CHECK(some->group_names() == std::vector<std::string>{"", "a", "b", ""});
  CHECK(groups == std::vector<TextSpan>{{1, 4}, {}, {2, 3}, {}});
}

TEST_CASE("go_regex: what stands before the start is still seen", "[regex]") {
  std::vector<TextSpan> groups(1);

  CHECK_FALSE(GoRegex::Compile("^b").value()->Search("ab", 1, groups));
  CHECK_FALSE(GoRegex::Compile("\\bb").value()->Search("ab", 1, groups));
  CHECK(GoRegex::Compile("b").value()->Search("ab", 1, groups));
  CHECK(groups[0] == TextSpan{1, 2});
}

TEST_CASE("go_regex: an invalid byte counts as U+FFFD, at its own place", "[regex]") {
  std::vector<TextSpan> groups(2);

  REQUIRE(
      GoRegex::Compile("b(.)c").value()->SearchBytes("\xff\xfe"
                                                     "b\x80"
                                                     "c",
                                                     groups));

  CHECK(groups == std::vector<TextSpan>{{2, 5}, {3, 4}});
}

TEST_CASE("go_regex: a large expression gets the memory that it needs", "[regex]") {
  CHECK(GoRegex::Compile("(?:\\pL{40}){10}").ok());
}

// The expected column is what Go's regexp.Expand gives.
TEST_CASE("go_regex: references in a replacement", "[regex]") {
  struct Case {
    const char* replacement;
    const char* want;
  };
  const auto c = GENERATE(values<Case>({
      {"$1", "x"},        {"${1}", "x"},    {"$1x", ""},  {"${1}x", "xx"},      {"$a", "x"},
      {"${a}-", "x-"},    {"$$", "$"},      {"$", "$"},   {"a$", "a$"},         {"${", "${"},
      {"${1", "${1"},     {"$-", "$-"},     {"$b|", "|"}, {"$01", ""},          {"${01}", ""},
      {"$9", ""},         {"$0$0", "xzxz"}, {"$a1", ""},  {"${a b}", "${a b}"}, {"$3$2$1", "zx"},
      {"plain", "plain"}, {"", ""},
  }));
  INFO(c.replacement);
  const auto regex = GoRegex::Compile("(?P<a>x)(?P<b>y)?(?P<a>z)?").value();
  std::vector<TextSpan> groups(4);
  REQUIRE(regex->Search("xz", 0, groups));
  std::string out;

  regex->Expand(c.replacement, "xz", groups, out);

  CHECK(out == c.want);
}

TEST_CASE("sanitized: offsets lead back to the original text", "[regex]") {
  SanitizedText sanitized;

  sanitized.Assign("a\xff\xc3\xa9\x80z");

  CHECK(sanitized.text() == "a\xef\xbf\xbd\xc3\xa9\xef\xbf\xbdz");
  CHECK(sanitized.ToOriginal(TextSpan{0, 1}) == TextSpan{0, 1});
  CHECK(sanitized.ToOriginal(TextSpan{1, 4}) == TextSpan{1, 2});
  CHECK(sanitized.ToOriginal(TextSpan{4, 6}) == TextSpan{2, 4});
  CHECK(sanitized.ToOriginal(TextSpan{6, 10}) == TextSpan{4, 6});
  CHECK_FALSE(sanitized.ToOriginal(TextSpan{}).matched());
}

}  // namespace
}  // namespace agent
