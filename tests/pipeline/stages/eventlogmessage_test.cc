// What is not extracted because nobody reads it, and the errors of the configuration.

#include <string>

#include "pipeline/stages/stages.h"
#include "tests/pipeline/stages/counted.h"
#include "tests/pipeline/stages/line_runner.h"
#include "tests/pipeline/stages/stage_fixture.h"

namespace agent {
namespace {

std::string ProblemsOf(const std::string& yaml) {
  const StageFixture stage(MakeEventLogMessageStage, yaml);
  return stage.problems();
}

// The labels of a line after the stages, which read only what they name.
std::string LabelsAfter(const std::string& stages, const std::string& line,
                        const Labels& labels = {}) {
  LineRunner runner(stages);
  INFO(runner.problems());
  REQUIRE(runner.built());
  runner.labels = labels;
  const auto out = runner.Run({line});
  return out.size() == 1 ? out[0].labels : "(dropped)";
}

constexpr const char* kMessage = "- template: {source: message, template: '{{ .Entry }}'}\n";

}  // namespace

TEST_CASE("eventlogmessage: a name is there although nobody else reads it",
          "[stages][eventlogmessage]") {
  // The label `a_extracted` is set only because json has found `a`, which no stage reads.
  const std::string stages =
      "- json: {expressions: {message: m, a: a}}\n"
      "- eventlogmessage: {}\n"
      "- labels: {a_extracted: }\n";

  CHECK(LabelsAfter(stages, R"({"m":"a: 1","a":"x"})") == R"({a_extracted="1"})");
  CHECK(LabelsAfter(stages, R"({"m":"a_extracted: 1"})") == R"({a_extracted="1"})");
  CHECK(LabelsAfter(stages, R"({"m":"b: 1"})") == "{}");
}

TEST_CASE("eventlogmessage: labels are there although nobody else reads them",
          "[stages][eventlogmessage]") {
  const std::string stages =
      std::string(kMessage) + "- eventlogmessage: {}\n- labels: {app_extracted: }\n";

  CHECK(LabelsAfter(stages, "app: web", {{"app", "api"}}) == R"({app="api", app_extracted="web"})");
  CHECK(LabelsAfter(stages, "app: web") == "{}");
}

TEST_CASE("eventlogmessage: what the message has set is there for its next line and stage",
          "[stages][eventlogmessage]") {
  const std::string read = "- labels: {a_extracted: , b_extracted_extracted: }\n";
  const std::string once = std::string(kMessage) + "- eventlogmessage: {}\n";
  const std::string twice = once + "- eventlogmessage: {}\n";

  CHECK(LabelsAfter(once + read, "a: 1\r\na: 2") == R"({a_extracted="2"})");
  CHECK(LabelsAfter(once + read, "a: 1") == "{}");
  CHECK(LabelsAfter(twice + read, "a: 1") == R"({a_extracted="1"})");
  CHECK(LabelsAfter(once + read, "b: 1\r\nb: 2\r\nb_extracted: 3") ==
        R"({b_extracted_extracted="3"})");
}

TEST_CASE("eventlogmessage: labels set before a match are there inside",
          "[stages][eventlogmessage]") {
  const std::string stages = std::string(kMessage) +
                             "- static_labels: {site: ams}\n"
                             "- match:\n"
                             "    selector: '{site=\"ams\"}'\n"
                             "    stages:\n"
                             "      - eventlogmessage: {}\n"
                             "      - labels: {site_extracted: }\n";

  CHECK(LabelsAfter(stages, "site: x") == R"({site="ams", site_extracted="x"})");
}

TEST_CASE("eventlogmessage: a value that is no UTF-8 is skipped, a bad byte of a name is mended",
          "[stages][eventlogmessage]") {
  const std::string stages = std::string(kMessage) +
                             "- eventlogmessage: {}\n"
                             "- labels: {bad: , a__: , good: }\n";

  CHECK(LabelsAfter(stages, "bad: \xff\r\na\xc3\xff: 1\r\ngood: \xc3\xa9") ==
        "{a__=\"1\", good=\"\xc3\xa9\"}");
}

TEST_CASE("eventlogmessage: a null message drops the entry, in the ledger but not in the metric",
          "[stages][eventlogmessage]") {
  LineRunner runner("- json: {expressions: {message: m}}\n- eventlogmessage: {}\n");
  REQUIRE(runner.built());

  CHECK(runner.Run({R"({"m":null})", "no json"}).size() == 1);

  REQUIRE(runner.pipeline().drops().size() == 1);
  CHECK(runner.pipeline().drops()[0]->reason == "eventlogmessage_null");
  CHECK_FALSE(runner.pipeline().drops()[0]->promtail_counts);
  CHECK(runner.pipeline().drops()[0]->lines.value() == 1);
}

TEST_CASE("eventlogmessage: lines that are no pairs and values that are no UTF-8 are counted",
          "[stages][eventlogmessage]") {
  LineRunner runner(std::string(kMessage) + "- eventlogmessage: {drop_invalid_labels: true}\n");
  REQUIRE(runner.built());

  runner.Run({"no pair\r\na: 1\r\n\r\nb: \xff\r\nno name: 1", "again"});

  CHECK(Failures(runner.pipeline().counters()) == "no_pair 2, not_utf8 1");
}

TEST_CASE("eventlogmessage: many lines of one name take time in proportion",
          "[stages][eventlogmessage]") {
  StageFixture stage(MakeEventLogMessageStage, "{}", {"message", "k_extracted"});
  std::string message;
  for (int i = 0; i < 200'000; ++i)
    message += "k: " + std::to_string(i) + "\r\nk" + std::to_string(i) + ": x\r\n";
  const EntryIndex entry = stage.Add("line", {{"message", Value::String(message)}});

  stage.Run();

  CHECK(stage.Extracted(entry, "k") == "0");
  CHECK(stage.Extracted(entry, "k_extracted") == "199999");
}

TEST_CASE("eventlogmessage: a source that is no label name is refused",
          "[stages][eventlogmessage]") {
  const std::string hint = "; letters, digits and '_' only, and no digit first\n";

  CHECK(ProblemsOf("{source: event-data}") ==
        "stages[0].stage.source: invalid label name: 'event-data'" + hint);
  CHECK(ProblemsOf("{source: ''}") == "stages[0].stage.source: invalid label name: ''" + hint);
  CHECK_FALSE(StageFixture(MakeEventLogMessageStage, "{source: 1st}").built());
  CHECK(ProblemsOf("{source: }").empty());
}

TEST_CASE("eventlogmessage: what is mistyped is refused", "[stages][eventlogmessage]") {
  CHECK(ProblemsOf("{source: 5}") ==
        "stages[0].stage.source: expected a string, got a number; write \"5\" in quotes\n");
  CHECK(ProblemsOf("{drop_invalid_labels: 'true'}") ==
        "stages[0].stage.drop_invalid_labels: expected true or false, got 'true'; write it "
        "without quotes\n");
  CHECK(ProblemsOf("{overwrite_existing: 1}") ==
        "stages[0].stage.overwrite_existing: expected true or false, got '1'; \n");
  CHECK(ProblemsOf("{overwrite_exisiting: true}") ==
        "stages[0].stage: unknown key 'overwrite_exisiting' has no effect; did you mean "
        "'overwrite_existing'?\n");
}

}  // namespace agent
