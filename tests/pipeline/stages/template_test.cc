#include "pipeline/stages/stages.h"
#include "tests/pipeline/stages/stage_fixture.h"

namespace agent {
namespace {

TEST_CASE("template: creates a key from the line and other values", "[stages][template]") {
  StageFixture stage(MakeTemplateStage,
                     "{source: tag, template: '{{ .app }}:{{ .Entry | ToUpper | trunc 4 }}'}",
                     {"tag"});
  const EntryIndex entry = stage.Add("hello", {{"app", Value::String("shop")}});

  stage.Run();

  CHECK(stage.Extracted(entry, "tag") == "shop:HELL");
  CHECK(stage.Line(entry) == "hello");
}

TEST_CASE("template: rewrites its own value", "[stages][template]") {
  StageFixture stage(MakeTemplateStage, "{source: level, template: '{{ ToLower .Value }}'}",
                     {"level"});
  const EntryIndex first = stage.Add("a", {{"level", Value::String("WARN")}});
  const EntryIndex second = stage.Add("b", {{"level", Value::String("ÉA")}});
  const EntryIndex missing = stage.Add("c");

  stage.Run();

  CHECK(stage.Extracted(first, "level") == "warn");
  CHECK(stage.Extracted(second, "level") == "éa");
  CHECK(stage.Extracted(missing, "level") == "-");
}

TEST_CASE("template: missing keys print no value, or fail and change nothing",
          "[stages][template]") {
  StageFixture prints(MakeTemplateStage, "{source: a, template: 'x={{ .ghost }}'}", {"a"});
  const EntryIndex printed = prints.Add("l", {{"ghost", Value::Null()}});
  prints.Run();
  CHECK(prints.Extracted(printed, "a") == "x=<no value>");

  StageFixture fails(MakeTemplateStage, "{source: b, template: '{{ .ghost | ToLower }}'}", {"b"});
  const EntryIndex failed = fails.Add("l", {{"b", Value::String("old")}});
  fails.Run();
  CHECK(fails.Extracted(failed, "b") == "old");
}

TEST_CASE("template: an empty result deletes the key, white space does not", "[stages][template]") {
  StageFixture stage(
      MakeTemplateStage,
      R"({source: lvl, template: '{{ if eq .Value "trace" }}{{ else }}{{ .Value }}{{ end }}'})",
      {"lvl"});
  const EntryIndex gone = stage.Add("a", {{"lvl", Value::String("trace")}});
  const EntryIndex kept = stage.Add("b", {{"lvl", Value::String("info")}});
  const EntryIndex space = stage.Add("c", {{"lvl", Value::String(" ")}});

  stage.Run();

  CHECK(stage.Extracted(gone, "lvl") == "-");
  CHECK(stage.Extracted(kept, "lvl") == "info");
  CHECK(stage.Extracted(space, "lvl") == " ");
}

TEST_CASE("template: every value is a text", "[stages][template]") {
  StageFixture stage(MakeTemplateStage,
                     "{source: t, template: '{{ typeOf .n }} {{ .n }} {{ .b }} {{ .big }}'}",
                     {"t"});
  const EntryIndex entry = stage.Add(
      "l", {{"n", Value::Number(250)}, {"b", Value::Bool(true)}, {"big", Value::Number(1e21)}});

  stage.Run();

  CHECK(stage.Extracted(entry, "t") == "string 250 true 1000000000000000000000");
}

TEST_CASE("template: constants are stored, empty ones delete", "[stages][template]") {
  StageFixture constant(MakeTemplateStage, "{source: env, template: prod}", {"env"});
  const EntryIndex entry = constant.Add("l");
  constant.Run();
  CHECK(constant.Extracted(entry, "env") == "prod");

  StageFixture empty(MakeTemplateStage, "{source: env}", {"env"});
  const EntryIndex deleted = empty.Add("l", {{"env", Value::String("x")}});
  empty.Run();
  CHECK(empty.Extracted(deleted, "env") == "-");
}

TEST_CASE("template: Value and Entry come before extracted values of those names",
          "[stages][template]") {
  StageFixture stage(MakeTemplateStage, "{source: s, template: '{{ .Value }}/{{ .Entry }}'}",
                     {"s", "Entry"});
  const EntryIndex with = stage.Add("line", {{"s", Value::String("v")},
                                             {"Value", Value::String("other")},
                                             {"Entry", Value::String("other")}});
  const EntryIndex without = stage.Add("line", {{"Value", Value::String("other")}});

  stage.Run();

  CHECK(stage.Extracted(with, "s") == "v/line");
  CHECK(stage.Extracted(without, "s") == "other/line");
}

TEST_CASE("template: dot as a whole holds every value", "[stages][template]") {
  StageFixture stage(MakeTemplateStage, "{source: s, template: '{{ . }}'}", {"s"});
  stage.Reset({});
  const EntryIndex entry = stage.Add("line", {{"s", Value::Number(1.5)}});

  stage.Run();

  CHECK(stage.slots().reads_everything());
  CHECK(stage.Extracted(entry, "s") == "map[Entry:line Value:1.5 s:1.5]");
}

TEST_CASE("template: mistakes are problems with a place", "[stages][template]") {
  const StageFixture unknown(MakeTemplateStage, "{source: s, template: '{{ ToLwer .Value }}'}");
  CHECK_FALSE(unknown.built());
  CHECK_THAT(unknown.problems(), Catch::Contains("stages[0].stage.template: template:1:4: function "
                                                 "'ToLwer' not defined; did you mean 'ToLower'?"));

  CHECK_FALSE(StageFixture(MakeTemplateStage, "{template: x}").built());
  CHECK_FALSE(StageFixture(MakeTemplateStage, "{source: s, template: '{{ if }}'}").built());
  CHECK_FALSE(StageFixture(MakeTemplateStage, "{source: s, template: 5}").built());
}

}  // namespace
}  // namespace agent
