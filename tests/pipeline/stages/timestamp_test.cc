#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "pipeline/stages/stages.h"
#include "pipeline/time/rfc3339.h"
#include "tests/pipeline/stages/stage_fixture.h"

namespace agent {
namespace {

int64_t At(std::string_view text) {
  return Rfc3339Parser().Parse(text).value();
}

// The times of entries whose `ts` is as given; all with the same labels.
std::vector<int64_t> Times(const std::string& yaml, const std::vector<std::string>& values) {
  StageFixture stage(MakeTimestampStage, yaml);
  INFO(stage.problems());
  REQUIRE(stage.built());
  std::vector<int64_t> times;
  for (const std::string& value : values) {
    stage.Reset({});
    const EntryIndex entry = stage.Add("line", {{"ts", Value::String(value)}});
    stage.Run();
    times.push_back(stage.block().Timestamp(entry));
  }
  return times;
}

TEST_CASE("timestamp: a custom layout in a location", "[stages][timestamp]") {
  CHECK(Times("{source: ts, format: '2006-01-02 15:04:05.000', location: Asia/Tokyo}",
              {"2023-05-06 07:08:09.010"}) == std::vector{At("2023-05-05T22:08:09.01Z")});
}

TEST_CASE("timestamp: unix times from texts and numbers", "[stages][timestamp]") {
  StageFixture stage(MakeTimestampStage, "{source: ts, format: Unix}");
  const EntryIndex number = stage.Add("l", {{"ts", Value::Number(1700000000.25)}});
  const EntryIndex text = stage.Add("l", {{"ts", Value::String("1700000001.000001")}});
  const EntryIndex whole = stage.Add("l", {{"ts", Value::Number(1700000002)}});

  stage.Run();

  CHECK(stage.block().Timestamp(number) == At("2023-11-14T22:13:20.25Z"));
  CHECK(stage.block().Timestamp(text) == At("2023-11-14T22:13:21.000001Z"));
  CHECK(stage.block().Timestamp(whole) == At("2023-11-14T22:13:22Z"));
}

TEST_CASE("timestamp: failures follow the last good time of the label set", "[stages][timestamp]") {
  const int64_t day = At("2023-05-06T00:00:00Z");

  CHECK(Times("{source: ts, format: RFC3339}",
              {"??", "2023-05-06T00:00:00Z", "??", "??", "2023-05-06T00:00:00Z", "??"}) ==
        std::vector<int64_t>{FakeClock::kStart, day, day + 1, day + 2, day, day + 1});
}

TEST_CASE("timestamp: each label set has its own last time", "[stages][timestamp]") {
  StageFixture stage(MakeTimestampStage, "{source: ts, format: Unix}");
  const LabelSetId a = stage.label_sets().Intern(Labels({{"app", "a"}}));
  const LabelSetId b = stage.label_sets().Intern(Labels({{"app", "b"}}));
  const auto add = [&](LabelSetId labels, std::string_view ts) {
    const EntryIndex entry = stage.Add("l", {{"ts", Value::String(ts)}});
    stage.block().SetLabels(entry, labels);
    return entry;
  };
  add(a, "100");
  add(b, "200");
  const EntryIndex bad_a = add(a, "?");
  const EntryIndex bad_b = add(b, "?");
  const EntryIndex bad_other = add(kEmptyLabelSet, "?");

  stage.Run();

  CHECK(stage.block().Timestamp(bad_a) == 100 * kNanosPerSecond + 1);
  CHECK(stage.block().Timestamp(bad_b) == 200 * kNanosPerSecond + 1);
  CHECK(stage.block().Timestamp(bad_other) == FakeClock::kStart);
}

TEST_CASE("timestamp: absent and null values are failures", "[stages][timestamp]") {
  StageFixture stage(MakeTimestampStage, "{source: ts, format: Unix}");
  stage.Add("l", {{"ts", Value::String("100")}});
  const EntryIndex absent = stage.Add("l");
  const EntryIndex null = stage.Add("l", {{"ts", Value::Null()}});

  stage.Run();

  CHECK(stage.block().Timestamp(absent) == 100 * kNanosPerSecond + 1);
  CHECK(stage.block().Timestamp(null) == 100 * kNanosPerSecond + 2);
}

TEST_CASE("timestamp: fallback formats are tried in order, skip leaves the time",
          "[stages][timestamp]") {
  CHECK(Times("{source: ts, format: RFC3339, fallback_formats: [UnixMs, '02.01.2006'], "
              "action_on_failure: skip}",
              {"1700000000123", "31.12.2023", "never"}) ==
        std::vector<int64_t>{At("2023-11-14T22:13:20.123Z"), At("2023-12-31T00:00:00Z"),
                             FakeClock::kStart});
}

TEST_CASE("timestamp: abbreviations count where the location knows them", "[stages][timestamp]") {
  CHECK(Times("{source: ts, format: '2006-01-02 15:04 MST', location: Europe/Paris, "
              "action_on_failure: skip}",
              {"2023-07-01 12:00 CEST", "2023-07-01 12:00 PST"}) ==
        std::vector<int64_t>{At("2023-07-01T10:00:00Z"), At("2023-07-01T12:00:00Z")});
}

TEST_CASE("timestamp: mistakes are problems", "[stages][timestamp]") {
  const StageFixture zone(MakeTimestampStage,
                          "{source: ts, format: RFC3339, location: Europe/Berln}");
  CHECK_FALSE(zone.built());
  CHECK_THAT(zone.problems(), Catch::Contains("stages[0].stage.location: unknown time zone "
                                              "'Europe/Berln'; did you mean 'Europe/Berlin'?"));

  CHECK_FALSE(StageFixture(MakeTimestampStage, "{format: RFC3339}").built());
  CHECK_FALSE(StageFixture(MakeTimestampStage, "{source: ts}").built());
  CHECK_FALSE(
      StageFixture(MakeTimestampStage, "{source: ts, format: Unix, action_on_failure: drop}")
          .built());
  CHECK_FALSE(StageFixture(MakeTimestampStage, "{source: ts, format: Unix, fallback_formats: Unix}")
                  .built());
}

TEST_CASE("timestamp: a layout without elements is warned about", "[stages][timestamp]") {
  const StageFixture stage(MakeTimestampStage, "{source: ts, format: yyyy-MM-dd}");

  CHECK(stage.built());
  CHECK_THAT(stage.problems(), Catch::Contains("no part of this layout"));
}

}  // namespace
}  // namespace agent
