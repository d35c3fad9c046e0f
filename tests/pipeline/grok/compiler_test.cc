#include "pipeline/grok/compiler.h"

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

namespace agent {
namespace {

using Definitions = std::vector<std::pair<std::string, std::string>>;
using Fields = std::map<std::string, std::string>;

GrokPatterns With(const Definitions& definitions) {
  GrokPatterns patterns;
  for (const auto& [name, text] : definitions)
    patterns.Add(name, text);
  return patterns;
}

// What the fields of the first match are; "no match" and the problem's message as fields of their
// own.
Fields Match(std::string_view expression, std::string_view text,
             const Definitions& definitions = {}) {
  const GrokPatterns patterns = With(definitions);
  GrokProblem problem;
  const auto compiled = CompileGrok(expression, patterns, problem);
  if (!compiled) return {{"problem", problem.message}};
  std::vector<TextSpan> found(compiled->regex->group_count() + 1);
  if (!compiled->regex->Search(text, found)) return {{"no match", ""}};
  Fields fields;
  for (const GrokCapture& capture : compiled->captures) {
    const TextSpan& span = found[capture.group];
    if (span.matched()) fields[capture.field] = span.In(text);
  }
  return fields;
}

GrokProblem ProblemOf(std::string_view expression, const Definitions& definitions = {}) {
  const GrokPatterns patterns = With(definitions);
  GrokProblem problem;
  CHECK_FALSE(CompileGrok(expression, patterns, problem).has_value());
  return problem;
}

}  // namespace

TEST_CASE("grok: references with a field and named groups capture, others do not", "[grok]") {
  CHECK(Match("%{WORD} %{WORD:b} (?<c>\\d+) (\\w+)", "one two 3 four") ==
        Fields{{"b", "two"}, {"c", "3"}});
}

TEST_CASE("grok: an expression matches anywhere unless it has anchors", "[grok]") {
  CHECK(Match("%{INT:n}", "took 12 ms") == Fields{{"n", "12"}});
  CHECK(Match("^%{INT:n}", "took 12 ms") == Fields{{"no match", ""}});
}

TEST_CASE("grok: field names may be nested, dotted or have other signs", "[grok]") {
  CHECK(
      Match("%{WORD:[http][method]} %{INT:http.status} %{WORD:@meta} %{WORD:a-b}", "GET 200 x y") ==
      Fields{{"http.method", "GET"}, {"http.status", "200"}, {"@meta", "x"}, {"a-b", "y"}});
}

TEST_CASE("grok: types are read", "[grok]") {
  const GrokPatterns patterns;
  GrokProblem problem;

  const auto compiled = CompileGrok(
      "%{INT:a:int} %{INT:b:long} %{NUMBER:c:float} %{NUMBER:d:double} %{WORD:e:bool} "
      "%{WORD:f:boolean} %{WORD:g:string} %{WORD:h}",
      patterns, problem);

  REQUIRE(compiled.has_value());
  std::vector<Conversion> types;
  for (const GrokCapture& capture : compiled->captures)
    types.push_back(capture.type);
  using enum Conversion;
  CHECK(types == std::vector<Conversion>{kInteger, kInteger, kFloat, kFloat, kBool, kBool, kString,
                                         kString});
}

TEST_CASE("grok: patterns refer to patterns, and what is repeated is the whole pattern", "[grok]") {
  const Definitions definitions = {{"PAIR", "%{WORD}=%{INT},?"}, {"AB", "a|b"}};

  CHECK(Match("^%{PAIR}{2}$", "x=1,y=2", definitions) == Fields{});
  CHECK(Match("^%{AB:x}c$", "bc", definitions) == Fields{{"x", "b"}});
  CHECK(Match("^%{AB}+c$", "abac", definitions) == Fields{});
}

TEST_CASE("grok: a number keeps its digits behind .* and the like", "[grok]") {
  struct Case {
    const char* expression;
    const char* text;
    const char* want;
  };
  const auto c = GENERATE(values<Case>({
      {".*%{NUMBER:n}", "took 12.5", "12.5"},
      {".*?%{NUMBER:n}", "took 12.5", "12.5"},
      {".+%{NUMBER:n}", "took -12.5 ms", "-12.5"},
      {"%{GREEDYDATA}%{NUMBER:n}", "1 then 22 then 333", "333"},
      {"%{DATA}%{NUMBER:n}", "a1 then 22", "1"},
      {"%{DATA:x}%{NUMBER:n}$", "v1 took 22", "22"},
      {"%{NOTSPACE}%{NUMBER:n}", "took12", "12"},
      {"%{NOTSPACE:x}%{BASE16NUM:n}$", "id:cafe", "cafe"},
      {"%{GREEDYDATA}%{NUMBER:n}", "12", "12"},
      {"%{GREEDYDATA}%{IPV4:n}", "from 192.168.0.1", "192.168.0.1"},
      {"%{GREEDYDATA}%{TIMESTAMP_ISO8601:n}", "at 2026-05-04 10:11:12", "2026-05-04 10:11:12"},
      {".*%{TIME:n}", "at 12:30:01", "12:30:01"},
      {"(?m)%{GREEDYDATA}%{NUMBER:n}", "line\n12", "12"},
      // What stands there is a character of its own, or part of an alternative: nothing to give
      // back.
      {"x-%{NUMBER:n}", "x-12", "12"},
      {"(?:.*|y)%{NUMBER:n}", "took 12", "2"},
      {"%{GREEDYDATA}?%{NUMBER:n}", "took 12", "2"},
      // INT takes what it gets, as everywhere.
      {".*%{INT:n}", "took 12", "2"},
  }));
  INFO(c.expression);

  CHECK(Match(c.expression, c.text)["n"] == c.want);
}

TEST_CASE("grok: a loop in front of a number gives the same text otherwise", "[grok]") {
  CHECK(Match("%{GREEDYDATA:a}%{NUMBER:n}%{GREEDYDATA:b}", "x 1.5 y") ==
        Fields{{"a", "x "}, {"n", "1.5"}, {"b", " y"}});
  CHECK(Match("%{DATA:a}%{NUMBER:n}", "12 y") == Fields{{"a", ""}, {"n", "12"}});
  CHECK(Match("(?<a>%{DATA})%{NUMBER:n}", "x 12") == Fields{{"a", "x "}, {"n", "12"}});
}

TEST_CASE("grok: what Ruby writes in another way is understood", "[grok]") {
  struct Case {
    const char* expression;
    const char* text;
    Fields want;
  };
  const auto c = GENERATE(values<Case>({
      {"(?>a|ab)(?<x>c)", "abc", {{"x", "c"}}},
      {"^(?<x>a++b?+c*+)$", "aab", {{"x", "aab"}}},
      {"(?<x>\\h+)\\H", "xcafe!", {{"x", "cafe"}}},
      {"(?<x>[\\hx]+)$", "0xff", {{"x", "0xff"}}},
      {"(?m)a(?<x>.*)c", "a\nb\nc", {{"x", "\nb\n"}}},
      {"(?m:a.)%{GREEDYDATA:x}", "a\nb\nc", {{"x", "b"}}},
      {"^(?<x>b)$", "a\nb\nc", {{"x", "b"}}},
      {"(?<x>b)\\Z", "ab\n", {{"x", "b"}}},
      {"a(?#a comment)(?<x>b)", "ab", {{"x", "b"}}},
      {"(?i)%{WORD:x} B", "a b", {{"x", "a"}}},
      {"\\%\\{(?<x>a)}", "%{a}", {{"x", "a"}}},
      {"[%{]%{WORD:x}", "{a", {{"x", "a"}}},
      {"\\Q%{WORD}\\E(?<x>a)", "%{WORD}a", {{"x", "a"}}},
      {"100%%{WORD:x}", "100%a", {{"x", "a"}}},
  }));
  INFO(c.expression);

  CHECK(Match(c.expression, c.text) == c.want);
}

TEST_CASE("grok: of one field in several alternatives the one that took part counts", "[grok]") {
  CHECK(Match("a=%{INT:n}|b=%{INT:n}", "b=2") == Fields{{"n", "2"}});
  CHECK(Match("(?:a=%{INT:n}|(?<n>none))", "none") == Fields{{"n", "none"}});
}

TEST_CASE("grok: a field named in the expression is its own, one inside a pattern is not",
          "[grok]") {
  const GrokPatterns patterns = With({{"INNER", "(?<x>\\d+) %{WORD:port}"}});
  GrokProblem problem;

  const auto compiled = CompileGrok("%{INT:port} %{INNER} (?<x>z)", patterns, problem);

  REQUIRE(compiled.has_value());
  std::vector<std::pair<std::string, bool>> own;
  for (const GrokCapture& capture : compiled->captures)
    own.emplace_back(capture.field, capture.own);
  CHECK(own == std::vector<std::pair<std::string, bool>>{
                   {"port", true}, {"x", false}, {"port", false}, {"x", true}});
}

TEST_CASE("grok: what is wrong is told with its place", "[grok]") {
  struct Case {
    const char* expression;
    const char* message;
    const char* hint;
    std::size_t position;
    std::size_t length;
  };
  const auto c = GENERATE(values<Case>({
      {"a %{WROD:x}", "unknown pattern 'WROD'", "did you mean 'WORD'?", 4, 4},
      {"%{WORD:x", "'%{' without '}'", "write %{PATTERN:field}", 0, 8},
      {"%{}", "'' is no name of a pattern", "%{PATTERN:field:int}", 0, 3},
      {"%{[a]}", "'[a]' is no name of a pattern", "", 0, 6},
      {"%{WORD:}", "the field has no name", "", 0, 8},
      {"%{WORD:[a}", "'[a' is no name of a field", "write name, a.b or [a][b]", 0, 10},
      {"%{INT:x:intt}", "unknown type 'intt'", "did you mean 'int'?", 8, 4},
      {"%{INT:x:int:y}", "unknown type 'int:y'", "", 8, 5},
      {"a(b", "missing closing ')'", "", 1, 1},
      {"a)b", "unexpected ')'", "", 1, 1},
      {"a(?=b)", "unknown syntax after '(?' '(?='", "looking ahead", 1, 3},
      {"a(?<!b)", "unknown syntax after '(?' '(?<'", "looking", 1, 3},
      {"(?x)a", "the flag 'x' is not known", "", 2, 1},
      {"[a-z&&[^b]]", "classes cannot be intersected", "", 4, 2},
      {"%{WORD:x} %{WORD:x}", "field 'x' is captured twice", "another name", 10, 9},
      {"(%{WORD:x}|a)(?<x>b)", "field 'x' is captured twice", "another name", 1, 9},
      {"(?#a", "missing closing ')' of a comment", "", 0, 4},
  }));
  INFO(c.expression);

  const GrokProblem problem = ProblemOf(c.expression);

  CHECK(problem.pattern.empty());
  CHECK_THAT(problem.message, Catch::Contains(c.message));
  CHECK_THAT(problem.hint, Catch::Contains(c.hint));
  CHECK(problem.position == c.position);
  CHECK(problem.length == c.length);
}

TEST_CASE("grok: a problem in a pattern names the innermost one", "[grok]") {
  struct Case {
    Definitions definitions;
    const char* pattern;
    const char* message;
  };
  const auto c = GENERATE(values<Case>({
      {{{"A", "x %{B}"}, {"B", "%{NOPE}"}}, "B", "unknown pattern 'NOPE'"},
      {{{"A", "x %{B}"}, {"B", "a(?!b)"}}, "B", "unknown syntax after '(?'"},
      {{{"A", "x** %{B}"}, {"B", "b"}}, "A", "a repetition of a repetition"},
      {{{"A", "a)(b"}}, "A", "unexpected ')'"},
      {{{"A", "%{B}"}, {"B", "%{A}"}}, "B", "pattern 'A' refers to itself: A > B > A"},
      {{{"A", "x%{A}"}}, "A", "pattern 'A' refers to itself: A > A"},
  }));

  const GrokProblem problem = ProblemOf("begin %{A:x} end", c.definitions);

  CHECK(problem.pattern == c.pattern);
  CHECK_THAT(problem.message, Catch::Contains(c.message));
}

TEST_CASE("grok: patterns that grow without end are refused", "[grok]") {
  Definitions doubling = {{"P0", "xxxxxxxxxxxxxxxx"}};
  for (int i = 1; i < 40; ++i) {
    const std::string inner = "%{P" + std::to_string(i - 1) + "}";
    doubling.emplace_back("P" + std::to_string(i), inner + inner);
  }
  CHECK_THAT(ProblemOf("%{P39}", doubling).message, Catch::Contains("longer than 128 KiB"));

  Definitions chain = {{"P0", "x"}};
  for (int i = 1; i < 100; ++i) {
    chain.emplace_back("P" + std::to_string(i), "%{P" + std::to_string(i - 1) + "}");
  }
  CHECK_THAT(ProblemOf("%{P99}", chain).message, Catch::Contains("more than 64 deep"));
}

}  // namespace agent
