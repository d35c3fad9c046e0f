#include <cmath>
#include <limits>
#include <string>

#include <catch2/catch.hpp>

#include "pipeline/json/json_dom.h"
#include "pipeline/json/json_fields.h"
#include "pipeline/json/json_number.h"
#include "pipeline/json/json_writer.h"
#include "tests/support/padded_text.h"

namespace agent {
namespace {

// NOLINTNEXTLINE(misc-unused-using-decls): it is used.
using std::string_literals::operator""s;

constexpr std::size_t kNoLimit = std::size_t{1} << 30;

// The text read as a tree and written again; "malformed" when it is.
std::string Rewrite(std::string_view text) {
  const PaddedText padded(text);
  JsonDocument document;
  const JsonNode* root = document.ParseAny(padded.view());
  if (root == nullptr) return "malformed";
  std::string out;
  return AppendJson(*root, ExponentForm::kTwoDigits, kNoLimit, out) ? out : "unwritable";
}

bool IsLine(std::string_view text) {
  JsonFields fields;
  const PaddedText padded(text);
  JsonDocument document;
  const bool accepted = fields.Check(padded.view());
  CHECK((document.ParseObject(padded.view()) != nullptr) == accepted);
  return accepted;
}

std::string Number(double value, ExponentForm form = ExponentForm::kTwoDigits) {
  std::string out;
  AppendJsonNumber(value, form, out);
  return out;
}

}  // namespace

TEST_CASE("json text: what a log line may be", "[json]") {
  const std::string text = GENERATE(values<std::string>({
      "{}",
      "null",
      " \t\r\n{ \"a\" : [ ] } \n",
      R"({"a":{"b":{}}})",
      R"({"a":-0.5e+10})",
      R"({"a":"\u0041\ud83d\ude00\/\b"})",
      R"({"":1})",
      "{\"a\":\"\xff\"}",
      // As Promtail's decoder has it: see json_scanner.h.
      R"({null:1})",
      R"({"a":1,null:2})",
      "{\"a\":\"\\n\t\"}",
      "{\"a\":1}\0x"s,
      R"({"a":1e-400})",
  }));
  INFO(text);
  CHECK(IsLine(text));
}

TEST_CASE("json text: what makes a log line malformed", "[json]") {
  const std::string text = GENERATE(values<std::string>({
      "",
      " ",
      "{",
      "}",
      "[]",
      "[1]",
      "1",
      "\"a\"",
      "true",
      "plain text",
      "nul",
      "nullx",
      R"({"a":1)",
      R"({"a":1}})",
      R"({"a":1} x)",
      R"({"a" 1})",
      R"({"a":})",
      R"({"a":1,})",
      R"({,"a":1})",
      R"({a:1})",
      R"({1:1})",
      R"({"a":[1,]})",
      R"({"a":[1}})",
      R"({"a":[1 2]})",
      R"({"a":007})",
      R"({"a":+1})",
      R"({"a":.5})",
      R"({"a":1.})",
      R"({"a":-})",
      R"({"a":1e})",
      R"({"a":1e400})",
      R"({"a":-1e400})",
      R"({"a":0x10})",
      R"({"a":NaN})",
      R"({"a":tru})",
      R"({"a":"\x41"})",
      R"({"a":"\u00g0"})",
      R"({"a":"\u12"})",
      R"({"a":")",
      R"({"a":"\")",
      "{\"a\":\"\t\"}",
      "{\"a\":\"\x01\"}",
      "\xEF\xBB\xBF{}",
      R"({"a":{null:1}})",
      R"({'a':1})",
  }));
  INFO(text);
  CHECK_FALSE(IsLine(text));
}

TEST_CASE("json text: what stands after the text is not looked at", "[json]") {
  const std::string line = R"({"key":"value","n":[12,{"x":"y"}]})";
  for (std::size_t size = 0; size < line.size(); ++size) {
    INFO(size);
    CHECK_FALSE(IsLine(line.substr(0, size)));
  }
}

