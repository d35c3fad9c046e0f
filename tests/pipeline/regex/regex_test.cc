#include "pipeline/regex/regex.h"

#include <string>
#include <vector>

#include <catch2/catch.hpp>

namespace agent {
namespace {

std::unique_ptr<Regex> Compiled(std::string_view pattern) {
  Result<std::unique_ptr<Regex>> regex = Regex::Compile(pattern);
  INFO(pattern << ": " << (regex.ok() ? "" : regex.error().message));
  REQUIRE(regex.ok());
  return std::move(regex).value();
}

// All matches as "begin-end,begin-end": the whole match, then the groups; "-" for a group that took
// no part.
std::string AllMatches(Regex& regex, std::string_view text) {
  std::string all;
  std::vector<TextSpan> groups(regex.captured());
  regex.Begin(text);
  while (regex.Next(groups)) {
    if (!all.empty()) all += ' ';
    for (std::size_t i = 0; i < groups.size(); ++i) {
      if (i > 0) all += ',';
      if (groups[i].matched()) all += std::to_string(groups[i].begin);
      all += '-';
      if (groups[i].matched()) all += std::to_string(groups[i].end);
    }
  }
  return all;
}

// The expected column is what Go's regexp.FindAllStringSubmatchIndex returns.
TEST_CASE("regex: finds what Go finds", "[regex]") {
  struct Case {
    const char* pattern;
    const char* text;
    const char* want;
  };
  const auto c = GENERATE(values<Case>({
      {"a|ab", "ab", "0-1"},
      {"(a|ab)(c|bcd)", "abcd", "0-4,0-1,1-4"},
      {"a*?", "aa", "0-0 1-1 2-2"},
      {"(?U)a+b", "aab", "0-3"},
      {"(?U)a+?b*", "aab", "0-2"},
      {"$", "a\n", "2-2"},
      {"a$", "a\n", ""},
      {"(?m)a$", "a\na", "0-1 2-3"},
      {"(?m)^a", "a\na\n", "0-1 2-3"},
      {"(?m)^$", "\n\n", "0-0 1-1 2-2"},
      {"(?m)^", "a\n", "0-0 2-2"},
      {"^", "a\n", "0-0"},
      {"\\Aa", "aa", "0-1"},
      {"a\\z", "aa", "1-2"},
      {"\\s", " \x09\n\x0c\x0d\x0b\xc2\xa0", "0-1 1-2 2-3 3-4 4-5"},
      {"\\S+",
       "a\x0b"
       "b c",
       "0-3 4-5"},
      {"\\w+", "a\xc3\xa9_1", "0-1 3-5"},
      {"\\W", "a\xc3\xa9", "1-3"},
      {"\\d+",
       "1\xd9\xa3"
       "2",
       "0-1 3-4"},
      {"\\b", "\xc3\xa9 a", "3-3 4-4"},
      {"\\B",
       "\xc3\xa9"
       "a",
       "0-0"},
      {"\\bfoo\\b",
       "foo \xc3\xa9"
       "foo\xc3\xa9",
       "0-3 6-9"},
      {".", "a\nb", "0-1 2-3"},
      {"(?s).", "a\nb", "0-1 1-2 2-3"},
      {".",
       "\xff"
       "a",
       "0-1 1-2"},
      {"[^a]", "\n\xff", "0-1 1-2"},
      {"(?i)k", "kK\xe2\x84\xaa", "0-1 1-2 2-5"},
      {"(?i)S+", "s\xc5\xbfS", "0-4"},
      {"(?i)[a-c]k", "BK", "0-2"},
      {"(?i)\xc3\xa9", "\xc3\x89\xc3\xa9", "0-2 2-4"},
      {"(?i)[^k]",
       "K\xe2\x84\xaa"
       "a",
       "4-5"},
      {"(?i)\\w", "\xc5\xbf-", "0-2"},
      {"\\pL+",
       "a\xc3\xa9\xe6\x97\xa5"
       "1",
       "0-6"},
      {"\\PL", "a1", "1-2"},
      {"\\p{Lu}",
       "a\xc3\x89"
       "B",
       "1-3 3-4"},
      {"\\p{Greek}+", "a\xce\xb1\xce\xb2", "1-5"},
      {"[[:alpha:]]+",
       "a\xc3\xa9"
       "1b",
       "0-1 4-5"},
      {"[[:^digit:]]", "1a", "1-2"},
      {"[[:word:]-]+", "a-b_c.", "0-5"},
      {"[\\d-x]+", "1-x", "0-3"},
      {"[]a]+", "]a", "0-2"},
      {"[^]a]", "]ab", "2-3"},
      {"[a-]+", "a-", "0-2"},
      {"(a)|(b)", "ab", "0-1,0-1,- 1-2,-,1-2"},
      {"(a)?b", "bab", "0-1,- 1-3,1-2"},
      {"(?:(a)|b)*", "ab", "0-2,0-1"},
      {"(a*)*", "baa", "0-0,0-0 1-3,1-3"},
      {"(a*)+", "b", "0-0,0-0 1-1,1-1"},
      {"(|a)*", "aa", "0-0,0-0 1-1,1-1 2-2,2-2"},
      {"(|a)+", "aa", "0-0,0-0 1-1,1-1 2-2,2-2"},
      {"(a|b)*?c", "abc", "0-3,1-2"},
      {"()", "ab", "0-0,0-0 1-1,1-1 2-2,2-2"},
      {"a*", "baac", "0-0 1-3 4-4"},
      {"a*|b", "abab", "0-1 2-3 4-4"},
      {"", "\xc3\xa9", "0-0 2-2"},
      {"x*", "\xe9x", "0-0 1-2"},
      {"\\Qa.b\\E+", "a.bb", "0-4"},
      {"\\x41\\x{e9}\\101",
       "A\xc3\xa9"
       "A",
       "0-4"},
      {"a{2}", "aaaaa", "0-2 2-4"},
      {"a{2,3}?", "aaaaa", "0-2 2-4"},
      {"a{,2}", "a{,2}", "0-5"},
      {"a{02}", "a{02}aa", "0-5"},
      {"(?i)a(?-i)b", "AbAB", "0-2"},
      {"a(?i)b|c", "aBCc", "0-2 2-3 3-4"},
      {"(?P<n>a)(?P<n>b)", "ab", "0-2,0-1,1-2"},
      {"(\\w+)@(\\w+)\\.com", "x@y.com, q@r.com", "0-7,0-1,2-3 9-16,9-10,11-12"},
      {"^(?:(\\S+) )?(\\S+)$", "one", "0-3,-,0-3"},
      {"[^\\s\"]+|\"[^\"]*\"", "a \"b c\" d", "0-1 2-7 8-9"},
      {"\\n", "a\nb", "1-2"},
      {"[\xc3\xa0-\xc3\xbf]+", "\xc3\xa9\xc3\xa0\xc4\x80", "0-4"},
      {"\\x{fffd}", "\xff", "0-1"},
  }));
  INFO(c.pattern << " in " << c.text);
  const std::unique_ptr<Regex> regex = Compiled(c.pattern);

  CHECK(AllMatches(*regex, c.text) == c.want);
  CHECK(regex->Matches(c.text) == (c.want[0] != '\0'));
}

TEST_CASE("regex: reports only the groups that are asked for, in their order", "[regex]") {
  const std::unique_ptr<Regex> regex = Compiled(R"((?P<a>\w+) (\w+) (?P<c>\w+)( \w+)?)");
  REQUIRE(regex->group_count() == 4);
  CHECK(regex->group_names() == std::vector<std::string>{"", "a", "", "c", ""});

  regex->Capture({3, 1});
  CHECK(AllMatches(*regex, "one two three") == "8-13,0-3");
  regex->Capture({4, 0});
  CHECK(AllMatches(*regex, "one two three") == "-,0-13");
  regex->Capture({});
  CHECK(regex->Matches("one two three"));
  CHECK_FALSE(regex->Matches("one two"));
}

TEST_CASE("regex: texts of any kind take turns", "[regex]") {
  const std::unique_ptr<Regex> regex = Compiled("k=(.)(\\w*)");

  CHECK(AllMatches(*regex, "k=ab") == "0-4,2-3,3-4");
  CHECK(AllMatches(*regex,
                   "\xc3\xa9k=\xc3\xa9"
                   "b") == "2-7,4-6,6-7");
  CHECK(AllMatches(*regex,
                   "\xff\xfek=\xff"
                   "b k=c") == "2-6,4-5,5-6 7-10,9-10,10-10");
  CHECK(AllMatches(*regex, "k=ab") == "0-4,2-3,3-4");
  CHECK(AllMatches(*regex, std::string_view()).empty());
}

TEST_CASE("regex: machine code runs what it surely runs as Go does", "[regex]") {
  CHECK(Compiled(R"-(^(?P<ip>\S+) \S+ "(?P<verb>[^"]+)" (\d{3})$)-")->uses_jit());
  CHECK(Compiled(R"((?i)error|[[:alpha:]]+\b)")->uses_jit());
  CHECK(Compiled(R"(\pL+)")->uses_jit());
  CHECK_FALSE(Compiled("(a*)*")->uses_jit());
  CHECK_FALSE(Compiled("\\p{Greek}")->uses_jit());
  CHECK_FALSE(Compiled("(?i)\xc3\xa9")->uses_jit());
}

TEST_CASE("regex: what would never end is handed to RE2", "[regex]") {
  const std::unique_ptr<Regex> regex = Compiled("^(a+)+$");
  REQUIRE(regex->uses_jit());
  const std::string evil = std::string(60, 'a') + "b";

  CHECK_FALSE(regex->Matches(evil));
  CHECK(regex->gave_up() == 1);
  for (int i = 0; i < 1000; ++i)
    CHECK_FALSE(regex->Matches(evil));
  // RE2 was preferred from then on, with fewer and fewer attempts.
  CHECK(regex->gave_up() < 15);
  CHECK(AllMatches(*regex, "aaa") == "0-3,0-3");
}

// PCRE2 10.42 by itself misses some of these.
TEST_CASE("regex: branches of different length before a repetition", "[regex]") {
  CHECK(AllMatches(*Compiled("(?:a|)a*b"), "ab") == "0-2");
  CHECK(AllMatches(*Compiled("(?:[ak]|)[Kk]*?[Kk]"), "k") == "0-1");
  CHECK(AllMatches(*Compiled("(?:ab|a)[ab]+(?:a?b)"), "bbabb") == "2-5");
  CHECK(AllMatches(*Compiled("(a)(?:[ab]|)(?:a*b|a)"), "abcaba") == "0-2,0-1 3-6,3-4");
}

TEST_CASE("regex: a deep recursion is handed to RE2", "[regex]") {
  const std::unique_ptr<Regex> regex = Compiled("^(?:(a|b)|c)*d$");
  std::string text(200'000, 'a');
  text += 'd';

  CHECK(regex->Matches(text));
  text += 'x';
  CHECK_FALSE(regex->Matches(text));
}

TEST_CASE("regex: a text that every match contains is looked for first, and given up when common",
          "[regex]") {
  const std::unique_ptr<Regex> regex = Compiled("(\\w+)@(\\w+)");
  for (int i = 0; i < 2000; ++i) {
    REQUIRE(AllMatches(*regex, "a@b") == "0-3,0-1,2-3");
    REQUIRE(AllMatches(*regex, "a b").empty());
  }
  for (int i = 0; i < 2000; ++i)
    REQUIRE(regex->Matches("some text with a@b"));
  CHECK_FALSE(regex->Matches("no"));
  CHECK(AllMatches(*regex, "a@b, c@d") == "0-3,0-1,2-3 5-8,5-6,7-8");
}

TEST_CASE("regex: what Go refuses is refused", "[regex]") {
  struct Case {
    const char* pattern;
    const char* message;
    std::size_t position;
    std::size_t length;
  };
  const auto c = GENERATE(values<Case>({
      {"ab(c", "missing closing ')'", 2, 1},
      {"a(b(c)", "missing closing ')'", 1, 1},
      {"ab[c", "missing closing ']'", 2, 2},
      {"a)", "')' without '('", 0, 2},
      {"(?P<n>x)a**", "a repetition of a repetition", 9, 2},
      {"*a", "nothing to repeat", 0, 1},
      {"a{1001}", "too many repetitions", 1, 6},
      {"x\\Cy", "'\\C' is not known", 1, 2},
      {"x\\Zy", "unknown escape sequence '\\Z'", 1, 2},
      {"x(?=a)", "unknown syntax after '(?'", 1, 3},
      {"(a)\\1", "unknown escape sequence '\\1'", 3, 2},
      {"(?P<a b>x)", "bad group name", 0, 8},
      {"(?P<\xc3\xa9>x)", "bad group name", 0, 7},
      {"(?<>x)", "bad group name", 0, 4},
      {"(?P<n", "bad group name", 0, 5},
      {"[z-a]", "bad character range", 1, 3},
      {"[[:foo:]]", "bad character range", 1, 7},
      {"a\xff", "not valid UTF-8", 0, 0},
      {"a\\", "a backslash at the end", 0, 0},
      {"(?i", "unknown syntax after '(?'", 0, 3},
  }));
  INFO(c.pattern);
  RegexProblem problem;

  const Result<std::unique_ptr<Regex>> regex = Regex::Compile(c.pattern, &problem);

  REQUIRE_FALSE(regex.ok());
  CHECK(regex.error().code == ErrorCode::kInvalid);
  CHECK_THAT(regex.error().message, Catch::StartsWith("could not compile regular expression: "));
  CHECK_THAT(problem.message, Catch::StartsWith(c.message));
  CHECK(problem.position == c.position);
  CHECK(problem.length == c.length);
}

}  // namespace
}  // namespace agent
