#include <string>

#include <catch2/catch.hpp>

#include "tests/agent/config/load.h"

namespace agent {
namespace {

LoadedConfig LoadRule(const std::string& rule) {
  return LoadText(kClients + "scrape_configs:\n- job_name: j\n  static_configs: [{}]\n" +
                  "  relabel_configs:\n  - " + rule + "\n");
}

TEST_CASE("relabel rules: the defaults are Promtail's", "[config][relabel]") {
  const LoadedConfig loaded = LoadRule("{target_label: a}");
  REQUIRE(Errors(loaded).empty());
  RelabelRule want;
  want.target_label = "a";
  CHECK(loaded.config.scrape_configs.at(0).relabel_configs.at(0) == want);
}

TEST_CASE("relabel rules: every field is read, scalars as they are written", "[config][relabel]") {
  const LoadedConfig loaded = LoadRule(
      "{source_labels: [a, b], separator: '', regex: true, target_label: 'x_$1', replacement: 5, "
      "action: REPLACE}");
  REQUIRE(Errors(loaded).empty());
  const RelabelRule& rule = loaded.config.scrape_configs.at(0).relabel_configs.at(0);
  CHECK(rule.source_labels == std::vector<std::string>{"a", "b"});
  CHECK(rule.separator.empty());
  CHECK(rule.regex == "true");
  CHECK(rule.target_label == "x_$1");
  CHECK(rule.replacement == "5");
  CHECK(rule.action == RelabelAction::kReplace);
}

TEST_CASE("relabel rules: an empty expression is not the default one", "[config][relabel]") {
  const LoadedConfig loaded = LoadRule("{regex: '', action: drop}");
  CHECK(loaded.config.scrape_configs.at(0).relabel_configs.at(0).regex.empty());
}

TEST_CASE("relabel rules: all actions are known", "[config][relabel]") {
  const auto* rule =
      GENERATE("{action: keep, source_labels: [a]}", "{action: Drop, source_labels: [a], regex: x}",
               "{action: keepequal, source_labels: [a], target_label: b}",
               "{action: dropequal, source_labels: [a], target_label: b}",
               "{action: hashmod, source_labels: [a], target_label: b, modulus: 8}",
               "{action: labelmap, regex: 'x_(.+)'}",
               "{action: labelmap, regex: 'x_(.+)', replacement: 'y_${1}_z'}",
               "{action: labeldrop, regex: x}", "{action: labelkeep, regex: x}",
               "{action: lowercase, source_labels: [a], target_label: b}",
               "{action: uppercase, source_labels: [a], target_label: b}",
               "{source_labels: [a], target_label: '${1}'}", "{regex: '(?<n>x)', target_label: b}");
  INFO(rule);
  CHECK(Errors(LoadRule(rule)).empty());
}

TEST_CASE("relabel rules: what an action needs or forbids", "[config][relabel]") {
  struct Case {
    std::string rule;
    std::string want;
  };
  const auto c = GENERATE(values<Case>({
      {"{action: replce, target_label: a}",
       ".action: unknown relabel action \"replce\"; did you mean 'replace'?"},
      {"{source_labels: [a]}", ": action replace requires target_label"},
      {"{target_label: a-b}",
       ".target_label: 'a-b' is not a valid label name for action replace; letters, digits and '_' "
       "only, "
       "and no digit first"},
      {"{source_labels: [a-b], target_label: a}",
       ".source_labels: 'a-b' is not a valid label name"},
      {"{action: hashmod, target_label: a}", ": action hashmod requires modulus above 0"},
      {"{action: hashmod, modulus: 5}", ": action hashmod requires target_label"},
      {"{action: hashmod, modulus: 5, target_label: '$1'}",
       ".target_label: '$1' is not a valid label name for action hashmod; letters, digits and '_' "
       "only, "
       "and no digit first"},
      {"{action: lowercase}", ": action lowercase requires target_label"},
      {"{action: lowercase, target_label: a, replacement: x}",
       ".replacement: replacement has no meaning for action lowercase; leave it out"},
      {"{action: keepequal}", ": action keepequal requires target_label"},
      {"{action: keepequal, target_label: a, regex: x}",
       ".regex: regex has no meaning for action keepequal; leave it out"},
      {"{action: dropequal, target_label: a, separator: x}",
       ".separator: separator has no meaning for action dropequal; leave it out"},
      {"{action: labeldrop, regex: x, source_labels: [a]}",
       ".source_labels: source_labels has no meaning for action labeldrop; leave it out"},
      {"{action: labelkeep, regex: x, target_label: a}",
       ".target_label: target_label has no meaning for action labelkeep; leave it out"},
      {"{action: labelmap, replacement: 'a-b'}",
       ".replacement: 'a-b' makes no label name for labelmap"},
      {"{target_label: a, modulus: -1}", ".modulus: expected at least 0, got -1"},
      {"{target_label: a, regx: x}", ": unknown key 'regx'; did you mean 'regex'?"},
      {"", ": empty or null relabeling rule"},
  }));
  INFO(c.rule);

  const std::string errors = Errors(LoadRule(c.rule));

  CHECK(errors.substr(std::min(errors.size(), errors.find(' ') + 1)) ==
        "scrape_configs[0].relabel_configs[0]" + c.want);
}

TEST_CASE("relabel rules: an expression that Go refuses is an error", "[config][relabel]") {
  const std::string errors = Errors(LoadRule("{regex: '(a', target_label: b}"));
  CHECK(errors.find("scrape_configs[0].relabel_configs[0].regex") != std::string::npos);
}

TEST_CASE("relabel rules: a group that runs into text is warned of", "[config][relabel]") {
  CHECK(Warnings(LoadRule("{target_label: a, replacement: 'x$1abc'}")) ==
        "6:36 scrape_configs[0].relabel_configs[0].replacement: '$1abc' means a group called "
        "'1abc' and "
        "is always empty; write ${1}abc");
  CHECK(Warnings(LoadRule("{target_label: a, replacement: '$1-${2}x'}")).empty());
}

}  // namespace
}  // namespace agent
