#include "agent/pipeline_test/update_file.h"

#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <iterator>
#include <string>

#include <catch2/catch.hpp>

#include "tests/agent/pipeline_test/run_text.h"
#include "tests/support/temp_dir.h"

namespace agent {
namespace {

// The text that is made, or the error.
std::string Update(const std::string& text, Unmentioned unmentioned = Unmentioned::kIgnored) {
  const PipelineTestFile file = Parse(text);
  INFO(file.problems.Format(/*color=*/false));
  REQUIRE_FALSE(file.problems.has_errors());
  RunFileOptions options;
  options.unmentioned = unmentioned;
  const Result<FileRun> run = UpdateTestFile(file, options, NoEnvironment());
  if (!run.ok()) return run.error().message;
  return run->new_text.empty() ? text : run->new_text;
}

}  // namespace

TEST_CASE("pipeline tests: an update changes what is wrong, and nothing else", "[pipeline_test]") {
  const std::string before =
      "# The head stays.\n"
      "tests:\n"
      "  # Above the first.\n"
      "  - name: first  # its name\n"
      "    pipeline_stages:\n"
      "      - labels: {app: }   # as it is\n"
      "    labels: {app: web}\n"
      "    lines: [a, 'b \"quoted\"', c]\n"
      "\n"
      "    entries:  # what comes out\n"
      "      # The first is right.\n"
      "      - line:   a\n"
      "        labels: {  app: web}\n"
      "      # The second is not.\n"
      "      - line: x\n"
      "        extracted: {}  # nothing\n"
      "      - {line: c, labels: {app: web}}\n"
      "      - line: too many\n"
      "\n"
      "  # Above the second.\n"
      "  - name: second\n"
      "    pipeline_stages: []\n"
      "    lines: [z]\n"
      "    entries: [{line: z}]  # right\n"
      "# The foot stays.\n";
  const std::string after =
      "# The head stays.\n"
      "tests:\n"
      "  # Above the first.\n"
      "  - name: first  # its name\n"
      "    pipeline_stages:\n"
      "      - labels: {app: }   # as it is\n"
      "    labels: {app: web}\n"
      "    lines: [a, 'b \"quoted\"', c]\n"
      "\n"
      "    entries:  # what comes out\n"
      "      # The first is right.\n"
      "      - line:   a\n"
      "        labels: {  app: web}\n"
      "      # The second is not.\n"
      "      - line: 'b \"quoted\"'\n"
      "        labels: {app: \"web\"}\n"
      "        extracted: {}\n"
      "      - {line: c, labels: {app: web}}\n"
      "\n"
      "  # Above the second.\n"
      "  - name: second\n"
      "    pipeline_stages: []\n"
      "    lines: [z]\n"
      "    entries: [{line: z}]  # right\n"
      "# The foot stays.\n";

  CHECK(Update(before) == after);
  CHECK(Update(after) == after);
}

TEST_CASE("pipeline tests: an update of metrics keeps those that are right", "[pipeline_test]") {
  const std::string stages =
      "tests:\n"
      "  - name: n\n"
      "    pipeline_stages:\n"
      "      - metrics:\n"
      "          seen: {type: Counter, config: {match_all: true, action: inc}}\n"
      "          bytes: {type: Counter, config: {match_all: true, count_entry_bytes: true, "
      "action: add}}\n"
      "      - drop: {expression: b}\n"
      "    lines: [a, b]\n"
      "    entries: [{line: a}]\n";

  CHECK(Update(stages + "    metrics:  # counted\n"
                        "      # of all\n"
                        "      promtail_custom_seen: 2.0\n"
                        "      promtail_custom_bytes: 3  # wrong\n"
                        "      promtail_custom_gone: 1\n") ==
        stages +
            "    metrics:  # counted\n"
            "      # of all\n"
            "      promtail_custom_seen: 2.0\n"
            "      \"promtail_custom_bytes\": 2\n"
            "      'logentry_dropped_lines_total{reason=\"drop_stage\"}': 1\n");
}

TEST_CASE("pipeline tests: an update writes flow lists and empty lists", "[pipeline_test]") {
  const std::string head =
      "tests:\n  - name: n\n    pipeline_stages: [{drop: {expression: b}}]\n    lines: [a, b]\n";

  CHECK(Update(head + "    entries: [{line: x}, {line: y}]  # two\n") ==
        head + "    entries:  # two\n      - line: \"a\"\n        labels: {}\n");
  CHECK(Update(head + "    entries:\n      [{line: x},\n       {line: y}]\n    metrics: {}\n") ==
        head +
            "    entries:\n      - line: \"a\"\n        labels: {}\n    metrics:\n"
            "      'logentry_dropped_lines_total{reason=\"drop_stage\"}': 1\n");
  CHECK(Update("tests:\n  - entries:\n      - line: x\n    name: n\n    pipeline_stages: []\n") ==
        "tests:\n  - entries: []\n    name: n\n    pipeline_stages: []\n");
}

TEST_CASE("pipeline tests: an update writes the expectations of a test that has none",
          "[pipeline_test]") {
  const std::string head =
      "tests:\n"
      "  - name: n\n"
      "    pipeline_stages: [{cri: {}}, {structured_metadata: {flags: }}]\n"
      "    lines: ['2023-05-06T00:00:01Z stdout F it''s \"x\"']\n";

  CHECK(Update(head + "\n# end\n") == head +
                                          "    entries:\n"
                                          "      - line: \"it's \\\"x\\\"\"\n"
                                          "        timestamp: \"2023-05-06T00:00:01Z\"\n"
                                          "        labels: {stream: \"stdout\"}\n"
                                          "        structured_metadata: {flags: \"F\"}\n"
                                          "\n# end\n");
  CHECK(Update(head, Unmentioned::kForbidden).find("content: ") != std::string::npos);
}

TEST_CASE("pipeline tests: every value survives being written", "[pipeline_test]") {
  const std::string updated = Update(
      "tests:\n"
      "  - name: n\n"
      "    pipeline_stages:\n"
      "      - json: {expressions: {'y': a, 'null': b, 'a-b': '\"c\"', d: d, e: e, f: f}}\n"
      "    lines: [\"{\\\"a\\\":\\\"\\\\u0000\\\\t\\\\u2028 \\\",\\\"b\\\":\\\"12\\\",\\\"c\\\":"
      "1e-7,\\\"d\\\":true,\\\"e\\\":null,\\\"f\\\":\\\"\\\"}\"]\n"
      "    entries:\n"
      "      - line: x\n"
      "        extracted: {}\n");

  CHECK(updated.find("extracted: {\"a-b\": 0.0000001, d: true, e: null, f: \"\", \"null\": \"12\", "
                     "\"y\": \"\\x00\\t\\u2028 \"}") != std::string::npos);
  CHECK(RunText(updated) == "1 test in 1 file: 1 passed\n");
}

TEST_CASE("pipeline tests: what cannot be updated in place is refused", "[pipeline_test]") {
  CHECK(Update("tests:\n  - {name: n, pipeline_stages: [], lines: [a], entries: []}\n") ==
        "t.yaml:2: cannot be updated: it is written as {...}: give its keys rows of their own");
  CHECK(Update("tests:\n"
               "  - &base\n"
               "    name: n\n"
               "    pipeline_stages: []\n"
               "    lines: [a]\n"
               "    entries: [{line: a}]\n"
               "  - <<: *base\n"
               "    name: m\n"
               "    lines: [b]\n") ==
        "t.yaml:7: cannot be updated: its 'entries' do not begin a row of their own");
}

TEST_CASE("pipeline tests: what YAML cannot say is not written", "[pipeline_test]") {
  // The template makes a byte that is no UTF-8 of its own.
  CHECK(Update("tests:\n"
               "  - name: n\n"
               "    pipeline_stages:\n"
               "      - template: {source: x, template: '{{ b64dec \"/w==\" }}'}\n"
               "      - output: {source: x}\n"
               "    lines: [a]\n"
               "    entries: []\n")
            .find("cannot be updated: what came out cannot be written") != std::string::npos);
}

TEST_CASE("pipeline tests: line ends stay as they are", "[pipeline_test]") {
  CHECK(Update("tests:\r\n  - name: n\r\n    pipeline_stages: []\r\n    lines: [a]\r\n"
               "    entries:\r\n      - line: b\r\n") ==
        "tests:\r\n  - name: n\r\n    pipeline_stages: []\r\n    lines: [a]\r\n"
        "    entries:\r\n      - line: \"a\"\r\n        labels: {}\r\n");
  CHECK(Update("tests:\n  - name: n\n    pipeline_stages: []\n    lines: [a]\n    entries: []") ==
        "tests:\n  - name: n\n    pipeline_stages: []\n    lines: [a]\n    entries:\n"
        "      - line: \"a\"\n        labels: {}");
}

TEST_CASE("pipeline tests: a file is replaced with its permissions, behind a link",
          "[pipeline_test]") {
  const TempDir dir;
  const std::string path = dir.path() + "/t.yaml";
  const std::string link = dir.path() + "/link.yaml";
  std::ofstream(path) << "before";
  REQUIRE(::chmod(path.c_str(), 0640) == 0);
  REQUIRE(::symlink("t.yaml", link.c_str()) == 0);

  REQUIRE(WriteTestFile(link, "after").ok());

  std::ifstream file(path);
  CHECK(std::string(std::istreambuf_iterator<char>(file), {}) == "after");
  struct stat info {};
  REQUIRE(::lstat(link.c_str(), &info) == 0);
  CHECK(S_ISLNK(info.st_mode));
  REQUIRE(::stat(path.c_str(), &info) == 0);
  CHECK((info.st_mode & 0777U) == 0640U);
}

}  // namespace agent
