#include "pipeline/template/template.h"

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

#include "tests/pipeline/template/map_data.h"
#include "tests/support/fake_clock.h"

namespace agent {
namespace {

Template Compiled(std::string_view text) {
  static FakeClock clock;
  Result<Template> compiled = Template::Compile(text, clock);
  INFO(text);
  REQUIRE(compiled.ok());
  return std::move(compiled).value();
}

std::string CompileError(std::string_view text) {
  FakeClock clock;
  const Result<Template> compiled = Template::Compile(text, clock);
  return compiled.ok() ? "" : compiled.error().message;
}

// nullopt when it fails.
std::optional<std::string> Render(std::string_view text, MapData::Map values = {}) {
  Template compiled = Compiled(text);
  MapData data(compiled, std::move(values));
  std::string out;
  if (!compiled.Execute(data, out)) return std::nullopt;
  return out;
}

TEST_CASE("template: errors name line, column and what is wrong", "[template]") {
  CHECK(CompileError("a\nbc {{ ToLwer .Value }}") ==
        "2:7: function 'ToLwer' not defined; did you mean 'ToLower'?");
  CHECK(CompileError("{{ .a") == "1:6: unclosed action");
  CHECK(CompileError("{{ if .a }}x") == "1:4: 'if' without 'end'");
  CHECK(CompileError("{{ $x }}") == "1:4: undefined variable '$x'");
  CHECK(CompileError("{{ \"a }}") == "1:4: unterminated quoted string");
  CHECK(CompileError("{{ .a ) }}") == "1:7: unexpected right paren");
  CHECK(CompileError("{{ 1 | 2 }}") == "1:8: stage 2 of the pipeline cannot take a value");
  CHECK(CompileError("x{{ end }}") == "1:5: unexpected {{end}}");
}

TEST_CASE("template: functions that need keys, network or environment are refused by name",
          "[template]") {
  const auto name = GENERATE(values<std::string>(
      {"env", "expandenv", "getHostByName", "genCA", "genCAWithKey", "genPrivateKey",
       "genSelfSignedCert", "genSelfSignedCertWithKey", "genSignedCert", "genSignedCertWithKey",
       "buildCustomCert", "htpasswd", "bcrypt", "derivePassword", "encryptAES", "decryptAES"}));

  CHECK(CompileError("{{ " + name + " \"x\" }}") ==
        "1:4: function '" + name +
            "' needs keys, the network, files or the environment, and is not offered");
}

TEST_CASE("template: tells which names it reads", "[template]") {
  struct Case {
    std::string_view text;
    std::vector<std::string> names;
    bool everything;
  };
  const auto c = GENERATE(values<Case>({
      {"plain", {}, false},
      {"{{ .a }}{{ .b | ToUpper }}{{ $.c }}{{ .a }}", {"a", "b", "c"}, false},
      {"{{ index . \"log-level\" }}{{ index $ \"x\" }}", {"log-level", "x"}, false},
      {"{{ if .a }}{{ with .b }}{{ . }}{{ $.c }}{{ end }}{{ end }}", {"a", "b", "c"}, false},
      {"{{ range splitList \",\" .a }}{{ . }}{{ end }}", {"a"}, false},
      {"{{ . }}", {}, true},
      {"{{ range $k, $v := . }}{{ $k }}{{ end }}", {}, true},
      {"{{ range until 2 }}{{ $ }}{{ end }}", {}, true},
      {"{{ define \"t\" }}{{ .x }}{{ end }}{{ template \"t\" . }}", {"x"}, true},
      {"{{ define \"t\" }}{{ . }}{{ end }}{{ template \"t\" .a }}", {"a"}, false},
      {"{{ with . }}x{{ end }}", {}, true},
      {"{{ hasKey . \"a\" }}", {}, true},
      {"{{ index . .a }}", {"a"}, true},
  }));
  INFO(c.text);

  const Template compiled = Compiled(c.text);

  std::vector<std::string> names = compiled.names();
  std::sort(names.begin(), names.end());
  CHECK(names == c.names);
  CHECK(compiled.uses_everything() == c.everything);
}

TEST_CASE("template: without actions it is constant", "[template]") {
  CHECK(Compiled("").is_constant());
  CHECK(Compiled("a {{/* c */ -}}  b").is_constant());
  CHECK(Compiled("a {{/* c */ -}}  b").constant_text() == "a b");
  CHECK_FALSE(Compiled("{{ .a }}").is_constant());
  CHECK_FALSE(Compiled("{{ \"a\" }}").is_constant());
}

TEST_CASE("template: worked examples of the stage", "[template]") {
  CHECK(Render("{{ .app }}:{{ .Entry | ToUpper | trunc 4 }}",
               {{"app", "shop"}, {"Entry", "hello"}}) == "shop:HELL");
  CHECK(Render("x={{ .ghost }}") == "x=<no value>");
  CHECK(Render("{{ .ghost | ToLower }}") == std::nullopt);
  CHECK(Render("{{ if eq .Value \"trace\" }}{{ else }}{{ .Value }}{{ end }}",
               {{"Value", "trace"}}) == "");
  CHECK(Render("{{ if eq .Value \"trace\" }}{{ else }}{{ .Value }}{{ end }}",
               {{"Value", "info"}}) == "info");
  CHECK(Render("{{ if ge (float64 .ms) 100.0 }}yes{{ else }}no{{ end }}", {{"ms", "250"}}) ==
        "yes");
  CHECK(Render("{{ if ge (float64 .ms) 100.0 }}yes{{ else }}no{{ end }}", {{"ms", "5"}}) == "no");
  CHECK(Render("{{ if ge .ms 100 }}yes{{ end }}", {{"ms", "250"}}) == std::nullopt);
  CHECK(Render("{{ Replace .Entry \"o\" \"0\" 1 }}|{{ Trim .Entry \"!f\" }}|"
               "{{ TrimPrefix .Entry \"foo\" }}|{{ regexReplaceAllLiteral \"o+\" .Entry \"$0\" }}|"
               "{{ Sha2Hash \"s\" \"x\" | trunc 8 }}|{{ Hash \"s\" \"x\" | trunc 8 }}",
               {{"Entry", "foobar!"}}) == "f0obar!|oobar|bar!|f$0bar!|9740c9dc|02a04757");
}

TEST_CASE("template: a failure keeps what came before and says why", "[template]") {
  Template compiled = Compiled("a{{ .n | atoi | index (list 1) }}b");
  MapData data(compiled, {{"n", "7"}});
  std::string out = "> ";

  CHECK_FALSE(compiled.Execute(data, out));
  CHECK(out == "> a");
  CHECK(compiled.last_error() == "error calling index: index out of range: 7");

  MapData good(compiled, {{"n", "0"}});
  CHECK(compiled.Execute(good, out));
  CHECK(compiled.last_error().empty());
}

TEST_CASE("template: one can be executed again and again", "[template]") {
  Template compiled =
      Compiled("{{ $d := dict \"n\" .a }}{{ range $i, $x := until 2 }}{{ $d.n }}{{ end }}");

  for (const std::string value : {"x", "yy", ""}) {
    MapData data(compiled, {{"a", value}});
    std::string out;
    CHECK(compiled.Execute(data, out));
    CHECK(out == value + value);
  }
}

TEST_CASE("template: hostile ones end", "[template]") {
  const auto text = GENERATE(values<std::string_view>({
      "{{ until 1000000000 }}",
      "{{ range until 100000 }}{{ range until 100000 }}x{{ end }}{{ end }}",
      "{{ range 1000000000 }}{{ end }}",
      "{{ repeat 1000000000 \"ab\" }}",
      "{{ repeat 1000000000000000000 \"abcdefghijklmnopqrstuvwxyz\" }}",
      "{{ range until 5000 }}{{ repeat 1000 \"ab\" }}{{ end }}",
      "{{ $x := \"ab\" }}{{ range until 60 }}{{ $x = print $x $x }}{{ end }}",
      "{{ $l := list 1 }}{{ range until 60 }}{{ $l = concat $l $l }}{{ end }}",
      "{{ define \"r\" }}{{ template \"r\" . }}{{ end }}{{ template \"r\" 1 }}",
      "{{ seq 1 1000000000 }}",
      "{{ untilStep 0 9223372036854775807 1 }}",
      "{{ indent 1000000000 \"a\\nb\" }}",
      "{{ randAlpha 1000000000 }}",
      "{{ printf \"%1000000000d\" 1 }}{{ range until 1000 }}{{ printf \"%100000d\" 1 }}{{ end }}",
      "{{ wrapWith 1 (repeat 100000 \"x\") (repeat 100000 \"y\") }}",
      "{{ Replace (repeat 100000 \"x\") \"\" (repeat 100000 \"y\") -1 }}",
      "{{ regexReplaceAll \"x*\" (repeat 100000 \"y\") (repeat 100000 \"z\") }}",
  }));
  INFO(text);

  CHECK(Render(text) == std::nullopt);
}

TEST_CASE("template: values that contain themselves can be printed and compared", "[template]") {
  CHECK(
      Render("{{ $d := dict }}{{ $_ := set $d \"me\" $d }}{{ len (print $d) | lt 0 }}"
             "{{ deepEqual $d $d }}{{ toJson $d }}{{ $c := deepCopy $d }}"));
}

TEST_CASE("template: nesting is bounded when it is compiled", "[template]") {
  std::string open;
  std::string close;
  for (int i = 0; i < 5000; ++i) {
    open += "(";
    close += ")";
  }
  CHECK_THAT(CompileError("{{ " + open + "1" + close + " }}"), Catch::Contains("too deeply"));
  std::string ifs;
  for (int i = 0; i < 5000; ++i)
    ifs += "{{ if 1 }}";
  CHECK_THAT(CompileError(ifs), Catch::Contains("too deeply"));
}

TEST_CASE("template: dates come from the given clock", "[template][dates]") {
  CHECK(Render("{{ now | unixEpoch }}") == "1767323045");
  CHECK(Render("{{ dateInZone \"2006-01-02 15:04\" now \"Asia/Tokyo\" }}") == "2026-01-02 12:04");
  CHECK(Render("{{ dateInZone \"2006\" \"not a time\" \"UTC\" }}") == "2026");
  CHECK(Render("{{ dateInZone \"MST\" 0 \"No/Such\" }}") == "UTC");
  CHECK(Render("{{ ago (now | dateModify \"-90m\") }}") == "1h30m0s");
  CHECK(Render("{{ ago 1767323000 }}") == "45s");
  CHECK(Render("{{ durationRound (now | dateModify \"-50h\") }}") == "2d");
  CHECK(Render("{{ (now.UTC).Year }}/{{ now.UTC.Month }}/{{ now.UTC.Weekday }}") ==
        "2026/January/Friday");
  CHECK(Render("{{ now.UTC.Format \"15:04:05\" }} {{ now.UTC }}") ==
        "03:04:05 2026-01-02 03:04:05 +0000 UTC");
  CHECK(Render("{{ now.Nope }}") == std::nullopt);
  CHECK(Render("{{ mustToDate \"2006\" \"x\" }}") == std::nullopt);
  CHECK(Render("{{ toJson now.UTC }}") == "\"2026-01-02T03:04:05Z\"");
}

TEST_CASE("template: random texts have the right form", "[template]") {
  const auto uuid = Render("{{ uuidv4 }}");
  REQUIRE(uuid);
  CHECK(uuid->size() == 36);
  CHECK((*uuid)[14] == '4');
  CHECK(uuid != Render("{{ uuidv4 }}"));
  CHECK(Render("{{ randNumeric 200 }}")->find_first_not_of("0123456789") == std::string::npos);
  CHECK(Render("{{ randAlphaNum 20 }}")->size() == 20);
  CHECK(Render("{{ randInt 5 6 }}") == "5");
  CHECK(Render("{{ randInt 6 5 }}") == std::nullopt);
  CHECK(Render("{{ shuffle \"\u00e9a\" }}")->size() == 3);
  CHECK(Render("{{ randBytes 3 }}")->size() == 4);
}

}  // namespace
}  // namespace agent
