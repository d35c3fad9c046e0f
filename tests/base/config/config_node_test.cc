#include <string>

#include <catch2/catch.hpp>

#include "base/config/yaml.h"

namespace agent {
namespace {

ConfigNode Value(const std::string& text) {
  Problems problems("f", "v: " + text);
  const ConfigNode root = LoadYaml("v: " + text, problems);
  INFO(problems.Format(false));
  REQUIRE_FALSE(problems.has_errors());
  return *root.Find("v");
}

TEST_CASE("yaml: plain words of YAML 1.1 are booleans", "[config][yaml]") {
  const auto* text = GENERATE("y", "N", "yes", "No", "ON", "off", "true", "False");
  INFO(text);
  CHECK(Value(text).IsBool());
  CHECK(Value(text).KindName() == "true or false");
  CHECK_FALSE(Value("'" + std::string(text) + "'").IsBool());
}

TEST_CASE("yaml: plain numbers of YAML 1.1 are numbers", "[config][yaml]") {
  const auto* text = GENERATE("0", "10", "-5", "+7", "1_000", "0x1F", "0b101", "0o17", "017", "1.5",
                              ".5", "5.", "1e6", "-1.5E-3", ".inf", "-.INF", ".NaN");
  INFO(text);
  CHECK(Value(text).IsNumber());
  CHECK(Value(text).KindName() == "a number");
  CHECK_FALSE(Value("\"" + std::string(text) + "\"").IsNumber());
}

TEST_CASE("yaml: other plain texts are strings", "[config][yaml]") {
  const auto* text = GENERATE("x", "10s", "1.2.3", "0x", "0b2", "1e", "+", ".", "-x", "yess",
                              "truth", "2024-01-02", "_1");
  INFO(text);
  CHECK_FALSE(Value(text).IsNumber());
  CHECK_FALSE(Value(text).IsBool());
  CHECK(Value(text).KindName() == "a string");
}

TEST_CASE("yaml: a node says what it is", "[config][yaml]") {
  CHECK(Value("").KindName() == "nothing");
  CHECK(Value("~").is_null());
  CHECK(Value("null").is_null());
  CHECK(Value("''").is_scalar());
  CHECK(Value("[a]").KindName() == "a list");
  CHECK(Value("{a: b}").KindName() == "a map");
  CHECK(Value("'x'").single_quoted());
  CHECK_FALSE(Value("\"x\"").single_quoted());
  CHECK(Value("\"x\"").quoted());
  CHECK(Value("!!str 5").quoted());
  CHECK(Value("!!int 5").IsNumber());
}

}  // namespace
}  // namespace agent
