#include <catch2/catch.hpp>

#include "pipeline/stages/stages.h"
#include "tests/pipeline/stages/stage_fixture.h"
#include "tests/support/padded_text.h"

namespace agent {
namespace {

// What `key` holds after the stage has seen one line.
std::string Extract(const std::string& expression, std::string_view line) {
  StageFixture stage(MakeJsonStage, "{expressions: {key: '" + expression + "'}}", {"key"});
  INFO(expression << " " << stage.problems());
  REQUIRE(stage.built());
  const EntryIndex entry = stage.Add(line, {{"key", Value::String("before")}});
  stage.Run();
  return stage.Extracted(entry, "key");
}

}  // namespace

TEST_CASE("json: values keep their types", "[stages][json]") {
  StageFixture stage(MakeJsonStage, "{expressions: {s: , 'n': , b: , z: , gone: , o: , l: 'l[]'}}",
                     {"s", "n", "b", "z", "gone", "o", "l"});
  REQUIRE(stage.built());
  const EntryIndex entry =
      stage.Add(R"({"s":"x","n":1e21,"b":false,"z":null,"o":{"b":1,"a":"<"},"l":[[1],2]})");

  stage.Run();

  CHECK(stage.ValueOf(entry, "s").type() == ValueType::kString);
  CHECK(stage.ValueOf(entry, "n").number() == 1e21);
  CHECK(stage.ValueOf(entry, "b").type() == ValueType::kBool);
  CHECK(stage.ValueOf(entry, "z").type() == ValueType::kNull);
  CHECK(stage.ValueOf(entry, "gone").type() == ValueType::kNull);
  CHECK(stage.Extracted(entry, "o") == R"({"a":"\u003c","b":1})");
  CHECK(stage.Extracted(entry, "l") == "[1,2]");
}

TEST_CASE("json: a path that leads nowhere stores null over an earlier value", "[stages][json]") {
  CHECK(Extract("gone", "{}") == "null");
  CHECK(Extract("gone[0]", "{}") == "null");
  CHECK(Extract("gone.deeper", R"({"gone":"text"})") == "null");
  CHECK(Extract("gone", "null") == "null");
}

TEST_CASE("json: a malformed line and a failing expression leave the key alone", "[stages][json]") {
  CHECK(Extract("a", R"({"a":1)") == "before");
  CHECK(Extract("a", R"({"a":1,"b":1e400})") == "before");
  CHECK(Extract("a[0]", R"({"a":[1],"b":007})") == "before");
  CHECK(Extract("a", "[1]") == "before");
  CHECK(Extract("a", "") == "before");
  CHECK(Extract("abs(a)", R"({"a":"x"})") == "before");
}

TEST_CASE("json: expressions beyond paths", "[stages][json]") {
  CHECK(Extract("length(a)", R"({"a":"abc"})") == "3");
  CHECK(Extract("a || b", R"({"b":true})") == "true");
  CHECK(Extract("@", R"({"b":[1.0,{}]})") == R"({"b":[1,{}]})");
  CHECK(Extract("keys(@)", "null") == "[]");
  CHECK(Extract("\"a b\".\"@c\"", R"({"a b":{"@c":"x\ty"}})") == "x\ty");
}

TEST_CASE("json: bytes that are not UTF-8 are kept", "[stages][json]") {
  CHECK(Extract("a", "{\"a\":\"\xff\"}") == "\xff");
  CHECK(Extract("a[0]", "{\"a\":[\"\xff\"]}") == "\xff");
}

TEST_CASE("json: source names the text; absent or null does nothing and never drops",
          "[stages][json]") {
  StageFixture stage(MakeJsonStage, "{source: raw, drop_malformed: true, expressions: {a: }}",
                     {"a"});
  REQUIRE(stage.built());
  const PaddedText raw(R"({"a":7})");
  const EntryIndex good = stage.Add("line", {{"raw", Value::String(raw.view())}});
  const EntryIndex absent = stage.Add(R"({"a":1})");
  const EntryIndex null = stage.Add(R"({"a":1})", {{"raw", Value::Null()}});
  const EntryIndex number = stage.Add(R"({"a":1})", {{"raw", Value::Number(5)}});

  stage.Run();

  CHECK(stage.Extracted(good, "a") == "7");
  CHECK(stage.Extracted(absent, "a") == "-");
  CHECK(stage.Extracted(null, "a") == "-");
  CHECK(stage.Extracted(number, "a") == "-");
  CHECK(stage.alive() == 3);  // A number is no object: malformed.
  CHECK(stage.Dropped("json_malformed") == 1);
}

TEST_CASE("json: drop_malformed drops, also when nobody reads the values", "[stages][json]") {
  StageFixture stage(MakeJsonStage, "{drop_malformed: true, expressions: {a: }}");
  REQUIRE(stage.built());
  for (const char* line : {R"({"a":1})", R"({"a":1)", R"(["a"])", "plain", "null", ""})
    stage.Add(line);

  stage.Run();

  CHECK(stage.alive() == 2);
  CHECK(stage.Dropped("json_malformed") == 4);
}

TEST_CASE("json: what nobody reads is not extracted", "[stages][json]") {
  StageFixture stage(MakeJsonStage, "{expressions: {a: , b: }}", {"b"});
  REQUIRE(stage.built());
  const EntryIndex entry = stage.Add(R"({"a":1,"b":2})");

  stage.Run();

  CHECK(stage.Extracted(entry, "a") == "-");
  CHECK(stage.Extracted(entry, "b") == "2");
}

TEST_CASE("json: configuration problems", "[stages][json]") {
  struct Case {
    const char* yaml;
    const char* problem;
  };
  const auto c = GENERATE(values<Case>({
      {"{}", "JMES expression is required"},
      {"{expressions: }", "JMES expression is required"},
      {"{expressions: {}}", "JMES expression is required"},
      {"{expressions: {log-level: }}",
       "could not compile JMES expression: SyntaxError: unexpected '-'"},
      {"{expressions: {a: 'b.'}}", "could not compile JMES expression: SyntaxError: incomplete"},
      {"{expressions: {a: b}, source: ''}", "empty source"},
      {"{expressions: {a: 1}}", "expressions"},
      {"{expressions: {a: b}, drop_malformed: 'yes'}", "drop_malformed"},
  }));
  INFO(c.yaml);
  StageFixture stage(MakeJsonStage, c.yaml);

  CHECK_FALSE(stage.built());
  INFO(stage.problems());
  CHECK(stage.problems().find(c.problem) != std::string::npos);
}

TEST_CASE("json: a syntax error is shown where it stands", "[stages][json]") {
  StageFixture stage(MakeJsonStage, "{expressions: {a: 'b.c[x]'}}");
  REQUIRE(stage.all_problems().all().size() == 1);
  CHECK(stage.all_problems().all()[0].place.line == 1);
  CHECK(stage.all_problems().all()[0].place.column == 24);
}

TEST_CASE("json: an unknown function is a warning", "[stages][json]") {
  StageFixture stage(MakeJsonStage, "{expressions: {a: 'lenght(b)'}}");
  CHECK(stage.built());
  CHECK(stage.problems().find("JMESPath has no function lenght()") != std::string::npos);
}

}  // namespace agent