TEST_CASE("json text: 10,000 levels below the outermost, no more, and no recursion", "[json]") {
  const auto nested = [](std::size_t levels) {
    return R"({"a":)" + std::string(levels, '[') + std::string(levels, ']') + "}";
  };
  CHECK(IsLine(nested(10'000)));
  CHECK_FALSE(IsLine(nested(10'001)));

  std::string objects;
  for (int i = 0; i < 10'000; ++i)
    objects += R"({"a":)";
  CHECK(Rewrite(objects + "1" + std::string(10'000, '}')) ==
        objects + "1" + std::string(10'000, '}'));
}

TEST_CASE("json text: of equal keys the last value counts", "[json]") {
  CHECK(Rewrite(R"({"b":1,"a":2,"b":3})") == R"({"a":2,"b":3})");
  CHECK(Rewrite(R"({"a":1,"\u0061":{"x":2}})") == R"({"a":{"x":2}})");
  std::string many = "{";
  for (int i = 0; i < 100; ++i)
    many += "\"k" + std::to_string(i % 10) + "\":" + std::to_string(i) + ",";
  many.back() = '}';
  CHECK(Rewrite(many) ==
        R"({"k0":90,"k1":91,"k2":92,"k3":93,"k4":94,"k5":95,"k6":96,"k7":97,"k8":98,"k9":99})");
}

TEST_CASE("json text: escapes are decoded, surrogates as Promtail's decoder pairs them", "[json]") {
  struct Case {
    const char* text;
    std::string want;  // The decoded string.
  };
  const auto c = GENERATE(values<Case>({
      {R"("\"\\\/\b\f\n\r\t")", "\"\\/\b\f\n\r\t"},
      {R"("\u0041\u00e9\u20AC")", "A\xC3\xA9\xE2\x82\xAC"},
      {R"("\ud83d\ude00!")", "\xF0\x9F\x98\x80!"},
      {R"("\ud800")", "\xEF\xBF\xBD"},
      {R"("\udc00x")", "\xEF\xBF\xBDx"},
      {R"("\ud800\n")", "\xEF\xBF\xBD\n"},
      {R"("\ud800\u0041")",
       "\xEF\xBF\xBD"
       "A"},
      // The second half was looked at with the first one, and is not looked at again.
      {R"("\ud800\ud83d\ude00")", "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"},
  }));
  INFO(c.text);
  const PaddedText padded(c.text);
  JsonDocument document;

  const JsonNode* node = document.ParseAny(padded.view());

  REQUIRE(node != nullptr);
  CHECK(node->text == c.want);
}

TEST_CASE("json text: written as Promtail stores objects and lists", "[json]") {
  CHECK(Rewrite(R"( { "b" : [ 1.50 , true , null ] , "a" : { } } )") ==
        R"({"a":{},"b":[1.5,true,null]})");
  CHECK(Rewrite(R"(["<a href='x'>&"])") == R"(["\u003ca href='x'\u003e\u0026"])");
  CHECK(Rewrite("[\"\\u2028\\u2029\\u00e9\\u007f\"]") == "[\"\\u2028\\u2029\xC3\xA9\x7f\"]");
  CHECK(Rewrite(R"(["\u0001\b\t\n\r\f\"\\\/"])") == R"(["\u0001\u0008\t\n\r\u000c\"\\/"])");
  CHECK(Rewrite("[\"a\xff\"]") == R"(["a\ufffd"])");
}

TEST_CASE("json text: numbers in their shortest form", "[json]") {
  CHECK(Number(1.0) == "1");
  CHECK(Number(-0.0) == "-0");
  CHECK(Number(1e20) == "100000000000000000000");
  CHECK(Number(1e21) == "1e+21");
  CHECK(Number(0.000001) == "0.000001");
  CHECK(Number(1e-7) == "1e-07");
  CHECK(Number(-1.5e-10) == "-1.5e-10");
  CHECK(Number(1e-7, ExponentForm::kShort) == "1e-7");
  CHECK(Number(1e-10, ExponentForm::kShort) == "1e-10");
  CHECK(Number(1e-107, ExponentForm::kShort) == "1e-107");
  CHECK(Number(1e21, ExponentForm::kShort) == "1e+21");
}

TEST_CASE("json text: numbers read as float64, too large is refused, too small is 0", "[json]") {
  CHECK(ParseJsonNumber("0") == 0.0);
  CHECK(std::signbit(*ParseJsonNumber("-0")));
  CHECK(ParseJsonNumber("1.250") == 1.25);
  CHECK(ParseJsonNumber("0.1") == 0.1);
  CHECK(ParseJsonNumber("900719925474099311") == 900719925474099300.0);
  CHECK(ParseJsonNumber("1.7976931348623157e308") == std::numeric_limits<double>::max());
  CHECK(ParseJsonNumber("1e-400") == 0.0);
  CHECK(ParseJsonNumber("0.0000001e-400") == 0.0);
  CHECK(ParseJsonNumber("1e309") == std::nullopt);
  CHECK(ParseJsonNumber("1e99999999999999999999") == std::nullopt);
  CHECK(ParseJsonNumber("1e-99999999999999999999") == 0.0);
  CHECK(ParseJsonNumber("1" + std::string(310, '0')) == std::nullopt);
  CHECK(ParseJsonNumber("1" + std::string(310, '0') + "e-10") == 1e300);
  CHECK(ParseJsonNumber("0." + std::string(400, '0') + "1e401") == 1.0);
  CHECK_FALSE(JsonNumberInRange("1e309"));
  CHECK(JsonNumberInRange("1e308"));
}

TEST_CASE("json text: infinity cannot be written, and a limit is kept", "[json]") {
  JsonDocument document;
  const JsonNode* number = document.Number(std::numeric_limits<double>::infinity());
  std::string out = "before";
  CHECK_FALSE(AppendJson(*document.Array({&number, 1}), ExponentForm::kTwoDigits, kNoLimit, out));
  const JsonNode* text = document.String("long enough");
  CHECK_FALSE(AppendJson(*document.Array({&text, 1}), ExponentForm::kTwoDigits, 5, out));
  CHECK(out == "before");
}

TEST_CASE("json text: equality is deep, and by value", "[json]") {
  JsonDocument document;
  const auto parse = [&](std::string_view text) { return document.ParseCopy(text); };
  CHECK(JsonEqual(*parse(R"({"a":[1,{"b":2}],"c":"x"})"),
                  *parse(R"({"c":"x","a":[1.0,{"b":2e0}]})")));
  CHECK_FALSE(JsonEqual(*parse(R"({"a":1})"), *parse(R"({"b":1})")));
  CHECK_FALSE(JsonEqual(*parse("[1,2]"), *parse("[2,1]")));
  CHECK_FALSE(JsonEqual(*parse("0"), *parse("false")));
  const std::string deep(9000, '[');
  CHECK(JsonEqual(*parse(deep + std::string(9000, ']')), *parse(deep + std::string(9000, ']'))));
}

}  // namespace agent
