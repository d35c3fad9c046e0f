#include "agent/modes/inspect/inspector.h"

#include <cstdlib>
#include <string>

#include <catch2/catch.hpp>

#include "agent/modes/inspect/trace_text.h"
#include "tests/agent/modes/inspect/story_teller.h"

namespace agent {
namespace {

TraceFormat TextFormat(const TraceTextOptions& options = {}) {
  ::setenv("TZ", "UTC", 1);  // NOLINT(concurrency-mt-unsafe): one thread.
  return [options](const EntryTrace& trace) { return FormatTraceText(trace, options); };
}

std::string Tell(const std::string& stages, const std::string& lines) {
  StoryTeller teller(stages, TextFormat());
  teller.Read(lines);
  return teller.Told();
}

}  // namespace

TEST_CASE("inspect: every kind of change is told under its stage", "[inspect]") {
  const std::string told = Tell(
      "- json: {expressions: {level: , code: , gone: , ts: }}\n"
      "- timestamp: {source: ts, format: RFC3339}\n"
      "- labels: {level: }\n"
      "- structured_metadata: {code: }\n"
      "- template: {source: level, template: 'x{{ .Value }}'}\n"
      "- labeldrop: [job]\n"
      "- output: {source: level}\n",
      "{\"level\":\"info\",\"code\":503,\"ts\":\"2023-05-06T07:08:09Z\"}\n");

  CHECK(told ==
        "\n== /var/log/app.log:1, offset 0 (job web)\n"
        "   {\"level\":\"info\",\"code\":503,\"ts\":\"2023-05-06T07:08:09Z\"}\n"
        "   {job=\"web\"}\n"
        "   0.json           + extracted code 503\n"
        "                    + extracted gone null\n"
        "                    + extracted level \"info\"\n"
        "                    + extracted ts \"2023-05-06T07:08:09Z\"\n"
        "   1.timestamp      + time 2023-05-06T07:08:09+0000\n"
        "   2.labels         + label level=\"info\"\n"
        "   3.structured_metadata\n"
        "                    + metadata code=\"503\"\n"
        "   4.template       ~ extracted level \"info\" -> \"xinfo\"\n"
        "   5.labeldrop      - label job=\"web\"\n"
        "   6.output         + line xinfo\n"
        "ENTRY xinfo\n");
}

TEST_CASE("inspect: integers have all their digits", "[inspect]") {
  const std::string told =
      Tell("- json: {expressions: {id: }}\n- convert: {id: int}\n", "{\"id\":9007199254740993}\n");

  CHECK(told.find("   1.convert        ~ extracted id 9007199254740992 -> 9007199254740993\n") !=
        std::string::npos);
}

TEST_CASE("inspect: what a stage cannot handle is told under it, nested stages too", "[inspect]") {
  const std::string told = Tell(
      "- json: {expressions: {ts: }}\n"
      "- match: {selector: '{job=\"web\"}', stages: [{timestamp: {source: ts, format: "
      "RFC3339}}]}\n",
      "{\"ts\":\"soon\"}\nno json\n");

  CHECK(told.find("   1.match > 0.timestamp\n"
                  "                    ! the value fits no format\n") != std::string::npos);
  CHECK(told.find("   0.json           ! the text is no JSON object\n"
                  "   1.match > 0.timestamp\n"
                  "                    ! there is no value to read the time from\n") !=
        std::string::npos);
}

TEST_CASE("inspect: a dropped entry tells where and why, before the entries behind it",
          "[inspect]") {
  const std::string told = Tell(
      "- static_labels: {a: b}\n"
      "- drop: {expression: noise, drop_counter_reason: boring}\n",
      "one\nnoise\ntwo\n");

  CHECK(told.find("ENTRY one\n\n== /var/log/app.log:2, offset 4 (job web)\n"
                  "   noise\n"
                  "   {job=\"web\"}\n"
                  "   0.static_labels  + label a=\"b\"\n"
                  "   1.drop           dropped (boring)\n"
                  "\n== /var/log/app.log:3") != std::string::npos);
}

TEST_CASE("inspect: stages that did nothing share a row", "[inspect]") {
  const std::string told = Tell(
      "- regex: {expression: 'x=(?P<x>.)'}\n"
      "- labels: {x: }\n"
      "- match: {selector: '{job=\"other\"}', stages: [{static_labels: {a: b}}]}\n"
      "- drop: {expression: nothing}\n",
      "plain\n");

  CHECK(told ==
        "\n== /var/log/app.log:1, offset 0 (job web)\n"
        "   plain\n"
        "   {job=\"web\"}\n"
        "   0.regex, 1.labels: unchanged\n"
        "   2.match: not selected\n"
        "   3.drop: unchanged\n"
        "ENTRY plain\n");
}

TEST_CASE("inspect: the stages in a match are told under their own path", "[inspect]") {
  const std::string told = Tell(
      "- template: {source: job, template: 'tmp'}\n"
      "- match:\n"
      "    selector: '{job=\"web\"}'\n"
      "    stages:\n"
      "      - regex: {expression: 'x=(?P<x>.)'}\n"
      "      - match:\n"
      "          selector: '{job=\"web\"} |= \"drop\"'\n"
      "          stages: [{drop: {source: x, drop_counter_reason: deep}}]\n",
      "x=1\nx=2 drop\n");

  CHECK(told ==
        "\n== /var/log/app.log:1, offset 0 (job web)\n"
        "   x=1\n"
        "   {job=\"web\"}\n"
        "   0.template       ~ extracted job \"web\" -> \"tmp\"\n"
        "   1.match          ~ extracted job \"tmp\" -> \"web\"\n"
        "   1.match > 0.regex\n"
        "                    + extracted x \"1\"\n"
        "   1.match > 1.match: not selected\n"
        "ENTRY x=1\n"
        "\n== /var/log/app.log:2, offset 4 (job web)\n"
        "   x=2 drop\n"
        "   {job=\"web\"}\n"
        "   0.template       ~ extracted job \"web\" -> \"tmp\"\n"
        "   1.match          ~ extracted job \"tmp\" -> \"web\"\n"
        "   1.match > 0.regex\n"
        "                    + extracted x \"2\"\n"
        "   1.match > 1.match > 0.drop\n"
        "                    dropped (deep)\n");
}

TEST_CASE("inspect: the pieces of a line are told where they wait and where they are joined",
          "[inspect]") {
  StoryTeller teller("- cri: {}\n", TextFormat());

  teller.Read(
      "2023-05-06T00:00:01Z stdout P one-\n"
      "2023-05-06T00:00:02Z stderr F other\n");
  const std::string first = teller.Told();
  teller.Read("2023-05-06T00:00:03Z stdout F two\n");
  const std::string second = teller.Told();

  CHECK(first.find("kept back: waits for the rest of the line\n\n== ") != std::string::npos);
  CHECK(first.ends_with("ENTRY other\n"));
  CHECK(second.find("== /var/log/app.log:3, offset 71 (job web)\n"
                    "   2023-05-06T00:00:03Z stdout F two\n"
                    "   {job=\"web\"}\n"
                    "   0.cri            joined with 1 line kept back before: 1\n"
                    "                    + line one-two\n") != std::string::npos);
  CHECK(second.ends_with("ENTRY one-two\n"));
}

TEST_CASE("inspect: what comes out of a stage later says of which lines it is, and why now",
          "[inspect]") {
  StoryTeller teller(
      "- match: {selector: '{job=\"web\"}', stages: [{cri: {}}]}\n- static_labels: {a: b}\n",
      TextFormat());

  teller.Read("2023-05-06T00:00:01Z stdout P one-\n2023-05-06T00:00:02Z stdout P two\n");
  CHECK(teller.Told().find("kept back") != std::string::npos);
  teller.Flush(FlushReason::kEnd);

  CHECK(teller.Told() ==
        "\n== /var/log/app.log:1-2, offset 0 (job web)\n"
        "   one-two\n"
        "   {job=\"web\", stream=\"stdout\"}\n"
        "   0.match > 0.cri  comes out, 2 lines: the input has ended\n"
        "   1.static_labels  + label a=\"b\"\n"
        "ENTRY one-two\n");
}

TEST_CASE("inspect: lines that become part of an entry say so, and the entry says which",
          "[inspect]") {
  StoryTeller teller("- multiline: {firstline: '^>'}\n", TextFormat());

  teller.Read("> 1\n  a\n  b\n> 2\n  c\n");
  const std::string first = teller.Told();
  teller.Read("  d\n");
  const std::string second = teller.Told();
  teller.Flush(FlushReason::kEnd);

  CHECK(
      first.starts_with("\n== /var/log/app.log:1-3, offset 0 (job web)\n"
                        "   > 1\n"
                        "   {job=\"web\"}\n"
                        "   0.multiline      joined with 2 lines: 2-3\n"));
  CHECK(first.find("\n== /var/log/app.log:2, offset 4 (job web)\n"
                   "     a\n"
                   "   {job=\"web\"}\n"
                   "   0.multiline      becomes part of line 1\n") != std::string::npos);
  CHECK(first.find("kept back: waits for more lines of its entry\n") != std::string::npos);
  CHECK(second.find("kept back: waits for more lines of its entry\n") != std::string::npos);
  CHECK_THAT(teller.Told(), Catch::StartsWith("\n== /var/log/app.log:4-6, offset 12 (job web)\n"));
}

TEST_CASE("inspect: lines are numbered only where the file was read from its beginning",
          "[inspect]") {
  StoryTeller teller("[]", TextFormat());

  teller.StartAt(100);
  teller.Read("one\n");

  CHECK(teller.Told().starts_with("\n== /var/log/app.log, offset 100 (job web)\n"));
}

TEST_CASE("inspect: entries over the rate limit are told as dropped", "[inspect]") {
  StoryTeller teller("[]", TextFormat());

  teller.Read("one\ntwo\n", /*passed=*/1);

  const std::string told = teller.Told();
  CHECK(told.find("ENTRY one\n\n== /var/log/app.log:2") != std::string::npos);
  CHECK(told.ends_with("   dropped: over limits_config.readline_rate\n"));
}

TEST_CASE("inspect: what limits on labels do behind the stages is told", "[inspect]") {
  StoryTeller teller("- static_labels: {a: b}\n", TextFormat());
  teller.AfterStages([](Block& block) { block.AddMetadata(0, "user", "ann"); });

  teller.Read("one\n");

  CHECK(teller.Told().find("   0.static_labels  + label a=\"b\"\n"
                           "   limits_config    + metadata user=\"ann\"\n"
                           "ENTRY one\n") != std::string::npos);
}

TEST_CASE("inspect: no row is wider than the terminal", "[inspect]") {
  std::string line = "{\"message\":\"" + std::string(300, 'x') + " ann@example.com " +
                     std::string(300, 'y') + "\",\"" + std::string(70, 'k') + "\":1}\n";
  const std::string told = Tell(
      "- json: {expressions: {message: , '" + std::string(70, 'k') + "': }}\n" +
          "- replace: {expression: '(\\S+@\\S+)', replace: '***'}\n" + "- labels: {message: }\n" +
          "- regex: {expression: 'a'}\n- regex: {expression: 'a'}\n- regex: {expression: 'a'}\n" +
          "- regex: {expression: 'a'}\n- regex: {expression: 'a'}\n- regex: {expression: 'a'}\n" +
          "- regex: {expression: 'a'}\n- regex: {expression: 'a'}\n- regex: {expression: 'a'}\n",
      line);

  CHECK(told.find("ann@example.com") != std::string::npos);
  std::size_t begin = 0;
  while (begin < told.find("ENTRY")) {
    const std::size_t end = told.find('\n', begin);
    INFO(told.substr(begin, end - begin));
    CHECK(end - begin <= 80);
    begin = end + 1;
  }
}

TEST_CASE("inspect: there are colours only when they are asked for", "[inspect]") {
  const std::string stages = "- labels: {job: }\n- drop: {expression: x}\n";
  TraceTextOptions colors;
  colors.color = true;
  StoryTeller colored(stages, TextFormat(colors));

  colored.Read("x\n");

  CHECK(Tell(stages, "x\n").find('\x1b') == std::string::npos);
  CHECK(colored.Told().find("\x1b[1;31mdropped (drop_stage)\x1b[0m") != std::string::npos);
}

TEST_CASE("inspect: where nothing else shows the entry it is told as well", "[inspect]") {
  TraceTextOptions options;
  options.with_entry = true;
  StoryTeller teller("[]", TextFormat(options));

  teller.Read("one\n");

  CHECK(teller.Told().find("\n2026-01-02T03:04:05+0000\t{job=\"web\"}\tone\nENTRY one\n") !=
        std::string::npos);
}

}  // namespace agent
