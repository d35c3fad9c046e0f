#include "agent/pipeline_test/test_file.h"

#include <fstream>
#include <string>

#include <catch2/catch.hpp>

#include "tests/agent/pipeline_test/run_text.h"
#include "tests/support/temp_dir.h"

namespace agent {
namespace {

constexpr std::string_view kOnePassed = "1 test in 1 file: 1 passed\n";

std::string Test(const std::string& rest) {
  return "tests:\n  - name: n\n    pipeline_stages:\n      - logfmt: {mapping: {level: , num: "
         "}}\n" +
         rest;
}

}  // namespace

TEST_CASE("pipeline tests: what is wrong with a file is told with its place", "[pipeline_test]") {
  struct Case {
    std::string text;
    std::string want;
  };
  const auto c = GENERATE(values<Case>({
      {"tests: [{name: a, pipeline_stages: [], lnes: []}]\n",
       "t.yaml:1:40: tests[0]: unknown key 'lnes'\n"},
      {"tests:\n  - name: a\n    pipeline_stages: []\n    lines: []\n    entries:\n"
       "      - {line: x, lables: {}}\n",
       "t.yaml:6:19: tests[0].entries[0]: unknown key 'lables'\n"},
      {"test: []\n", "t.yaml:1:1: unknown key 'test'\n"},
      {"tests: []\n", "tests: a file of tests needs at least one\n"},
      {"tests: [{pipeline_stages: []}]\n", "tests[0].name: missing: a value is required\n"},
      {"tests: [{name: a}]\n", "a test needs 'pipeline_stages', or a 'config' whose job it tests"},
      {"tests: [{name: a, config: nowhere.yaml}]\n",
       "t.yaml:1:27: tests[0].config: cannot be read: open nowhere.yaml"},
      {"tests: [{name: a, config: x, pipeline_stages: []}]\n", "not both"},
      {"tests: [{name: a, pipeline_stages: [], time: noon}]\n",
       "t.yaml:1:46: tests[0].time: expected a time, got 'noon'\n"},
      {"tests: [{name: a, pipeline_stages: [], lines: [{advance: 4}]}]\n",
       "tests[0].lines[0].advance: 4 without a unit is 4 nanoseconds"},
      {"tests: [{name: a, pipeline_stages: [], lines: [{advnce: 4s}]}]\n",
       "did you mean 'advance'?"},
      {"tests: [{name: a, pipeline_stages: [], lines: [[]]}]\n",
       "tests[0].lines[0]: expected a line, got a list\n"},
      {"tests: [{name: a, pipeline_stages: [], entries: [{labels: {}}]}]\n",
       "tests[0].entries[0]: an entry needs its 'line'\n"},
      {"tests: [{name: a, pipeline_stages: [], metrics: {m: many}}]\n",
       "expected a number, got a string\n"},
      {"tests: [{name: a, pipeline_stages: [], errors: [x], entries: []}]\n",
       "nothing comes out of stages with errors\n"},
  }));

  const PipelineTestFile file = Parse(c.text);

  const std::string problems = file.problems.Format(/*color=*/false);
  INFO(problems);
  CHECK(problems.find(c.want) != std::string::npos);
}

TEST_CASE("pipeline tests: labels are texts, extracted values have types", "[pipeline_test]") {
  CHECK(RunText("tests:\n"
                "  - name: n\n"
                "    pipeline_stages:\n"
                "      - json: {expressions: {code: , text: , ok: , gone: , big: }}\n"
                "      - labels: {code: }\n"
                "      - structured_metadata: {ok: }\n"
                "    labels: {zone: 7}\n"
                "    lines: ['{\"code\":200,\"text\":\"200\",\"ok\":true,\"big\":1e21}']\n"
                "    entries:\n"
                "      - line: '{\"code\":200,\"text\":\"200\",\"ok\":true,\"big\":1e21}'\n"
                "        labels: {code: 200, zone: '7'}\n"
                "        structured_metadata: {ok: true}\n"
                "        extracted: {code: 200, text: '200', ok: true, gone: , big: 1.0e+21}\n") ==
        kOnePassed);
}

TEST_CASE("pipeline tests: what a test does not mention is not compared, unless it must not be",
          "[pipeline_test]") {
  const std::string text = Test(
      "      - drop: {source: level, value: debug}\n"
      "    lines: [level=debug, level=info]\n"
      "    entries: [{line: level=info}]\n");
  RunFileOptions strict;
  strict.unmentioned = Unmentioned::kForbidden;

  CHECK(RunText(text) == kOnePassed);
  CHECK(RunText(text, strict) ==
        "FAILED   t.yaml:2: n\n"
        "  entry 1 (line 7)\n"
        "    + extracted.level: \"info\"\n"
        "  metrics\n"
        "    + logentry_dropped_lines_total{reason=\"drop_stage\"}: 1\n"
        "\n"
        "1 test in 1 file: 0 passed, 1 failed\n");
}

TEST_CASE("pipeline tests: what differs is shown field by field", "[pipeline_test]") {
  CHECK(RunText(Test("      - labels: {level: }\n"
                     "    labels: {app: web}\n"
                     "    lines: [level=info num=1, level=warn num=2]\n"
                     "    entries:\n"
                     "      - line: level=info\n"
                     "        labels: {app: web, level: INFO, more: x}\n"
                     "        timestamp: 2026-01-02T03:04:06Z\n"
                     "        extracted: {level: info, num: 1}\n"
                     "      - line: level=warn num=2\n"
                     "        labels: {app: web, level: warn}\n"
                     "    metrics: {m: 1}\n")) ==
        "FAILED   t.yaml:2: n\n"
        "  entry 1 (line 9)\n"
        "    - line: \"level=info\"\n"
        "    + line: \"level=info num=1\"\n"
        "    - timestamp: 2026-01-02T03:04:06Z\n"
        "    + timestamp: 2026-01-02T03:04:05Z\n"
        "    - labels.level: \"INFO\"\n"
        "    + labels.level: \"info\"\n"
        "    - labels.more: \"x\"\n"
        "    - extracted.num: 1\n"
        "    + extracted.num: \"1\"\n"
        "  metrics\n"
        "    - m: 1\n"
        "\n"
        "1 test in 1 file: 0 passed, 1 failed\n");
}

TEST_CASE("pipeline tests: an entry too many or too few does not shift the others",
          "[pipeline_test]") {
  CHECK(RunText(Test("    lines: [a, b, c, d]\n"
                     "    entries: [{line: a}, {line: x}, {line: y}, {line: c}]\n")) ==
        "FAILED   t.yaml:2: n\n"
        "  entry 2 (line 6)\n"
        "    - line: \"x\"\n"
        "    + line: \"b\"\n"
        "  entry 3 (line 6) did not come out\n"
        "    - line: \"y\"\n"
        "  one more came out, as entry 4 of 4\n"
        "    + line: \"d\"\n"
        "\n"
        "1 test in 1 file: 0 passed, 1 failed\n");
}

TEST_CASE("pipeline tests: a test that expects nothing fails", "[pipeline_test]") {
  const std::string report = RunText(Test("    lines: [a]\n"));

  CHECK(report.find("nothing is expected") != std::string::npos);
  CHECK(report.find("    + line: \"a\"\n") != std::string::npos);
  CHECK(report.find("1 failed") != std::string::npos);
}

TEST_CASE("pipeline tests: errors of a configuration fail a test that does not expect them",
          "[pipeline_test]") {
  const std::string wrong =
      "tests:\n  - name: n\n    pipeline_stages:\n      - regex: {expression: '('}\n"
      "      - jsn: {}\n";

  CHECK(RunText(wrong + "    entries: []\n").find("t.yaml:5:9: tests[0].pipeline_stages[1]") !=
        std::string::npos);
  CHECK(RunText(wrong + "    errors: ['could not compile', 'unknown stage']\n") == kOnePassed);
  CHECK(RunText(wrong + "    errors: ['could not compile']\n")
            .find("the configuration has other errors") != std::string::npos);
  CHECK(RunText(wrong + "    errors: ['could not compile', 'unknown stage', 'and a third']\n")
            .find("  errors\n    - \"and a third\"\n") != std::string::npos);
  CHECK(RunText("tests:\n  - name: n\n    pipeline_stages: []\n    errors: [x]\n")
            .find("  errors\n    - \"x\"\n") != std::string::npos);
}

TEST_CASE("pipeline tests: warnings can be expected", "[pipeline_test]") {
  const std::string text =
      "tests:\n  - name: n\n    pipeline_stages: [{cri: {max_partial: 1}}]\n    warnings: ";

  CHECK(RunText(text + "[\"unknown key 'max_partial' has no effect\"]\n") == kOnePassed);
  CHECK(RunText(text + "[other]\n").find("    - \"other\"\n") != std::string::npos);
}

TEST_CASE("pipeline tests: time stands still, and passes when it is told to", "[pipeline_test]") {
  CHECK(RunText("time: 2025-05-06T07:08:09Z\n"
                "tests:\n"
                "  - name: n\n"
                "    pipeline_stages: [{drop: {older_than: 1h}}]\n"
                "    lines: [a, {advance: 90m}, b]\n"
                "    entries:\n"
                "      - line: a\n"
                "      - {line: b, timestamp: '2025-05-06T08:38:09Z'}\n") == kOnePassed);
}

TEST_CASE("pipeline tests: chance is the same every time", "[pipeline_test]") {
  std::string lines;
  for (int i = 0; i < 200; ++i)
    lines += (i > 0 ? ", l" : "l") + std::to_string(i);
  const PipelineTestFile file =
      Parse("tests:\n  - name: n\n    pipeline_stages: [{sampling: {rate: 0.5}}]\n    lines: [" +
            lines + "]\n    entries: []\n");
  REQUIRE(file.tests.size() == 1);

  const TestRun first = RunPipelineTest(file, file.tests[0]);
  const TestRun second = RunPipelineTest(file, file.tests[0]);

  CHECK(first.entries.size() > 60);
  CHECK(first.entries.size() < 140);
  CHECK(first.entries == second.entries);
}

TEST_CASE("pipeline tests: a job of a configuration", "[pipeline_test]") {
  const TempDir dir;
  std::ofstream(dir.path() + "/agent.yaml")
      << "clients: [{url: 'http://${LOKI:-loki}/loki/api/v1/push'}]\n"
         "scrape_configs:\n"
         "  - job_name: web\n"
         "    static_configs: [{labels: {app: web, __path__: /x, zone: a}}]\n"
         "    pipeline_stages: [{static_labels: {stage: web}}]\n"
         "  - job_name: bare\n"
         "    static_configs: [{labels: {__path__: /y}}]\n";
  std::ofstream(dir.path() + "/wrong.yaml") << "scrape_configs: []\nclents: []\n";
  const std::string path = dir.path() + "/t.yaml";
  const std::string head = "config: agent.yaml\nexpand_env: true\ntests:\n  - name: n\n";

  CHECK(RunText(head + "    job: web\n    labels: {zone: b, filename: /x}\n    lines: [l]\n"
                       "    entries: [{line: l, labels: {app: web, stage: web, zone: b, "
                       "filename: /x}}]\n",
                {}, path) == kOnePassed);
  CHECK(RunText(head + "    job: bare\n    lines: [l]\n    entries: [{line: l}]\n", {}, path) ==
        kOnePassed);
  CHECK(RunText(head + "    lines: [l]\n", {}, path).find("which job? agent.yaml has 2") !=
        std::string::npos);
  CHECK(RunText(head + "    job: wep\n", {}, path).find("did you mean 'web'?") !=
        std::string::npos);
  CHECK(RunText("config: wrong.yaml\ntests:\n  - {name: n, entries: []}\n", {}, path)
            .find("wrong.yaml:2:1: unknown key 'clents'") != std::string::npos);
  CHECK(RunText(head + "    pipeline_stages: []\n    lines: [l]\n    entries: [{line: l}]\n", {},
                path) == kOnePassed);
}

}  // namespace agent
