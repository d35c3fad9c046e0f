#include "agent/config/expand_env.h"

#include <map>
#include <string>

#include <catch2/catch.hpp>

#include "tests/agent/config/load.h"

namespace agent {
namespace {

Environment Variables() {
  return [](const std::string& name) -> std::optional<std::string> {
    const std::map<std::string, std::string> values = {
        {"A", "hello"}, {"E", ""}, {"1", "one"}, {"P", "/var/log/app.log"}, {"N", "x\ny"}};
    const auto found = values.find(name);
    if (found == values.end()) return std::nullopt;
    return found->second;
  };
}

std::string Expand(const std::string& text) {
  Problems problems("f", text);
  const ExpandedText expanded = ExpandEnv(text, Variables(), problems);
  return problems.has_errors() ? "error: " + Report(problems, Severity::kError) : expanded.text();
}

TEST_CASE("expand-env: each form gives what Promtail gives", "[config][expand]") {
  struct Case {
    std::string text;
    std::string want;
  };
  const auto c = GENERATE(values<Case>({
      {"a ${A} b", "a hello b"},
      {"$A $ a$", "$A $ a$"},
      {"[${U}]", "[]"},
      {"${U:-def} ${U:=def} ${U=def} ${U:?def} ${U:+def}", "def def def def def"},
      {"${E:-def}", "def"},
      {"${A:-def} ${A:+def} ${A:?def}", "hello hello hello"},
      {"${U:-${A}} ${U:-a${A}b}", "hello ahellob"},
      {"${U:-}", ""},
      {"${U:-http://x:80/}", "http://x:80/"},
      {"${#A} ${#U}", "5 0"},
      {"${A^} ${A^^} ${A,} ${A,,}", "Hello HELLO hello hello"},
      {"${A:1} ${A:1:3} ${A:9} ${A:0:99} ${A:x}", "ello ell  hello hello"},
      {"${P##*/} ${P#*/} ${P%/*} ${P%%.*} ${P%.[a-m]og}",
       "app.log var/log/app.log /var/log /var/log/app /var/log/app"},
      {"${A/l/L} ${A//l/L} ${A/#h/J} ${A/%o/a} ${A/l/}", "heLlo heLLo Jello hella helo"},
      {"$${A} $$ $$$$", "${A} $ $$"},
      {"'\\d+' \"\\\\d+\" \\/", "'\\d+' \"\\d+\" /"},
      {"${1}", "one"},
      {"$1 ${A}", "$1 hello"},
      {"# ${A}\n", "# hello\n"},
      {"a\n${U:-b\nc}\nd", "a\nb\nc\nd"},
      {"", ""},
      {"trailing \\", "trailing \\"},
  }));
  INFO(c.text);

  CHECK(Expand(c.text) == c.want);
}

TEST_CASE("expand-env: bad forms are errors with their place", "[config][expand]") {
  struct Case {
    std::string text;
    std::string want;
  };
  const auto c = GENERATE(values<Case>({
      {"a\n ${A", "2:2 : missing closing brace in environment expansion"},
      {"${A-def}", "1:1 : missing closing brace in environment expansion"},
      {"${}", "1:1 : unable to parse variable name in environment expansion"},
      {"${ A}", "1:1 : unable to parse variable name in environment expansion"},
      {"${A:}", "1:1 : bad substitution in environment expansion"},
      {"${A#}", "1:1 : bad substitution in environment expansion"},
      {"${A/x\n}", "1:1 : bad substitution in environment expansion"},
      {"${A:-x", "1:1 : missing closing brace in environment expansion"},
  }));
  INFO(c.text);

  CHECK(Expand(c.text) == "error: " + c.want + "; write $${ where ${ is meant as it stands");
}

TEST_CASE("expand-env: nesting is bounded", "[config][expand]") {
  std::string text;
  for (int i = 0; i < 5000; ++i)
    text += "${U:-";
  CHECK(Expand(text).find("nested too deeply") != std::string::npos);
}

TEST_CASE("expand-env: all errors are reported, not only the first", "[config][expand]") {
  Problems problems("f", "${}\n${}\n");
  ExpandEnv("${}\n${}\n", Variables(), problems);
  CHECK(problems.error_count() == 2);
}

TEST_CASE("expand-env: a group of an expression is warned of", "[config][expand]") {
  Problems problems("f", "replacement: ${1}");
  ExpandEnv("replacement: ${1}", Variables(), problems);
  CHECK(Report(problems, Severity::kWarning) ==
        "1:14 : with -config.expand-env this is the environment variable '1'; write $${1} for the "
        "group of an expression");
}

TEST_CASE("expand-env: places lead back to the file", "[config][expand]") {
  const std::string text = "a: ${N} x\nb: \\\\y\nc: ${U}z\n";
  Problems problems("f", text);
  const ExpandedText expanded = ExpandEnv(text, Variables(), problems);
  REQUIRE(expanded.text() == "a: x\ny x\nb: \\y\nc: z\n");
  const auto original = [&](uint32_t line, uint32_t column) {
    const Place place = expanded.Original({line, column, 1});
    return std::to_string(place.line) + ":" + std::to_string(place.column) + "+" +
           std::to_string(place.length);
  };

  CHECK(original(1, 1) == "1:1+1");
  CHECK(original(1, 4) == "1:4+4");  // In the value.
  CHECK(original(2, 1) == "1:4+4");  // In its second line.
  CHECK(original(2, 3) == "1:9+1");  // Behind it.
  CHECK(original(3, 5) == "2:6+1");  // Behind a halved backslash.
  CHECK(original(4, 4) == "3:8+1");  // Behind a variable that is not set.
}

TEST_CASE("expand-env: problems of the loaded file stand where the file has them",
          "[config][expand]") {
  const std::string text = "# ${N}\nclients:\n  - url: ${U:-http://loki/push}\n    tiemout: 1s\n";
  const LoadedConfig loaded =
      LoadConfigText("c.yaml", text, FlagsOf({"-config.expand-env"}), nullptr, Variables());

  // The variable's second line is no comment any more, as in Promtail.
  CHECK(Errors(loaded).substr(0, 4) == "2:8 ");

  const std::string fixed = "a: 1 # ${A}\n" + text.substr(7);
  CHECK(Errors(LoadConfigText("c.yaml", fixed, FlagsOf({"-config.expand-env"}), nullptr,
                              Variables())) ==
        "4:5 clients[0]: unknown key 'tiemout'; did you mean 'timeout'?\n"
        "1:1 : unknown key 'a'");
}

}  // namespace
}  // namespace agent
