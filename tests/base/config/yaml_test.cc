#include "base/config/yaml.h"

#include <chrono>
#include <string>

#include <catch2/catch.hpp>

namespace agent {
namespace {

// The tree as one line, each node with its place when `places`.
std::string Dump(const ConfigNode& node, bool places) {
  std::string out;
  if (places) {
    out = std::to_string(node.place().line) + ":" + std::to_string(node.place().column) + "+" +
          std::to_string(node.place().length) + " ";
  }
  if (node.is_null()) return out + "~";
  if (node.is_scalar()) return out + "'" + node.text() + "'";
  std::string inside;
  for (const ConfigNode& item : node.items())
    inside += Dump(item, places) + ", ";
  for (const auto& [key, value] : node.pairs()) {
    inside += Dump(key, places) + ": " + Dump(value, places) + ", ";
  }
  if (!inside.empty()) inside.resize(inside.size() - 2);
  return out + (node.is_sequence() ? "[" + inside + "]" : "{" + inside + "}");
}

std::string Load(const std::string& text, bool places = false) {
  Problems problems("f", text);
  const ConfigNode root = LoadYaml(text, problems);
  INFO(problems.Format(false));
  CHECK(problems.all().empty());
  return Dump(root, places);
}

// The first problem: "line:column message; hint".
std::string Fail(const std::string& text) {
  Problems problems("f", text);
  const ConfigNode root = LoadYaml(text, problems);
  if (problems.all().empty()) return "no problem: " + Dump(root, false);
  const Problem& first = problems.all()[0];
  return std::to_string(first.place.line) + ":" + std::to_string(first.place.column) + " " +
         first.message + (first.hint.empty() ? "" : "; " + first.hint);
}

TEST_CASE("yaml: lists, maps and scalars become a tree in the order of the file",
          "[config][yaml]") {
  CHECK(Load("b: 1\na: [x, {y: z}]\nc:\n  - p\n  -\nd: >-\n  one\n  two\n") ==
        "{'b': '1', 'a': ['x', {'y': 'z'}], 'c': ['p', ~], 'd': 'one two'}");
  CHECK(Load("") == "~");
  CHECK(Load("# nothing\n") == "~");
  CHECK(Load("---\na: 1\n...\n") == "{'a': '1'}");
  CHECK(Load("a: 1\n---\n") == "{'a': '1'}");
  CHECK(Load("a: 1\r\nb: 2\r\n") == "{'a': '1', 'b': '2'}");
  CHECK(Load("\xEF\xBB\xBF"
             "a: 1\n",
             /*places=*/true) == "1:1+1 {1:1+1 'a': 1:4+1 '1'}");
}

TEST_CASE("yaml: every node knows its place", "[config][yaml]") {
  struct Case {
    const char* name;
    std::string text;
    std::string want;
  };
  const auto c = GENERATE(values<Case>({
      {"block", "ab:\n  cd: efg\n", "1:1+1 {1:1+2 'ab': 2:3+1 {2:3+2 'cd': 2:7+3 'efg'}}"},
      {"flow", "a: {b: [c, d]}",
       "1:1+1 {1:1+1 'a': 1:4+1 {1:5+1 'b': 1:8+1 [1:9+1 'c', 1:12+1 'd']}}"},
      {"quoted", "a: 'it''s'\nb: \"x\\\"y\"",
       "1:1+1 {1:1+1 'a': 1:4+7 'it's', 2:1+1 'b': 2:4+6 'x\"y'}"},
      {"block scalar", "a: |\n  x\nb: 1", "1:1+1 {1:1+1 'a': 1:4+1 'x\n', 3:1+1 'b': 3:4+1 '1'}"},
      {"plain over lines", "a: one\n  two\nb: 1",
       "1:1+1 {1:1+1 'a': 1:4+3 'one two', 3:1+1 'b': 3:4+1 '1'}"},
      {"quoted over lines", "a: 'one\n  two'", "1:1+1 {1:1+1 'a': 1:4+4 'one two'}"},
      {"empty value", "a:\nb: 1", "1:1+1 {1:1+1 'a': 1:1+1 ~, 2:1+1 'b': 2:4+1 '1'}"},
      {"written null", "a: ~\nb: null", "1:1+1 {1:1+1 'a': 1:4+1 ~, 2:1+1 'b': 2:4+4 ~}"},
      {"empty item", "-\n- a\n", "1:1+1 [1:1+1 ~, 2:3+1 'a']"},
      {"anchor", "a: &x 1\nb: *x", "1:1+1 {1:1+1 'a': 1:7+1 '1', 2:1+1 'b': 2:4+2 '1'}"},
      {"anchored map", "a: &x\n  b: 1\n", "1:1+1 {1:1+1 'a': 2:3+1 {2:3+1 'b': 2:6+1 '1'}}"},
      {"bytes of several", "\xC3\xA4: \"\xC3\xB6\" # c\n",
       "1:1+1 {1:1+2 '\xC3\xA4': 1:5+4 '\xC3\xB6'}"},
  }));
  INFO(c.name);

  CHECK(Load(c.text, /*places=*/true) == c.want);
}

TEST_CASE("yaml: aliases and merge keys are resolved", "[config][yaml]") {
  CHECK(Load("a: &x [1]\nb: *x\n") == "{'a': ['1'], 'b': ['1']}");
  CHECK(Load("a: &x {k: 1, l: 2}\nb:\n  <<: *x\n  k: 9\n") ==
        "{'a': {'k': '1', 'l': '2'}, 'b': {'k': '9', 'l': '2'}}");
  CHECK(Load("a: &x {k: 1}\nb: &y {k: 2, m: 3}\nc:\n  <<: [*x, *y]\n") ==
        "{'a': {'k': '1'}, 'b': {'k': '2', 'm': '3'}, 'c': {'k': '1', 'm': '3'}}");
  CHECK(Load("a: {'<<': {k: 1}}\n") == "{'a': {'<<': {'k': '1'}}}");
}

TEST_CASE("yaml: what is wrong is said where it is", "[config][yaml]") {
  struct Case {
    std::string text;
    std::string want;
  };
  const auto c = GENERATE(values<Case>({
      {"a: 1\nb: 2\na: 3\n", "3:1 the key 'a' is given twice; first in line 1, column 1"},
      {"x: {a: 1, a: 2}\n", "1:11 the key 'a' is given twice; first in line 1, column 5"},
      {"a: 1\n---\nb: 2\n", "3:1 a second document: a configuration is one document"},
      {",", "1:1 unexpected text after the end: check the indentation"},
      {"- a\nb: c\n", "2:1 unexpected text after the end: check the indentation"},
      {"a: 'b\nc: d\n", "1:4 this quote is never closed; add the closing ' at the end of the text"},
      {"a: \"b\\\"\nc: d\n",
       "1:4 this quote is never closed; add the closing \" at the end of the text"},
      {"a:\n\tb: 1\n", "2:1 a tab cannot indent; use spaces"},
      {"a:\n  b: 1\n\tc: 2\n", "3:1 a tab cannot indent; use spaces"},
      {"a:\n-\tb: 1\n", "2:2 a tab cannot indent; use spaces"},
      {"a: b: c\n",
       "1:5 unexpected ':'; put a text that has ': ' in it in quotes, or check the indentation"},
      {"a: @x\n", "1:4 a plain text cannot start with this character; put the text in quotes"},
      {"a: [1, 2\n", "2:1 expected ',' or ']'"},
      {"a: *nope\n", "1:4 unknown alias; its anchor, '&name', must stand before it"},
      {"a: &x [*x]\n", "1:8 an alias inside of what it stands for"},
      {"a: \"\\d+\"\n",
       "1:7 unknown escape in double quotes; in single quotes a backslash is a backslash"},
      {"? [a]\n: 1\n", "1:3 a key must be a text, this is a list; put it in quotes"},
      {"~: 1\n", "1:1 a key must be a text, this is nothing; put it in quotes"},
      {"a: &x 1\nb:\n  <<: *x\n", "3:7 '<<' merges a map or a list of maps, this is a number"},
      {std::string("a: b\0c\n", 7), "1:5 a NUL byte: this is no text file; save it as UTF-8"},
      {"a: b\nc: \xFF\n", "2:4 a byte that is not UTF-8; save the file as UTF-8"},
      {"\xFF\xFE"
       "a",
       "1:1 the file is UTF-16; save it as UTF-8"},
      {"a: \x01\n", "1:4 a control character; in double quotes it can be written as an escape"},
  }));
  INFO(c.text);

  CHECK(Fail(c.text) == c.want);
}

TEST_CASE("yaml: a quote that ends lines later is named when it leads to nonsense",
          "[config][yaml]") {
  CHECK(Fail("a: 'one\nb: 'two'\n").find("the quote opened in line 1 ends only here") !=
        std::string::npos);
}

TEST_CASE("yaml: all duplicate keys are reported, not only the first", "[config][yaml]") {
  Problems problems("f", "");
  LoadYaml("a: 1\na: 2\nb: {c: 1, c: 2}\n", problems);
  CHECK(problems.error_count() == 2);
}

TEST_CASE("yaml: bombs are refused, and fast", "[config][yaml]") {
  std::string laughs = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 12; ++i) {
    const std::string before = "*a" + std::to_string(i - 1);
    laughs += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + before;
    for (int j = 0; j < 9; ++j)
      laughs += ", " + before;
    laughs += "]\n";
  }
  std::string dashes;
  for (int i = 0; i < 2000; ++i)
    dashes += "- ";
  const auto start = std::chrono::steady_clock::now();

  CHECK(Fail(laughs).find("too large: more than 1,000,000 values") != std::string::npos);
  CHECK(Fail(std::string(101, '[') + std::string(101, ']')).find("nested more than 100") !=
        std::string::npos);
  CHECK(Fail(std::string(5'000'000, '[')).find("nested more than 100") != std::string::npos);
  CHECK(Fail(std::string(5'000'000, '{')).find("nested more than 100") != std::string::npos);
  CHECK(Fail(dashes).find("nested more than 100") != std::string::npos);
  CHECK(Fail(std::string((std::size_t{16} << 20U) + 1, 'a')).find("16 MiB") != std::string::npos);
  CHECK(Load(std::string(100, '[') + std::string(100, ']')).size() == 200);

  // Generous: the sanitizers run this too.
  CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(20));
}

}  // namespace
}  // namespace agent
