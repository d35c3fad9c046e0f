#include "pipeline/stages/stages.h"
#include "tests/pipeline/stages/stage_fixture.h"

namespace agent {
namespace {

TEST_CASE("regex: stores what named groups of the first match capture", "[stages][regex]") {
  StageFixture stage(MakeRegexStage, R"({expression: 'user=(?P<user>\w+) \((\d+)\)'})", {"user"});
  const EntryIndex first = stage.Add("at 10 user=ann (17) user=bob (18)");
  const EntryIndex second = stage.Add("nothing here");

  stage.Run();

  CHECK(stage.Extracted(first, "user") == "ann");
  CHECK(stage.Extracted(second, "user") == "-");
  CHECK(stage.Line(first) == "at 10 user=ann (17) user=bob (18)");
}

TEST_CASE("regex: a group that takes no part stores the empty text", "[stages][regex]") {
  StageFixture stage(MakeRegexStage, R"({expression: '^(?P<verb>GET|POST)( (?P<path>/\S*))?$'})",
                     {"verb", "path"});
  const EntryIndex entry = stage.Add("POST");

  stage.Run();

  CHECK(stage.Extracted(entry, "verb") == "POST");
  CHECK(stage.ValueOf(entry, "path").is_string());
  CHECK(stage.Extracted(entry, "path").empty());
}

TEST_CASE("regex: of a repeated name the last group counts, also when it takes no part",
          "[stages][regex]") {
  StageFixture stage(MakeRegexStage, "{expression: '(?P<a>x)|(?P<a>y)'}", {"a"});
  const EntryIndex x = stage.Add("x");
  const EntryIndex y = stage.Add("y");

  stage.Run();

  CHECK(stage.Extracted(x, "a").empty());
  CHECK(stage.Extracted(y, "a") == "y");
}

TEST_CASE("regex: reads an extracted value of any type in its text form", "[stages][regex]") {
  StageFixture stage(MakeRegexStage, "{expression: '^(?P<family>[45])', source: status}",
                     {"family"});
  const EntryIndex number = stage.Add("1", {{"status", Value::Number(503)}});
  const EntryIndex other = stage.Add("2", {{"status", Value::Number(200)}});
  const EntryIndex null = stage.Add("3", {{"status", Value::Null()}});
  const EntryIndex absent = stage.Add("4");

  stage.Run();

  CHECK(stage.Extracted(number, "family") == "5");
  CHECK(stage.Extracted(other, "family") == "-");
  CHECK(stage.Extracted(null, "family") == "-");
  CHECK(stage.Extracted(absent, "family") == "-");
}

TEST_CASE("regex: without a match earlier values stay", "[stages][regex]") {
  StageFixture stage(MakeRegexStage, "{expression: '(?P<a>\\d+)'}", {"a"});
  const EntryIndex entry = stage.Add("none", {{"a", Value::String("before")}});

  stage.Run();

  CHECK(stage.Extracted(entry, "a") == "before");
}

TEST_CASE("regex: groups that nobody reads are not stored", "[stages][regex]") {
  StageFixture stage(MakeRegexStage, "{expression: '(?P<a>\\w+) (?P<b>\\w+)'}", {"b"});
  const EntryIndex entry = stage.Add("one two");

  stage.Run();

  CHECK(stage.Extracted(entry, "a") == "-");
  CHECK(stage.Extracted(entry, "b") == "two");
}

TEST_CASE("regex: an expression without named groups changes nothing", "[stages][regex]") {
  StageFixture stage(MakeRegexStage, "{expression: '(\\d+)'}");
  const EntryIndex entry = stage.Add("12");

  stage.Run();

  CHECK(stage.Line(entry) == "12");
  CHECK(stage.problems().empty());
}

TEST_CASE("regex: the short form of a named group is accepted", "[stages][regex]") {
  StageFixture stage(MakeRegexStage, "{expression: '(?<a>\\d+)'}", {"a"});
  const EntryIndex entry = stage.Add("x 12");

  stage.Run();

  CHECK(stage.Extracted(entry, "a") == "12");
}

TEST_CASE("regex: bytes that are no UTF-8 are captured as they are", "[stages][regex]") {
  StageFixture stage(MakeRegexStage, "{expression: 'a=(?P<a>.+) b=(?P<b>.)'}", {"a", "b"});
  const EntryIndex entry = stage.Add("\xff a=\xfe\xc3 b=\x80!");

  stage.Run();

  CHECK(stage.Extracted(entry, "a") == "\xfe\xc3");
  CHECK(stage.Extracted(entry, "b") == "\x80");
}

TEST_CASE("regex: what is wrong is reported", "[stages][regex]") {
  struct Case {
    const char* yaml;
    const char* want;
  };
  const auto c = GENERATE(values<Case>({
      {"{}", "expression: missing"},
      {"{expression: ''}", "must not be empty"},
      {"{expression: '(?P<a'}", "bad group name"},
      {"{expression: '(a'}", "missing closing ')'"},
      {"{expression: 'a(?=b)'}", "looking ahead"},
      {"{expression: a, source: ''}", "empty source"},
      {"{expression: 5}", "expected a string"},
  }));
  INFO(c.yaml);

  const StageFixture stage(MakeRegexStage, c.yaml);

  CHECK_FALSE(stage.built());
  CHECK_THAT(stage.problems(), Catch::Contains(c.want));
}

TEST_CASE("regex: a problem stands under the wrong part of the expression", "[stages][regex]") {
  const StageFixture stage(MakeRegexStage, "expression: 'ab(?P<x>c)**d'");

  REQUIRE(stage.all_problems().all().size() == 1);
  const Place place = stage.all_problems().all()[0].place;
  CHECK(place.line == 1);
  CHECK(place.column == 24);  // The first '*', behind the quote.
  CHECK(place.length == 2);
}

}  // namespace
}  // namespace agent
