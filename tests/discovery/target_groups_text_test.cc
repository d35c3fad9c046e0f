#include "discovery/target_groups_text.h"

#include <string>

#include <catch2/catch.hpp>

namespace agent {
namespace {

// Addresses and labels of each group, one a line; or the error.
std::string Parse(const std::string& path, const std::string& text) {
  const auto groups = ParseTargetGroups(path, text);
  if (!groups.ok()) return groups.error().message;
  std::string out;
  for (const TargetGroupText& group : *groups) {
    for (const std::string& address : group.addresses)
      out += address + " ";
    out += FormatLabels(group.labels) + "\n";
  }
  return out;
}

TEST_CASE("target groups: YAML and JSON say the same", "[discovery][file_sd]") {
  const std::string want = "a b {__path__=\"/v/*.log\", job=\"web\"}\n{}\n";

  CHECK(Parse("t.yml",
              "- targets: [a, b]\n  labels:\n    job: web\n    __path__: /v/*.log\n- {}\n") ==
        want);
  CHECK(Parse("t.json", R"([{"targets": ["a", "b"],
	"labels": {"job": "web", "__path__": "\/v\/*.log"}}, {}])") == want);
  CHECK(
      Parse("t.yaml",
            R"([{"targets": ["a", "b"], "labels": {"job": "web", "__path__": "/v/*.log"}}, {}])") ==
      want);
}

TEST_CASE("target groups: JSON escapes are decoded", "[discovery][file_sd]") {
  CHECK(Parse("t.json", R"([{"targets": ["é😀"], "labels": {"a": "x\ty"}}])") ==
        "é😀 {a=\"x\\ty\"}\n");
}

TEST_CASE("target groups: no groups", "[discovery][file_sd]") {
  CHECK(Parse("t.yml", "").empty());
  CHECK(Parse("t.yml", "# nothing yet\n").empty());
  CHECK(Parse("t.yml", "[]").empty());
  CHECK(Parse("t.json", "[]").empty());
  CHECK(Parse("t.json", "null").empty());
}

TEST_CASE("target groups: what is wrong is told with its place", "[discovery][file_sd]") {
  struct Case {
    const char* path;
    const char* text;
    std::string want;
  };
  const auto c = GENERATE(values<Case>({
      {"t.yml", "targets: [a]", "t.yml:1:1: expected a list of {targets, labels}, got a map"},
      {"t.yml", "- targets: [a]\n  lables: {}\n",
       "t.yml:2:3: [0]: unknown key 'lables'; did you mean 'labels'?"},
      {"t.yml", "- targets: [a]\n-\n", "t.yml:2:1: [1]: nil target group item found"},
      {"t.yml", "- targets: a\n", "t.yml:1:12: [0].targets: expected a list of strings"},
      {"t.yml", "- labels: {a-b: c}\n", "'a-b' is not a label name"},
      {"t.yml", "- targets: [a\n", "t.yml:2:1: "},
      {"t.json", "", "t.json: "},
      {"t.json", "[{\"targets\": [\"a\"]}", "t.json: "},
      {"t.json", "{}", "t.json: expected a list of {targets, labels}"},
      {"t.json", "[1]", "t.json: [0]: expected {targets, labels}"},
      {"t.json", "[null]", "t.json: [0]: nil target group item found"},
      {"t.json", R"([{"target": []}])", "t.json: [0]: unknown key 'target'"},
      {"t.json", R"([{"targets": "a"}])", "t.json: [0].targets: expected a list of strings"},
      {"t.json", R"([{}, {"targets": ["a", 1]}])", "t.json: [1].targets[1]: expected a string"},
      {"t.json", R"([{"labels": {"a": 1}}])", "t.json: [0].labels.a: expected a string"},
      {"t.json", R"([{"labels": []}])", "t.json: [0].labels: expected a map of names"},
      {"t.json", R"([{"labels": {"": "x"}}])", "t.json: [0].labels: '' is not a label name"},
  }));
  INFO(c.text);

  CHECK_THAT(Parse(c.path, c.text), Catch::Contains(c.want));
}

}  // namespace
}  // namespace agent
