#include <filesystem>
#include <fstream>
#include <string>

#include "pipeline/stages/stages.h"
#include "tests/pipeline/stages/counted.h"
#include "tests/pipeline/stages/stage_fixture.h"
#include "tests/support/temp_dir.h"

namespace agent {
namespace {

std::string WriteFile(const TempDir& dir, const std::string& name, std::string_view text) {
  std::string path = dir.path() + "/" + name;
  std::ofstream(path) << text;
  return path;
}

TEST_CASE("grok: values have the type that the pattern says", "[stages][grok]") {
  StageFixture stage(MakeGrokStage,
                     "pattern: '%{INT:i:int} %{NUMBER:f:float} %{WORD:b:bool} %{WORD:s}'",
                     {"i", "f", "b", "s"});
  const EntryIndex entry = stage.Add("9007199254740993 2 true x");

  stage.Run();

  CHECK(stage.ValueOf(entry, "i").type() == ValueType::kInteger);
  CHECK(stage.ValueOf(entry, "i").integer() == 9007199254740993);
  CHECK(stage.ValueOf(entry, "f").type() == ValueType::kNumber);
  CHECK(stage.ValueOf(entry, "b").type() == ValueType::kBool);
  CHECK(stage.ValueOf(entry, "s").is_string());
}

TEST_CASE("grok: lines without a match and values that do not fit are counted", "[stages][grok]") {
  StageFixture stage(MakeGrokStage, "{pattern: 'n=%{NOTSPACE:n:int}'}", {"n"});
  stage.Add("n=1");
  const EntryIndex unfit = stage.Add("n=x");
  stage.Add("nothing");

  stage.Run();

  CHECK(stage.Extracted(unfit, "n") == "x");
  CHECK(Failures(stage.counters) == "no_match 1, type 1");
}

TEST_CASE("grok: only what somebody reads is captured", "[stages][grok]") {
  StageFixture stage(MakeGrokStage, "{pattern: '%{WORD:a} %{WORD:b}', tag_on_failure: bad}", {"b"});
  const EntryIndex entry = stage.Add("one two");
  const EntryIndex none = stage.Add("-");

  stage.Run();

  CHECK(stage.Extracted(entry, "a") == "-");
  CHECK(stage.Extracted(entry, "b") == "two");
  CHECK(stage.Extracted(none, "bad") == "-");
}

TEST_CASE("grok: a tag alone is reason enough to match", "[stages][grok]") {
  StageFixture stage(MakeGrokStage, "{pattern: '%{INT:a}', tag_on_failure: bad}", {"bad"});
  const EntryIndex good = stage.Add("1");
  const EntryIndex bad = stage.Add("x");

  stage.Run();

  CHECK(stage.Extracted(good, "bad") == "-");
  CHECK(stage.Extracted(bad, "bad") == "true");
}

TEST_CASE("grok: bytes that are no UTF-8 are captured as they are", "[stages][grok]") {
  StageFixture stage(MakeGrokStage, "{pattern: 'a=%{NOTSPACE:a} %{GREEDYDATA:rest}'}",
                     {"a", "rest"});
  const EntryIndex entry = stage.Add("\xff a=\xfe\xc3 \x80!");

  stage.Run();

  CHECK(stage.Extracted(entry, "a") == "\xfe\xc3");
  CHECK(stage.Extracted(entry, "rest") == "\x80!");
}

TEST_CASE("grok: patterns come from files", "[stages][grok]") {
  const TempDir dir;
  const std::string one = WriteFile(dir, "a.grok", "# jobs\nJOB job-%{INT:number}\n");
  WriteFile(dir, "b.grok", "STATE (?>up|down)\n");
  StageFixture stage(
      MakeGrokStage,
      "{pattern_files: [" + dir.path() + "/*.grok], pattern: '%{JOB} %{STATE:state}'}",
      {"number", "state"});
  INFO(stage.problems());
  REQUIRE(stage.built());
  const EntryIndex entry = stage.Add("job-7 down");

  stage.Run();

  CHECK(stage.Extracted(entry, "number") == "7");
  CHECK(stage.Extracted(entry, "state") == "down");
}

TEST_CASE("grok: what is wrong is reported", "[stages][grok]") {
  struct Case {
    const char* yaml;
    const char* want;
  };
  const auto c = GENERATE(values<Case>({
      {"{}", "stages[0].stage: needs an expression; pattern: '"},
      {"{match: []}", "needs an expression"},
      {"{pattern: ''}", "pattern: expected an expression, got an empty text"},
      {"{pattern: 5}", "pattern: expected an expression, got a number"},
      {"{pattern: a, match: b}", "'pattern' and 'match' exclude each other"},
      {"{match: {message: a}}", "name the extracted value in 'source'"},
      {"{match: [a, [b]]}", "match[1]: expected an expression, got a list"},
      {"{match: ['%{WORD}', '%{WROD}']}", "match[1]: unknown pattern 'WROD'; did you mean 'WORD'?"},
      {"{pattern: '%{JBO}', patterns: {JOB: x}}", "did you mean 'JOB'?"},
      {"{pattern: '%{A}', patterns: {A: 'x%{B}', B: '%{A}'}}",
       "patterns.B: pattern 'A' refers to itself: A > B > A"},
      {"{pattern: '%{A}', patterns: {A: 'a(?=b)'}}", "patterns.A: unknown syntax after '(?'"},
      {"{pattern: 'a', patterns: {'A-B': x}}", "'A-B' is no name of a pattern"},
      {"{pattern: 'a', patterns: [x]}", "expected a map of names to strings"},
      {"{pattern: 'a', pattern_files: [/nowhere/*.grok]}",
       "pattern_files: /nowhere/*.grok: there is no such file"},
      {"{pattern: '%{WORD:x} %{WORD:x}'}", "field 'x' is captured twice"},
      {"{pattern: a, source: ''}", "empty source"},
      {"{pattern: a, tag_on_failure: {a: b}}", "tag_on_failure: expected a list"},
      {"{pattern: a, keep_empty_captures: 5}", "keep_empty_captures: expected true or false"},
  }));
  INFO(c.yaml);

  const StageFixture stage(MakeGrokStage, c.yaml);

  CHECK_FALSE(stage.built());
  CHECK_THAT(stage.problems(), Catch::Contains(c.want));
}

TEST_CASE("grok: a problem in a file of patterns is told with its line", "[stages][grok]") {
  const TempDir dir;
  const std::string path = WriteFile(dir, "a.grok", "A x\nB a(?=b)\n");
  const std::string twice = WriteFile(dir, "b.txt", "A x\nA y\n");

  const StageFixture look(MakeGrokStage, "{pattern: '%{B}', pattern_files: [" + path + "]}");
  const StageFixture again(MakeGrokStage, "{pattern: '%{A}', pattern_files: [" + twice + "]}");

  CHECK_THAT(look.problems(),
             Catch::Contains("pattern: " + path + ":2: pattern 'B': unknown syntax"));
  CHECK_THAT(again.problems(), Catch::Contains(twice + ":2: pattern 'A' is defined before"));
}

TEST_CASE("grok: a problem stands under the wrong part of the expression", "[stages][grok]") {
  const StageFixture stage(MakeGrokStage, "pattern: 'ab %{WROD:x} cd'");

  REQUIRE(stage.all_problems().all().size() == 1);
  const Place place = stage.all_problems().all()[0].place;
  CHECK(place.line == 1);
  CHECK(place.column == 16);  // Behind the quote, the text before it, and "%{".
  CHECK(place.length == 4);
}

TEST_CASE("grok: an unknown key is a warning", "[stages][grok]") {
  const StageFixture stage(MakeGrokStage, "{pattern: a, break_on_match: false}");

  CHECK(stage.built());
  CHECK_THAT(stage.problems(), Catch::Contains("unknown key 'break_on_match'"));
}

}  // namespace
}  // namespace agent
