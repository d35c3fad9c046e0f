// What YAML cannot say of `pack`: bytes that are no UTF-8, time, errors of the configuration.

#include <string>

#include "pipeline/stages/stages.h"
#include "tests/pipeline/stages/stage_fixture.h"

namespace agent {
namespace {

std::string ProblemsOf(const std::string& yaml) {
  const StageFixture stage(MakePackStage, yaml);
  REQUIRE_FALSE(stage.built());
  return stage.problems();
}

}  // namespace

TEST_CASE("pack: bytes that are no UTF-8 become U+FFFD, one by one", "[stages][pack]") {
  StageFixture stage(MakePackStage, "{labels: [k], ingest_timestamp: false}");
  const EntryIndex entry =
      stage.Add("a\xff\xc3(\xed\xa0\x80 b\xe2\x82", {{"k", Value::String("\x80")}});

  stage.Run();

  CHECK(stage.Line(entry) ==
        R"({"k":"\ufffd","_entry":"a\ufffd\ufffd(\ufffd\ufffd\ufffd b\ufffd\ufffd"})");
}

TEST_CASE("pack: entries get the present time, a nanosecond apart", "[stages][pack]") {
  StageFixture stage(MakePackStage, "{}");
  const EntryIndex first = stage.Add("one");
  const EntryIndex second = stage.Add("two");
  stage.block().SetTimestamp(first, 7);
  stage.block().SetTimestamp(second, 3);
  stage.clock.Advance(10 * kNanosPerSecond);

  stage.Run();

  CHECK(stage.block().Timestamp(first) == stage.clock.WallNanos());
  CHECK(stage.block().Timestamp(second) == stage.clock.WallNanos() + 1);
}

TEST_CASE("pack: the time is that of the clock even when it is set back", "[stages][pack]") {
  StageFixture stage(MakePackStage, "{}");
  stage.Add("one");
  stage.Run();
  stage.clock.SetWall(stage.clock.WallNanos() - 3600 * kNanosPerSecond);
  stage.Reset({});
  const EntryIndex later = stage.Add("two");

  stage.Run();

  CHECK(stage.block().Timestamp(later) == stage.clock.WallNanos());
}

TEST_CASE("pack: labels go by set and by what was found", "[stages][pack]") {
  StageFixture stage(MakePackStage, "{labels: [a, b], ingest_timestamp: false}");
  stage.Reset({{"a", "1"}, {"b", "2"}, {"c", "3"}});
  const EntryIndex both = stage.Add("x");
  const EntryIndex one = stage.Add("x", {{"b", Value::Null()}});
  const EntryIndex none = stage.Add("x", {{"a", Value()}, {"b", Value()}});

  stage.Run();

  const auto labels = [&](EntryIndex entry) {
    return FormatLabels(stage.label_sets().Get(stage.block().LabelsOf(entry)));
  };
  CHECK(labels(both) == R"({c="3"})");
  CHECK(labels(one) == R"({b="2", c="3"})");
  CHECK(labels(none) == R"({a="1", b="2", c="3"})");
  CHECK(stage.Line(one) == R"({"a":"1","_entry":"x"})");
}

TEST_CASE("pack: what is not understood is refused", "[stages][pack]") {
  CHECK(ProblemsOf("{labels: {pod: p}}") ==
        "stages[0].stage.labels: expected a list of strings, got a map; \n");
  CHECK(ProblemsOf("{ingest_timestamp: sometimes}") ==
        "stages[0].stage.ingest_timestamp: expected true or false, got 'sometimes'; \n");
  CHECK(ProblemsOf("[pod]") == "stages[0].stage: expected a map, got a list; \n");
}

}  // namespace agent
