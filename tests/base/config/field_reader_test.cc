#include "base/config/field_reader.h"

#include <chrono>
#include <limits>
#include <string>

#include <catch2/catch.hpp>

namespace agent {
namespace {

using std::chrono::nanoseconds;
using std::chrono::seconds;
using Typing = FieldReader::Typing;

// A map from the configuration and a reader of it.
struct Reading {
  explicit Reading(const std::string& text, Typing typing = Typing::kScalar,
                   FieldReader::Unknown unknown = FieldReader::Unknown::kError,
                   FieldReader::KeyCase key_case = FieldReader::KeyCase::kExact)
      : problems("f", text),
        root(LoadYaml(text, problems)),
        fields(root, "x", problems, unknown, typing, key_case) {}

  // All problems, one a line, without the place.
  std::string Report() {
    std::string out;
    for (const Problem& problem : problems.all()) {
      if (!out.empty()) out += "\n";
      out += problem.path + ": " + problem.message;
      if (!problem.hint.empty()) out += "; " + problem.hint;
    }
    return out;
  }

  Problems problems;
  ConfigNode root;
  FieldReader fields;
};

TEST_CASE("fields: values are read, defaults stand for absent and null", "[config][fields]") {
  Reading r(
      "s: text\nb: yes\ni: 0x10\nf: 1.5\nd: 1m30s\np: 1d12h\nz: 256kb\nl: [a, 5]\nm: {k: v, n: "
      "}\nnull1:\n");
  FieldReader& fields = r.fields;

  CHECK(fields.String("s") == "text");
  CHECK(fields.Bool("b", false));
  CHECK(fields.Int("i", 0, 0, 100) == 16);
  CHECK(fields.Float("f", 0, 0, 2) == 1.5);
  CHECK(fields.Duration("d", seconds(0)) == seconds(90));
  CHECK(fields.Size("z", 0) == 256 * 1024);
  CHECK(fields.PrometheusDuration("p", seconds(0)) == std::chrono::hours(36));
  CHECK(fields.PrometheusDuration("absent", seconds(3)) == seconds(3));
  CHECK(fields.StringList("l") == std::vector<std::string>{"a", "5"});
  CHECK(fields.StringMap("m", /*null_as_empty=*/true) ==
        std::vector<std::pair<std::string, std::string>>{{"k", "v"}, {"n", ""}});
  CHECK(fields.Has("null1"));
  CHECK(fields.String("null1", "default") == "default");
  CHECK(fields.Int("absent", 7, 0, 100) == 7);
  CHECK(fields.Duration("absent", seconds(3)) == seconds(3));
  CHECK(fields.Choice("absent", "one", {"one", "two"}) == "one");
  CHECK_FALSE(fields.Has("absent"));
  CHECK(fields.Finish());
  CHECK(r.Report().empty());
}

TEST_CASE("fields: an unknown key is an error with the nearest spelling", "[config][fields]") {
  Reading r("urll: x\nnonsense: 1\n");
  r.fields.String("url");

  CHECK_FALSE(r.fields.Finish());
  CHECK(r.Report() ==
        "x: unknown key 'urll'; did you mean 'url'?\nx: unknown key 'nonsense'; known keys: url");
  CHECK(r.problems.all()[1].place.line == 2);
}

TEST_CASE("fields: in a stage body an unknown key is a warning", "[config][fields]") {
  Reading r("Expression: a\nexpresion: b\n", Typing::kStrict, FieldReader::Unknown::kWarning,
            FieldReader::KeyCase::kAny);

  CHECK(r.fields.String("expression") == "a");
  CHECK(r.fields.Finish());
  CHECK(r.problems.error_count() == 0);
  CHECK(r.Report() == "x: unknown key 'expresion' has no effect; did you mean 'expression'?");
}

TEST_CASE("fields: what is mistyped or out of range is said", "[config][fields]") {
  struct Case {
    std::string text;
    std::function<void(FieldReader&)> read;
    std::string want;
  };
  const auto c = GENERATE(values<Case>({
      {"v: [a]", [](FieldReader& f) { f.String("v"); }, "x.v: expected a string, got a list"},
      {"v: ''", [](FieldReader& f) { f.RequiredString("v"); }, "x.v: must not be empty"},
      {"w: ''",
       [](FieldReader& f) {
         f.RequiredString("v");
         f.Ignore("w");
       },
       "x.v: missing: a value is required"},
      {"v: 'true'", [](FieldReader& f) { f.Bool("v", false); },
       "x.v: expected true or false, got 'true'; write it without quotes"},
      {"v: maybe", [](FieldReader& f) { f.Bool("v", false); },
       "x.v: expected true or false, got 'maybe'"},
      {"v: {}", [](FieldReader& f) { f.Bool("v", false); },
       "x.v: expected true or false, got a map"},
      {"v: '5'", [](FieldReader& f) { f.Int("v", 0, 0, 9); },
       "x.v: expected a whole number, got '5'; write it without quotes"},
      {"v: 1.5", [](FieldReader& f) { f.Int("v", 0, 0, 9); },
       "x.v: expected a whole number, got '1.5'"},
      {"v: 10", [](FieldReader& f) { f.Int("v", 0, 0, 9); }, "x.v: expected 0 to 9, got 10"},
      {"v: -1", [](FieldReader& f) { f.Int("v", 0, 0, std::numeric_limits<int64_t>::max()); },
       "x.v: expected at least 0, got -1"},
      {"v: 99999999999999999999", [](FieldReader& f) { f.Int("v", 0, 0, 9); },
       "x.v: expected a whole number, got '99999999999999999999'"},
      {"v: 1.5", [](FieldReader& f) { f.Float("v", 0, 0, 1); }, "x.v: expected 0 to 1, got 1.5"},
      {"v: .nan", [](FieldReader& f) { f.Float("v", 0, 0, 1); }, "x.v: expected 0 to 1, got .nan"},
      {"v: abc", [](FieldReader& f) { f.Float("v", 0, 0, 1); },
       "x.v: expected a number, got 'abc'"},
      {"v: 10", [](FieldReader& f) { f.Duration("v", seconds(0)); },
       "x.v: 10 without a unit is 10 nanoseconds; did you mean 10s?"},
      {"v: '10'", [](FieldReader& f) { f.Duration("v", seconds(0)); },
       "x.v: expected a duration, got '10'; the unit is missing: did you mean 10s?"},
      {"v: 1d", [](FieldReader& f) { f.Duration("v", seconds(0)); },
       "x.v: expected a duration, got '1d'; there are no days or weeks here: write hours, such as "
       "24h"},
      {"v: soon", [](FieldReader& f) { f.Duration("v", seconds(0)); },
       "x.v: expected a duration, got 'soon'; a duration is a number with a unit: 500ms, 10s, "
       "1m30s, 1h"},
      {"v: -1s", [](FieldReader& f) { f.Duration("v", seconds(0)); },
       "x.v: a duration must not be negative, got '-1s'"},
      {"v: 5x", [](FieldReader& f) { f.Size("v", 0); },
       "x.v: expected a size, got '5x'; a size is a whole number of bytes, or one with a unit: "
       "256KiB, 4MiB, 1GiB"},
      {"v: a", [](FieldReader& f) { f.StringList("v"); },
       "x.v: expected a list of strings, got a string; write [a]"},
      {"v: [a, ]\nw: [~]",
       [](FieldReader& f) {
         f.StringList("v");
         f.StringList("w");
       },
       "x.w[0]: expected a string, got nothing"},
      {"v: [a]", [](FieldReader& f) { f.StringMap("v", true); },
       "x.v: expected a map of names to strings, got a list"},
      {"v: {a: }", [](FieldReader& f) { f.StringMap("v", false); },
       "x.v.a: expected a string, got nothing"},
      {"v: {a: [1]}", [](FieldReader& f) { f.StringMap("v", false); },
       "x.v.a: expected a string, got a list"},
      {"v: tow",
       [](FieldReader& f) {
         f.Choice("v", "one", {"one", "two"});
       },
       "x.v: expected one of one, two, got 'tow'; did you mean 'two'?"},
      {"v: {a: 1}",
       [](FieldReader& f) { f.List("v", [](const ConfigNode&, const std::string&) {}); },
       "x.v: expected a list, got a map; put '- ' before its first key"},
  }));
  INFO(c.text);
  Reading r(c.text);

  c.read(r.fields);
  r.fields.Finish();

  CHECK(r.Report() == c.want);
}

TEST_CASE("fields: a map is needed", "[config][fields]") {
  Reading r("[a, b]");
  CHECK(r.Report() == "x: expected a map, got a list");
  CHECK_FALSE(r.fields.Finish());
}

TEST_CASE("fields: strict stages want strings, not what looks like one", "[config][fields]") {
  Reading r("a: 5\nb: yes\nc: {n: n}\nd: '5'\ne: 10\n", Typing::kStrict);

  r.fields.String("a");
  r.fields.String("b");
  r.fields.StringMap("c", true);
  CHECK(r.fields.String("d") == "5");
  r.fields.Duration("e", seconds(1));

  CHECK_FALSE(r.fields.Finish());
  CHECK(r.Report() ==
        "x.a: expected a string, got a number; write \"5\" in quotes\n"
        "x.b: expected a string, got true or false; write \"yes\" in quotes\n"
        "x.c.n: expected a name, got true or false; write \"n\" in quotes\n"
        "x.e: expected a duration, got '10'; the unit is missing: did you mean 10s?");
}

TEST_CASE("fields: weak stages convert", "[config][fields]") {
  Reading r("n: '10'\nb: 'true'\nb1: 1\nt: on\nx: 0x10\nf: '0.5'\nl: pod\ne: ''\nb2: TRUE\n",
            Typing::kWeak);
  FieldReader& fields = r.fields;

  CHECK(fields.Int("n", 0, 0, 100) == 10);
  CHECK(fields.Bool("b", false));
  CHECK(fields.Bool("b1", false));
  CHECK(fields.String("t") == "1");
  CHECK(fields.String("x") == "16");
  CHECK(fields.Float("f", 0, 0, 1) == 0.5);
  CHECK(fields.StringList("l") == std::vector<std::string>{"pod"});
  CHECK_FALSE(fields.Bool("e", true));
  CHECK(fields.Int("b2", 0, 0, 9) == 1);
  CHECK(fields.Finish());
  CHECK(r.Report().empty());
}

TEST_CASE("fields: items of a list know their path and place", "[config][fields]") {
  Reading r("clients:\n  - a\n  - b\n");
  std::string seen;

  r.fields.List("clients", [&](const ConfigNode& item, const std::string& path) {
    seen += path + "=" + item.text() + "@" + std::to_string(item.place().line) + " ";
  });

  CHECK(seen == "x.clients[0]=a@2 x.clients[1]=b@3 ");
}

TEST_CASE("fields: a problem of an empty value stands at its key", "[config][fields]") {
  Reading r("a: 1\nurl:\n");
  r.fields.Ignore("a");

  r.fields.RequiredString("url");

  REQUIRE(r.problems.all().size() == 1);
  CHECK(r.problems.all()[0].place.line == 2);
  CHECK(r.problems.all()[0].place.column == 1);
  CHECK(r.problems.all()[0].place.length == 3);
}

}  // namespace
}  // namespace agent
