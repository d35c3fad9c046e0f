#include "agent/receivers/push/label_text.h"

#include <string>

#include <catch2/catch.hpp>

namespace agent {
namespace {

TEST_CASE("label text: what Promtail takes", "[push]") {
  struct Case {
    const char* text;
    Labels want;
  };
  const auto c = GENERATE(values<Case>({
      {R"({a="1"})", {{"a", "1"}}},
      {R"({a="1",})", {{"a", "1"}}},
      {"{}", {}},
      {"", {}},
      {" # nothing", {}},
      {R"(foo{a="1"})", {{"__name__", "foo"}, {"a", "1"}}},
      {"foo:bar", {{"__name__", "foo:bar"}}},
      {R"({"foo",a="1"})", {{"__name__", "foo"}, {"a", "1"}}},
      {R"(foo{'',a="1"})", {{"__name__", "foo"}, {"a", "1"}}},
      {R"({"a.b"="1"})", {{"a.b", "1"}}},
      {"{a='1'}", {{"a", "1"}}},
      {"{a=`1\\n\n`}", {{"a", "1\\n\n"}}},
      {R"({a="\x41\u00e9\U0001F600\101"})", {{"a", "A\u00e9\U0001F600A"}}},
      {R"({a="\a\b\f\n\r\t\v\\\""})", {{"a", "\a\b\f\n\r\t\v\\\""}}},
      {"  { a = \"1\" ,\n b=\"2\" } # end", {{"a", "1"}, {"b", "2"}}},
      {R"({a="1",a="2"})", {{"a", "2"}}},
      {R"({a="",b="1"})", {{"b", "1"}}},
      {"{a=\"x\ty\"}", {{"a", "x\ty"}}},
      {R"({on="1",by="2",sum="3"})", {{"on", "1"}, {"by", "2"}, {"sum", "3"}}},
      {R"({a='"'})", {{"a", "\""}}},
      {R"({a="\xff"})", {{"a", "\xff"}}},
  }));
  INFO(c.text);

  const auto got = ParseLabelText(c.text);

  REQUIRE(got.ok());
  CHECK(*got == c.want);
}

TEST_CASE("label text: what Promtail refuses, and where", "[push]") {
  struct Case {
    const char* text;
    const char* want;
  };
  const auto c = GENERATE(values<Case>({
      {"{a=\"x\ny\"}", "1:6: a quoted text does not end"},
      {R"({a.b="1"})", "1:3: expected '=', found '.'"},
      {"{a=1}", "1:4: expected a value in quotes, found '1'"},
      {R"({a="1")", "1:7: expected ',' or '}', found the end"},
      {R"({a=~"1"})", "1:4: expected a value in quotes, found '~'"},
      {R"({9a="1"})", "1:2: expected the name of a label, found '9'"},
      {R"({a:b="1"})", "1:3: expected '=', found ':'"},
      {R"({a="\q"})", "1:6: there is no escape with 'q'"},
      {R"({a="\'"})", "1:6: there is no escape with '''"},
      {R"({a="\400"})", "out of range"},
      {R"({a="\ud800"})", "no character of Unicode"},
      {R"({a="\x4"})", "expected a digit of an escape, found '\"'"},
      {"{\u00e9=\"1\"}", "1:2: expected the name of a label, found '\u00e9'"},
      {R"({a="1"} 5)", "1:9: expected labels in braces, found '5'"},
      {"{,}", "1:2: expected the name of a label, found ','"},
      {R"({a="1",,b="2"})", "1:8: expected the name of a label, found ','"},
      {"{a=\"\xff\"}", "not UTF-8"},
      {"{\n\"\\", "2:3: a quoted text does not end"},
  }));
  INFO(c.text);

  const auto got = ParseLabelText(c.text);

  REQUIRE_FALSE(got.ok());
  CHECK_THAT(got.error().message, Catch::Contains(c.want));
}

}  // namespace
}  // namespace agent
