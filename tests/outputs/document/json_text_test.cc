#include "outputs/document/json_text.h"

#include <limits>
#include <string>

#include <catch2/catch.hpp>
#include <simdjson.h>

namespace agent {
namespace {

template <typename Append>
std::string Written(Append append) {
  GrowingBuffer buffer;
  append(buffer);
  return {buffer.data(), buffer.size()};
}

std::string Double(double number) {
  return Written([number](GrowingBuffer& to) { AppendJsonDouble(to, number); });
}

std::string Time(int64_t ns) {
  return Written([ns](GrowingBuffer& to) { AppendJsonTime(to, ns); });
}

}  // namespace

TEST_CASE("json text: quotes, backslashes and controls are escaped", "[document]") {
  CHECK(JsonString("plain") == R"("plain")");
  CHECK(JsonString("") == R"("")");
  CHECK(JsonString("say \"hi\"\\\n\r\t") == R"("say \"hi\"\\\n\r\t")");
  CHECK(JsonString(std::string("\0\x01\x1f\x7f", 4)) == "\"\\u0000\\u0001\\u001f\x7f\"");
}

TEST_CASE("json text: UTF-8 stays, each byte that is none becomes U+FFFD", "[document]") {
  CHECK(JsonString("grün 日本 😀") == "\"grün 日本 😀\"");
  CHECK(JsonString("a\xff\xfe"
                   "b") ==
        "\"a\xEF\xBF\xBD\xEF\xBF\xBD"
        "b\"");
  CHECK(JsonString("\xE2\x82") == "\"\xEF\xBF\xBD\xEF\xBF\xBD\"");
  CHECK(JsonString("ü\xff\"ü") == "\"ü\xEF\xBF\xBD\\\"ü\"");
}

TEST_CASE("json text: every byte at every place of a vector comes back", "[document]") {
  simdjson::dom::parser parser;
  for (int byte = 0; byte < 128; ++byte) {
    for (std::size_t at = 0; at < 40; ++at) {
      std::string text(40, 'x');
      text[at] = static_cast<char>(byte);
      const std::string json = JsonString(text);
      std::string_view back;
      REQUIRE(parser.parse(json).get_string().get(back) == simdjson::SUCCESS);
      REQUIRE(back == text);
    }
  }
}

TEST_CASE("json text: a number keeps its fraction, or gets one", "[document]") {
  CHECK(Double(1) == "1.0");
  CHECK(Double(0.25) == "0.25");
  CHECK(Double(1e300) == "1e+300");
  CHECK(Double(-0.0) == "-0.0");
  CHECK(Double(std::numeric_limits<double>::quiet_NaN()) == "null");
  CHECK(Double(std::numeric_limits<double>::infinity()) == "null");
}

TEST_CASE("json text: times have nine digits, in UTC, before 1970 too", "[document]") {
  CHECK(Time(0) == R"("1970-01-01T00:00:00.000000000Z")");
  CHECK(Time(1714557600123456789) == R"("2024-05-01T10:00:00.123456789Z")");
  CHECK(Time(-1) == R"("1969-12-31T23:59:59.999999999Z")");
  CHECK(Time(1714557600123456789) == R"("2024-05-01T10:00:00.123456789Z")");
}

}  // namespace agent
