// convert, rename and remove: what YAML cannot say.

#include <string>

#include "pipeline/stages/stages.h"
#include "tests/pipeline/stages/counted.h"
#include "tests/pipeline/stages/stage_fixture.h"

namespace agent {
namespace {

TEST_CASE("convert: values have the type; what does not fit is counted", "[stages][convert]") {
  StageFixture stage(MakeConvertStage, "{a: int, b: float, c: bool, d: string}",
                     {"a", "b", "c", "d"});
  const EntryIndex fits = stage.Add("", {{"a", Value::String("9007199254740993")},
                                         {"b", Value::String("2")},
                                         {"c", Value::String("no")},
                                         {"d", Value::Integer(7)}});
  const EntryIndex unfit = stage.Add("", {{"a", Value::String("x")}, {"b", Value::Null()}});

  stage.Run();

  CHECK(stage.ValueOf(fits, "a").integer() == 9007199254740993);
  CHECK(stage.ValueOf(fits, "b").type() == ValueType::kNumber);
  CHECK(stage.ValueOf(fits, "c").type() == ValueType::kBool);
  CHECK(stage.ValueOf(fits, "d").text() == "7");
  CHECK(stage.ValueOf(unfit, "a").text() == "x");
  CHECK(stage.ValueOf(unfit, "b").type() == ValueType::kNull);
  CHECK_FALSE(stage.ValueOf(unfit, "c").present());
  CHECK(Failures(stage.counters) == "type 1");
}

TEST_CASE("convert: what is wrong is reported", "[stages][convert]") {
  struct Case {
    const char* yaml;
    const char* want;
  };
  const auto c = GENERATE(values<Case>({
      {"", "expected a map of names, got nothing; write convert: { status: int }"},
      {"{}", "expected a map of names, got an empty one"},
      {"[a]", "expected a map of names, got a list"},
      {"{a: interger}",
       "stages[0].stage.a: expected int, long, float, double, bool, boolean or "
       "string, got 'interger'; did you mean 'integer'?"},
      {"{a: }", "got nothing"},
      {"{a: [int]}", "got a list"},
      {"{5: int}", "expected the name of an extracted value, got a number; put '5' in quotes"},
      {"{'[a': int}", "'[a' is no name of an extracted value"},
      {"{'[a][b]': int, a.b: float}", "'a.b' stands here twice"},
  }));
  INFO(c.yaml);

  const StageFixture stage(MakeConvertStage, c.yaml);

  CHECK_FALSE(stage.built());
  CHECK_THAT(stage.problems(), Catch::Contains(c.want));
}

TEST_CASE("rename: what is wrong is reported", "[stages][rename]") {
  struct Case {
    const char* yaml;
    const char* want;
  };
  const auto c = GENERATE(values<Case>({
      {"", "write rename: { old: new }"},
      {"{a: c, b: c}", "stages[0].stage.b: two values get the name 'c'"},
      {"{a: ''}", "'' is no name of an extracted value"},
      {"{a: 5}", "expected the name of an extracted value, got a number"},
      {"{a: [b]}", "got a list"},
  }));
  INFO(c.yaml);

  const StageFixture stage(MakeRenameStage, c.yaml);

  CHECK_FALSE(stage.built());
  CHECK_THAT(stage.problems(), Catch::Contains(c.want));
}

TEST_CASE("rename: to itself is a warning and nothing else", "[stages][rename]") {
  StageFixture stage(MakeRenameStage, "{a: a, '[b]': b}", {"a"});
  const EntryIndex entry = stage.Add("", {{"a", Value::String("x")}});
  REQUIRE(stage.built());

  stage.Run();

  CHECK(stage.Extracted(entry, "a") == "x");
  CHECK_THAT(stage.problems(), Catch::Contains("is renamed to itself"));
}

TEST_CASE("remove: what is wrong is reported", "[stages][remove]") {
  struct Case {
    const char* yaml;
    const char* want;
  };
  const auto c = GENERATE(values<Case>({
      {"", "expected a list of names, got nothing"},
      {"[]", "expected a list of names, got an empty one"},
      {"a", "expected a list of names, got a string; write [a]"},
      {"{a: b}", "expected a list of names, got a map"},
      {"[a, 5]", "stages[0].stage[1]: expected the name of an extracted value, got a number"},
      {"[a, '']", "stages[0].stage[1]: '' is no name"},
  }));
  INFO(c.yaml);

  const StageFixture stage(MakeRemoveStage, c.yaml);

  CHECK_FALSE(stage.built());
  CHECK_THAT(stage.problems(), Catch::Contains(c.want));
}

}  // namespace
}  // namespace agent
