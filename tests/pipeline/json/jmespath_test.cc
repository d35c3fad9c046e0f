#include "pipeline/json/jmespath.h"

#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "pipeline/json/json_writer.h"

namespace agent {
namespace {

// The result as JSON text, or what went wrong.
std::string Search(const std::string& expression, const std::string& data) {
  const Result<JmesPath> path = JmesPath::Compile(expression);
  if (!path.ok()) return "syntax: " + path.error().message;
  JsonDocument document;
  const JsonNode* root = document.ParseCopy(data);
  REQUIRE(root != nullptr);
  const Result<const JsonNode*> result = path->Search(*root, document);
  if (!result.ok()) return "error: " + result.error().message;
  std::string out;
  REQUIRE(AppendJson(**result, ExponentForm::kTwoDigits, std::size_t{1} << 20, out));
  return out;
}

std::string Repeat(const std::string& text, std::size_t count) {
  std::string out;
  for (std::size_t i = 0; i < count; ++i)
    out += text;
  return out;
}

}  // namespace

TEST_CASE("jmespath: expressions of the reference", "[jmespath]") {
  struct Case {
    const char* expression;
    const char* want;
  };
  const std::string data =
      R"({"a":{"b":{"c":7}},"list":[{"n":1,"s":"x"},{"n":3,"s":"y"},{"n":2}],"nested":[[1,2],[3,[4]]],)"
      R"("log-level":"warn","@t":"now","t":true,"empty":"","num":"12.5","neg":-1.5})";
  const auto c = GENERATE(values<Case>({
      {"a.b.c", "7"},
      {"a.gone.c", "null"},
      {"list[0].s", R"("x")"},
      {"list[-1]", R"({"n":2})"},
      {"list[9]", "null"},
      {"list[*].s", R"(["x","y"])"},
      {"list[::2].n", "[1,2]"},
      {"list[::-1].n", "[2,3,1]"},
      {"list[1:].n", "[3,2]"},
      {"nested[]", "[1,2,3,[4]]"},
      {"nested[][]", "[1,2,3,4]"},
      {"list[?n==`3`].s", R"(["y"])"},
      {"list[?n > `1` && s].s | [0]", R"("y")"},
      {"a.*.c", "[7]"},
      {"a.b.[c, c]", "[7,7]"},
      {"a.b.{x: c, \"y z\": @}", R"({"x":7,"y z":{"c":7}})"},
      {"gone || empty || 'unset'", R"("unset")"},
      {"t && num", R"("12.5")"},
      {"!t", "false"},
      {"\"log-level\"", R"("warn")"},
      {"\"@t\"", R"("now")"},
      {"`{\"x\": [1, \"\\`\"]}`.x", R"([1,"`"])"},
      {"'it\\'s'", R"("it's")"},
      {"'a\\nb'", R"("a\\nb")"},
      {"length(list)", "3"},
      {"sort_by(list, &n)[*].n", "[1,2,3]"},
      {"max_by(list, &n).s", R"("y")"},
      {"min_by(list, &n).s", R"("x")"},
      {"map(&s, list)", R"(["x","y",null])"},
      {"to_number(num)", "12.5"},
      {"to_string(a)", R"("{\"b\":{\"c\":7}}")"},
      {"abs(neg)", "1.5"},
      {"join('-', ['a', 'b'])", R"("a-b")"},
      {"reverse('h\xC3\xA9!')", "\"!\xC3\xA9h\""},
      {"merge(a, {z: t})", R"({"b":{"c":7},"z":true})"},
      {"avg(list[*].n)", "2"},
      {"type(@)", R"("object")"},
      {"not_null(gone, t)", "true"},
      {"contains(list[*].s, 'y')", "true"},
      {"a == `{\"b\": {\"c\": 7.0}}`", "true"},
      {"t < num", "null"},
  }));
  INFO(c.expression);
  CHECK(Search(c.expression, data) == c.want);
}

TEST_CASE("jmespath: a run-time error is an error, not null", "[jmespath]") {
  struct Case {
    const char* expression;
    const char* want;
  };
  const auto c = GENERATE(values<Case>({
      {"abs(a)", "error: wrong number or types of arguments for abs()"},
      {"length(@, @)", "error: wrong number or types of arguments for length()"},
      {"nothing(a)", "error: unknown function: nothing()"},
      {"list[::0]", "error: the step of a slice must not be 0"},
      {"sort_by(list, &@)", "error: the expression must give numbers only or strings only"},
      {"&a", "error: an expression with & is an argument of a function, not a value"},
  }));
  INFO(c.expression);
  CHECK(Search(c.expression, R"({"a":"text","list":[1,"x"]})") == c.want);
}

TEST_CASE("jmespath: syntax errors say what and where", "[jmespath]") {
  struct Case {
    const char* expression;
    const char* message;
    std::size_t offset;
  };
  const auto c = GENERATE(values<Case>({
      {"", "incomplete expression", 0},
      {"a.", "incomplete expression", 2},
      {"log-level", "unexpected '-': a name with a '-' in it must be in double quotes", 3},
      {"a b", "unexpected 'b'", 2},
      {"a.b]", "unexpected ']'", 3},
      {"a[", "incomplete expression", 2},
      {"a[b]", "unexpected 'b'", 2},
      {"a[?b", "incomplete expression", 4},
      {"a = b", "unexpected '=': to compare write '=='", 2},
      {"\"a", "missing \" at the end", 0},
      {"'a", "missing ' at the end", 0},
      {"`{`", "what is in backticks must be JSON", 0},
      {"\"\\x\"", "a name in double quotes must be a JSON string", 0},
      {"\"length\"(a)", "the name of a function must not be in quotes", 0},
      {"{a b}", "unexpected 'b'", 3},
      {"a[99999999999999999999]", "the number is too large", 2},
      {"a#", "unexpected '#'", 1},
      {"gr\xC3\xBC",
       "a name with other characters than A-Z, a-z, 0-9 and _ must be in double quotes", 2},
  }));
  INFO(c.expression);
  JmesPath::SyntaxError where;

  const Result<JmesPath> path = JmesPath::Compile(c.expression, &where);

  REQUIRE_FALSE(path.ok());
  CHECK(where.message == c.message);
  CHECK(where.offset == c.offset);
  CHECK(path.error().message ==
        where.message + " at character " + std::to_string(where.offset + 1));
}

TEST_CASE("jmespath: simple paths are told from everything else", "[jmespath]") {
  const auto simple = [](const char* expression) {
    return JmesPath::Compile(expression).value().SimplePath();
  };
  CHECK(simple("a") == std::vector<std::string>{"a"});
  CHECK(simple("a.\"b c\".d") == std::vector<std::string>{"a", "b c", "d"});
  CHECK(simple("\"a.b\"") == std::vector<std::string>{"a.b"});
  CHECK(simple("a[0]") == std::nullopt);
  CHECK(simple("@") == std::nullopt);
  CHECK(simple("a || b") == std::nullopt);
}

TEST_CASE("jmespath: an unknown function compiles with a warning", "[jmespath]") {
  CHECK(JmesPath::Compile("a.b[?lenght(c) > `1`]")->warning() ==
        "JMESPath has no function lenght()");
  CHECK(JmesPath::Compile("length(c)")->warning().empty());
}

TEST_CASE("jmespath: hostile expressions do not exhaust the stack", "[jmespath]") {
  const std::size_t many = 100'000;
  const std::string expression = GENERATE_COPY(
      Repeat("(", many), Repeat("!", many) + "a", Repeat("a.", many) + "a", Repeat("[", many),
      Repeat("[?", many), "a" + Repeat("[]", many), Repeat("a|", many) + "a",
      Repeat("a || ", many) + "a", Repeat("length(", many), Repeat("{a: ", many),
      Repeat("& ", many) + "a", "a" + Repeat("[0]", many), Repeat("*.", many) + "a");
  const Result<JmesPath> path = JmesPath::Compile(expression);
  REQUIRE_FALSE(path.ok());
  INFO(expression.substr(0, 20) << ": " << path.error().message);
  CHECK(path.error().message.find("nests more than 400 levels deep") != std::string::npos);
}

TEST_CASE("jmespath: 300 levels of an expression work", "[jmespath]") {
  CHECK(Search(Repeat("(", 300) + "a" + Repeat(")", 300), R"({"a":1})") == "1");
  CHECK(Search("a" + Repeat("[]", 150), R"({"a":[1]})") == "[1]");
}

TEST_CASE("jmespath: data as deep as it may be", "[jmespath]") {
  const std::string deep = Repeat("[", 9000) + Repeat("]", 9000);
  CHECK(Search("to_string(@)", deep) == "\"" + deep + "\"");
  CHECK(Search("contains(@, @)", deep) == "false");
  CHECK(Search("@ == @", deep) == "true");
}

TEST_CASE("jmespath: an evaluation that grows beyond all measure ends in an error", "[jmespath]") {
  std::string expression = "[@,@,@,@,@,@,@,@]";
  for (int i = 0; i < 12; ++i)
    expression += " | [@,@,@,@,@,@,@,@]";
  CHECK(Search("to_string(" + expression + ")", "[1]") ==
        "error: to_string() cannot write the value");
  std::string flattened = "[@,@,@,@,@,@,@,@]";
  for (int i = 0; i < 12; ++i)
    flattened += "[].[@,@,@,@,@,@,@,@][]";
  const std::string outcome = Search("length(" + flattened + ")", "[1]");
  CHECK(outcome.starts_with("error: the "));
}

}  // namespace agent
