#include "agent/config/lint.h"

#include <string>

#include <catch2/catch.hpp>

#include "agent/config/lint_text.h"
#include "tests/agent/config/load.h"

namespace agent {
namespace {

// Warnings about a list of stages.
std::string LintOf(const std::string& text) {
  Problems problems("f", text);
  const ConfigNode stages = LoadYaml(text, problems);
  REQUIRE_FALSE(problems.has_errors());
  LintStages(stages, "stages", problems);
  return Report(problems, Severity::kWarning);
}

TEST_CASE("lint: doubled backslashes outside of double quotes", "[config][lint]") {
  CHECK(
      LintOf("- regex:\n    expression: 'Loss: (?P<x>[\\\\d.]+)'\n") ==
      "2:31 stages[0].regex.expression: backslashes are doubled: this matches a backslash and the "
      "letter d; did you mean 'Loss: (?P<x>[\\d.]+)'?");
  CHECK_FALSE(LintOf("- regex: {expression: a\\\\s+b}\n").empty());
  CHECK_FALSE(LintOf("- regex:\n    expression: |\n      \\\\w+\n").empty());
  CHECK_FALSE(LintOf("- replace: {expression: '(\\\\d+)'}\n").empty());
  CHECK_FALSE(LintOf("- drop: {expression: '\\\\S+'}\n").empty());
  CHECK_FALSE(LintOf("- multiline: {firstline: '^\\\\d'}\n").empty());
  CHECK_FALSE(LintOf("- dedup: {ignore: '\\\\d+'}\n").empty());
  CHECK_FALSE(LintOf("- regex: {Expression: '\\\\d'}\n").empty());
  CHECK_FALSE(LintOf("- grok: {pattern: '%{INT:n}\\\\s+x'}\n").empty());
  CHECK_FALSE(LintOf("- grok: {match: '\\\\d'}\n").empty());
  CHECK(LintOf("- grok: {match: [a, '\\\\d']}\n").find("stages[0].grok.match[1]: ") !=
        std::string::npos);
  CHECK(LintOf("- match: {selector: '{a=\"b\"}', stages: [{regex: {expression: '\\\\d'}}]}\n")
            .find("stages[0].match.stages[0].regex.expression") != std::string::npos);
}

TEST_CASE("lint: backslashes that are right", "[config][lint]") {
  const auto* text =
      GENERATE("- regex: {expression: \"\\\\d+\"}\n", "- regex: {expression: '\\d+'}\n",
               "- regex: {expression: 'C:\\\\data\\\\(.*)'}\n",
               "- regex: {expression: 'a\\\\\\d'}\n", "- template: {template: '\\\\d'}\n",
               "- match: {selector: '{a=~\"\\\\d+\"}', action: drop}\n");
  INFO(text);
  CHECK(LintOf(text).empty());
}

TEST_CASE("lint: a selector's strings need two, and not four", "[config][lint]") {
  CHECK_FALSE(LintOf("- match: {selector: '{a=~\"\\\\\\\\d+\"}', action: drop}\n").empty());
}

TEST_CASE("lint: a replacement that repeats what is kept", "[config][lint]") {
  CHECK(
      LintOf("- replace:\n    expression: '\"user_id\":\\s*\"([^\"]+)\"'\n"
             "    replace: '\"user_id\":\"***REDACTED***\"'\n") ==
      "3:14 stages[0].replace.replace: only the group is replaced, the text around it stays: this "
      "gives \"user_id\":\"\"user_id\":\"***REDACTED***\"\"; did you mean replace: "
      "'***REDACTED***'?");

  struct Case {
    std::string expression;
    std::string replacement;
    std::string want;  // Empty: nothing to say.
  };
  const auto c = GENERATE(values<Case>({
      {"password=(\\S+)", "password=****", "****"},
      {"password=(\\S+)", "****", ""},
      {"(?i)token: ?(\\w+)", "token: x", "x"},
      {"\\d+ key=(\\w+);", "key=x;", "x"},
      {"(password=\\S+)", "password=****", ""},
      {"a=(\\w+) b=(\\w+)", "a=x", ""},
      {"user=(\\w+)", "{{ .Value }}", ""},
      {"user=(\\w+)", "user={{ .Value | Hash \"x\" }}", ""},
      {".*(\\d+)", "x", ""},
      {"", "", ""},
      {"(", "(", ""},
  }));
  INFO(c.expression << " " << c.replacement);
  const RepeatedText repeated = FindRepeatedText(c.expression, c.replacement);
  CHECK(repeated.found == !c.want.empty());
  CHECK(repeated.replacement == c.want);
}

TEST_CASE("lint: labels that have a new value with every line", "[config][lint]") {
  CHECK(LintOf("- labels:\n    trace_id:\n") ==
        "2:5 stages[0].labels: label 'trace_id' has a new value with nearly every line: each value "
        "is "
        "a stream of its own; leave it in the line, or use structured_metadata");
  for (const char* name : {"span_id", "request_id", "user_id", "session_id", "order_id", "uuid",
                           "ip", "timestamp", "loss", "latency_ms", "Trace_ID"}) {
    INFO(name);
    CHECK_FALSE(LintOf(std::string("- labels: {") + name + ": }\n").empty());
    CHECK_FALSE(LintOf(std::string("- labels: {x: ") + name + "}\n").empty());
  }
  for (const char* name : {"level", "logger", "status_code", "method", "gpu_id", "model_name",
                           "hostname", "job", "pod", "stream"}) {
    INFO(name);
    CHECK(LintOf(std::string("- labels: {") + name + ": }\n").empty());
  }
}

TEST_CASE("lint: a label that is a number", "[config][lint]") {
  CHECK(LintOf("- regex: {expression: 'Epoch (?P<epoch>\\d+) (?P<level>\\w+) (?P<code>\\d{3})'}\n"
               "- labels: {epoch: , level: , code: }\n") ==
        "2:12 stages[1].labels: label 'epoch' is a number: each value is a stream of its own; "
        "leave it "
        "in the line, or use structured_metadata");
  CHECK(NumericGroups("(?P<a>[\\d.]+) (?<b>-?[0-9]+\\.[0-9]*) (?P<c>.*) (\\d+) (?P<d>\\S+)") ==
        std::vector<std::string>{"a", "b"});
  CHECK(NumericGroups("(?P<x").empty());
}

TEST_CASE("lint: stages of odd shapes do no harm", "[config][lint]") {
  CHECK(LintOf("- regex\n- 5\n-\n- regex: x\n- regex: [a]\n- labels: {a: [b]}\n- replace: "
               "{expression: []}\n"
               "- match: {stages: x}\n- {}\n")
            .empty());
  CHECK(LintOf("{a: b}").empty());
}

TEST_CASE("lint: retries that end cost data", "[config][lint]") {
  CHECK(
      Warnings(LoadText("clients:\n- url: http://l/p\n  backoff_config:\n    max_retries: 10\n")) ==
      "4:18 clients[0].backoff_config.max_retries: after about 9 minutes of outage each batch is "
      "moved to the dead letter; leave max_retries out, or 0, to wait for the receiver for ever");
  CHECK(Warnings(LoadText("clients: [{url: http://l/p, backoff_config: {max_retries: 0}}]\n"))
            .empty());
  CHECK(Warnings(LoadText("", {"-client.url=http://l/p", "-client.max-retries=1"})) ==
        "0:0 -client.max-retries: after about 1 second of outage each batch is moved to the dead "
        "letter; leave max_retries out, or 0, to wait for the receiver for ever");
  CHECK(Warnings(
            LoadText("clients: [{url: http://l/p, backoff_config: {max_retries: 4000000000}}]\n"))
            .find(" hours of outage") != std::string::npos);
}

TEST_CASE("lint: a rate limit that is not switched on", "[config][lint]") {
  CHECK(Warnings(LoadText(kClients + "limits_config: {readline_rate: 5}\n")) ==
        "2:32 limits_config.readline_rate: has no effect without readline_rate_enabled: true");
  CHECK(Warnings(LoadText(kClients +
                          "limits_config: {readline_rate: 5, readline_rate_enabled: false}\n"))
            .empty());
  CHECK(Warnings(
            LoadText(kClients + "limits_config: {readline_rate: 5, readline_rate_enabled: true}\n"))
            .empty());
}

TEST_CASE("lint: variables stay as they are without -config.expand-env, said once",
          "[config][lint]") {
  CHECK(Warnings(LoadText("clients:\n- url: 'http://${HOST}/p'\n- url: 'http://${HOST:-x}/q'\n")) ==
        "2:16 : '${HOST}' stays as it is: environment expansion is off; start with "
        "-config.expand-env=true to put the variable's value there");
  CHECK(Warnings(LoadText(kClients +
                          "scrape_configs: [{job_name: j, static_configs: [{labels: {a: $x}}], "
                          "relabel_configs: [{target_label: a, replacement: '${name}'}]}]\n"))
            .empty());
}

TEST_CASE("lint: relabelling expressions too", "[config][lint]") {
  CHECK(Warnings(LoadText(kClients +
                          "scrape_configs: [{job_name: j, static_configs: [{}], relabel_configs: "
                          "[{target_label: a, regex: '(\\\\d+)'}]}]\n"))
            .find("relabel_configs[0].regex: backslashes are doubled") != std::string::npos);
}

}  // namespace
}  // namespace agent
