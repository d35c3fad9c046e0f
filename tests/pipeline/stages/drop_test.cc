#include "pipeline/stages/stages.h"
#include "tests/pipeline/stages/stage_fixture.h"

namespace agent {
namespace {

using Fields = std::initializer_list<StageFixture::Field>;

bool Drops(const std::string& yaml, std::string_view line, Fields fields = {}) {
  StageFixture stage(MakeDropStage, yaml);
  INFO(yaml << " " << line << " " << stage.problems());
  REQUIRE(stage.built());
  stage.Add(line, fields);
  stage.Run();
  return stage.alive() == 0;
}

TEST_CASE("drop: all conditions must hold", "[stages][drop]") {
  const std::string yaml = "{source: level, value: debug, longer_than: 20b}";

  CHECK_FALSE(Drops(yaml, "level=debug short", {{"level", Value::String("debug")}}));
  CHECK(Drops(yaml, "level=debug a much longer line", {{"level", Value::String("debug")}}));
  CHECK_FALSE(Drops(yaml, "level=info a much longer line", {{"level", Value::String("info")}}));
}

TEST_CASE("drop: longer means strictly longer, in bytes", "[stages][drop]") {
  CHECK_FALSE(Drops("{longer_than: 4}", "four"));
  CHECK(Drops("{longer_than: 4}", "fiveb"));
  CHECK(Drops("{longer_than: 4b}", "\xc3\xa9\xc3\xa9\xc3\xa9"));
  CHECK(Drops("{longer_than: '4'}", "fiveb"));
}

TEST_CASE("drop: older means strictly before", "[stages][drop]") {
  StageFixture stage(MakeDropStage, "{older_than: 1h}");
  const EntryIndex exact = stage.Add("exactly an hour old");
  const EntryIndex older = stage.Add("a bit older");
  const int64_t hour_ago = stage.clock.WallNanos() - 3600 * kNanosPerSecond;
  stage.block().SetTimestamp(exact, hour_ago);
  stage.block().SetTimestamp(older, hour_ago - 1);

  stage.Run();

  REQUIRE(stage.alive() == 1);
  CHECK(stage.block().live()[0] == exact);
}

TEST_CASE("drop: source alone asks for presence, and null is present", "[stages][drop]") {
  CHECK(Drops("{source: secret}", "a", {{"secret", Value::String("x")}}));
  CHECK(Drops("{source: secret}", "a", {{"secret", Value::Null()}}));
  CHECK(Drops("{source: secret}", "a", {{"secret", Value::String("")}}));
  CHECK_FALSE(Drops("{source: secret}", "a"));
  CHECK(Drops("{source: [a, b]}", "a", {{"a", Value::Number(1)}, {"b", Value::Bool(false)}}));
  CHECK_FALSE(Drops("{source: [a, b]}", "a", {{"a", Value::Number(1)}}));
}

TEST_CASE("drop: an expression without source looks at the line, anywhere in it",
          "[stages][drop]") {
  CHECK(Drops("{expression: 'debug|trace'}", "a trace of"));
  CHECK_FALSE(Drops("{expression: '^trace'}", "a trace of"));
  CHECK(Drops("{expression: ''}", "anything"));
}

TEST_CASE("drop: several sources are joined, absent ones left out", "[stages][drop]") {
  const std::string yaml = "{source: [a, b, c], separator: '/', expression: '^1/3$'}";

  CHECK_FALSE(Drops(
      yaml, "", {{"a", Value::String("1")}, {"b", Value::String("2")}, {"c", Value::String("3")}}));
  CHECK(Drops(yaml, "", {{"a", Value::String("1")}, {"c", Value::Number(3)}}));
  CHECK(Drops("{source: [a, c], expression: '^1;3$'}", "",
              {{"a", Value::String("1")}, {"c", Value::String("3")}}));
}

TEST_CASE("drop: an absent source is the empty text, a null one never fits", "[stages][drop]") {
  CHECK(Drops("{source: never_set, expression: '^$'}", "goes away"));
  CHECK(Drops("{source: never_set, expression: '.*'}", "goes away"));
  CHECK_FALSE(Drops("{source: a, expression: '.*'}", "stays", {{"a", Value::Null()}}));
  CHECK_FALSE(Drops("{source: [a, b], expression: '.*'}", "stays",
                    {{"a", Value::String("x")}, {"b", Value::Null()}}));
}

TEST_CASE("drop: a value is compared as it stands", "[stages][drop]") {
  CHECK(Drops("{source: a, value: '1.5'}", "", {{"a", Value::Number(1.5)}}));
  CHECK_FALSE(Drops("{source: a, value: '1.5'}", "", {{"a", Value::String("1x5")}}));
  CHECK(Drops("{source: a, value: 200}", "", {{"a", Value::Number(200)}}));
  CHECK(Drops("{source: a, value: ''}", ""));
}

TEST_CASE("drop: entries are counted under their reason", "[stages][drop]") {
  StageFixture named(MakeDropStage, "{expression: x, drop_counter_reason: noise}");
  named.Add("x");
  named.Run();
  CHECK(named.Dropped("noise") == 1);

  StageFixture unnamed(MakeDropStage, "{expression: x, drop_counter_reason: ''}");
  unnamed.Add("x");
  unnamed.Add("y");
  unnamed.Run();
  CHECK(unnamed.Dropped("drop_stage") == 1);
}

TEST_CASE("drop: what is wrong is reported", "[stages][drop]") {
  struct Case {
    const char* yaml;
    const char* want;
  };
  const auto c = GENERATE(values<Case>({
      {"{}", "nothing says what to drop"},
      {"{drop_counter_reason: x}", "nothing says what to drop"},
      {"{value: x}", "needs 'source'"},
      {"{value: x, longer_than: 5}", "needs 'source'"},
      {"{source: a, value: x, expression: y}", "exclude one another"},
      {"{expression: '('}", "missing closing ')'"},
      {"{older_than: yesterday}", "older_than"},
      {"{longer_than: much}", "longer_than"},
  }));
  INFO(c.yaml);

  const StageFixture stage(MakeDropStage, c.yaml);

  CHECK_FALSE(stage.built());
  CHECK_THAT(stage.problems(), Catch::Contains(c.want));
}

}  // namespace
}  // namespace agent
