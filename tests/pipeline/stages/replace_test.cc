#include "pipeline/stages/stages.h"
#include "tests/pipeline/stages/stage_fixture.h"

namespace agent {
namespace {

std::string Replaced(const std::string& yaml, std::string_view line) {
  StageFixture stage(MakeReplaceStage, yaml);
  INFO(yaml << " " << stage.problems());
  REQUIRE(stage.built());
  const EntryIndex entry = stage.Add(line);
  stage.Run();
  return stage.Line(entry);
}

TEST_CASE("replace: only captured text changes, in every match and group", "[stages][replace]") {
  CHECK(Replaced(R"({expression: 'card=(\d{4})-\d+-(\d{4})', replace: 'XX'})",
                 "card=1111-2222-3333 card=4444-5555-6666 end") ==
        "card=XX-2222-XX card=XX-5555-XX end");
}

TEST_CASE("replace: without a group nothing happens, and a warning says so", "[stages][replace]") {
  const StageFixture stage(MakeReplaceStage, R"({expression: '\d+', replace: 'N'})");

  CHECK(stage.built());
  CHECK_THAT(stage.problems(), Catch::Contains("has no group"));
  CHECK(Replaced(R"({expression: '\d+', replace: 'N'})", "order 66") == "order 66");
}

TEST_CASE("replace: nested groups are written once, and both extracted", "[stages][replace]") {
  StageFixture stage(MakeReplaceStage,
                     "{expression: 'tok=(?P<tok>ab(?P<mid>cd)ef)', replace: '<{{ .Value }}>'}",
                     {"tok", "mid"});
  const EntryIndex entry = stage.Add("tok=abcdef.");

  stage.Run();

  CHECK(stage.Line(entry) == "tok=<abcdef>.");
  CHECK(stage.Extracted(entry, "tok") == "<abcdef>");
  CHECK(stage.Extracted(entry, "mid") == "<cd>");
}

TEST_CASE("replace: an empty capture inserts, a group that took no part does not",
          "[stages][replace]") {
  const std::string yaml = R"({expression: 'id=(\d*)(-\w+)?;', replace: '#'})";

  CHECK(Replaced(yaml, "id=;") == "id=#;");
  CHECK(Replaced(yaml, "id=12-ab;") == "id=##;");
  CHECK(Replaced(yaml, "id=34;") == "id=#;");
}

TEST_CASE("replace: constants are literal, and empty ones delete", "[stages][replace]") {
  CHECK(Replaced("{expression: 'a(b)c', replace: '$1\\0'}", "abc") == "a$1\\0c");
  CHECK(Replaced("{expression: 'a(b)c'}", "abc") == "ac");
  CHECK(Replaced("{expression: '()', replace: '-'}", "ab") == "-a-b-");
  CHECK(Replaced("{expression: '(\\s+)', replace: ' '}", "a  b \t c") == "a b c");
}

TEST_CASE("replace: a named group receives the rendering", "[stages][replace]") {
  StageFixture stage(MakeReplaceStage, "{expression: 'mail=(?P<mail>\\S+)', replace: '***'}",
                     {"mail"});
  const EntryIndex entry = stage.Add("mail=a@b.c mail=d@e.f");

  stage.Run();

  CHECK(stage.Line(entry) == "mail=*** mail=***");
  CHECK(stage.Extracted(entry, "mail") == "***");
}

TEST_CASE("replace: a named group that took no part takes the rendering of an empty capture",
          "[stages][replace]") {
  const std::string yaml = "{expression: 'x(\\d*)(?P<n>-\\w+)?;', replace: '[{{ .Value }}]'}";
  StageFixture stage(MakeReplaceStage, yaml, {"n"});
  const EntryIndex with_empty = stage.Add("x;");
  const EntryIndex without = stage.Add("x1;");
  const EntryIndex later = stage.Add("x1; x2-b;");

  stage.Run();

  CHECK(stage.Extracted(with_empty, "n") == "[]");
  CHECK(stage.Extracted(without, "n") == "-");
  CHECK(stage.Extracted(later, "n") == "-");
}

TEST_CASE("replace: works on an extracted value and writes it back as text", "[stages][replace]") {
  StageFixture stage(MakeReplaceStage, "{expression: '(\\d)$', source: v, replace: x}", {"v"});
  const EntryIndex number = stage.Add("line", {{"v", Value::Number(503)}});
  const EntryIndex no_match = stage.Add("line", {{"v", Value::Bool(true)}});
  const EntryIndex null = stage.Add("line", {{"v", Value::Null()}});
  const EntryIndex absent = stage.Add("line 5");

  stage.Run();

  CHECK(stage.Extracted(number, "v") == "50x");
  CHECK(stage.Line(number) == "line");
  CHECK(stage.ValueOf(no_match, "v").type() == ValueType::kBool);
  CHECK(stage.Extracted(null, "v") == "null");
  CHECK(stage.Extracted(absent, "v") == "-");
  CHECK(stage.Line(absent) == "line 5");
}

TEST_CASE("replace: the configurations of the logging exercise", "[stages][replace]") {
  const std::string email = R"-({expression:
 '(?P<email>[a-zA-Z0-9._%+-]+@[a-zA-Z0-9.-]+\.[a-zA-Z]{2,})', replace: '***REDACTED_EMAIL***'})-";
  const std::string user =
      R"-({expression: '"user_id":\s*"([^"]+)"', replace: '"user_id":"***REDACTED***"'})-";

  CHECK(Replaced(email, "from ann.smith@example.com to bob@example.org.") ==
        "from ***REDACTED_EMAIL*** to ***REDACTED_EMAIL***.");
  // Only what the group captures is replaced: the key comes twice.
  CHECK(Replaced(user, R"({"user_id": "u-1", "x": 1})") ==
        R"({"user_id": ""user_id":"***REDACTED***"", "x": 1})");
}

TEST_CASE("replace: a template sees other values; a missing one prints <no value>",
          "[stages][replace]") {
  StageFixture stage(MakeReplaceStage,
                     "{expression: 'pass=(\\S+)', replace: '[{{ .who }}{{ .nope }}]'}");
  const EntryIndex entry = stage.Add("user=ann pass=s3cret", {{"who", Value::String("ann")}});

  stage.Run();

  CHECK(stage.Line(entry) == "user=ann pass=[ann<no value>]");
}

TEST_CASE("replace: a template that is none ends the stage, with a warning", "[stages][replace]") {
  StageFixture stage(MakeReplaceStage, "{expression: '(a)', replace: '{{ .Value'}");
  REQUIRE(stage.built());
  const EntryIndex entry = stage.Add("a");

  stage.Run();

  CHECK(stage.Line(entry) == "a");
  CHECK_THAT(stage.problems(), Catch::Contains("not a valid template"));
}

TEST_CASE("replace: when rendering fails nothing changes", "[stages][replace]") {
  StageFixture stage(MakeReplaceStage,
                     "{expression: '(\\w)', replace: '{{ if eq .Value \"b\" }}{{ index .Value 9 }}"
                     "{{ end }}'}");
  REQUIRE(stage.built());
  const EntryIndex entry = stage.Add("ab");

  stage.Run();

  CHECK(stage.Line(entry) == "ab");
}

TEST_CASE("replace: what is wrong is reported", "[stages][replace]") {
  CHECK_THAT(StageFixture(MakeReplaceStage, "{replace: x}").problems(),
             Catch::Contains("expression: missing"));
  CHECK_THAT(StageFixture(MakeReplaceStage, "{expression: '[a', replace: x}").problems(),
             Catch::Contains("missing closing ']'"));
  CHECK_THAT(StageFixture(MakeReplaceStage, "{expression: '(a)', source: ''}").problems(),
             Catch::Contains("empty source"));
}

}  // namespace
}  // namespace agent
