#include "pipeline/json/json_fields.h"

#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "pipeline/json/json_number.h"
#include "tests/support/padded_text.h"

namespace agent {
namespace {

using Path = std::vector<std::string>;

std::string Show(const Value& value) {
  std::string out;
  switch (value.type()) {
    case ValueType::kAbsent:
      return "absent";
    case ValueType::kNull:
      return "null";
    case ValueType::kBool:
      return value.boolean() ? "true" : "false";
    case ValueType::kInteger:
      return std::to_string(value.integer());
    case ValueType::kNumber:
      AppendJsonNumber(value.number(), ExponentForm::kTwoDigits, out);
      return out;
    case ValueType::kString:
      break;
  }
  return "'" + std::string(value.text()) + "'";
}

std::vector<std::string> Read(const std::vector<Path>& paths, std::string_view text) {
  JsonFields fields;
  for (const Path& path : paths)
    fields.Add(path);
  const PaddedText padded(text);
  Arena arena;
  std::vector<Value> values(fields.size());
  if (!fields.Read(padded.view(), arena, values)) return {"malformed"};
  std::vector<std::string> shown;
  for (const Value& value : values)
    shown.push_back(Show(value));
  return shown;
}

using Strings = std::vector<std::string>;

}  // namespace

TEST_CASE("json fields: every type of value, and what is not there", "[json]") {
  CHECK(Read({{"s"}, {"n"}, {"t"}, {"f"}, {"z"}, {"gone"}},
             R"({"z":null,"s":"text","x":[{"s":1}],"n":1.50,"t":true,"f":false})") ==
        Strings{"'text'", "1.5", "true", "false", "null", "null"});
}

TEST_CASE("json fields: nested paths, also beside the object that holds them", "[json]") {
  CHECK(Read({{"a"}, {"a", "b"}, {"a", "b", "c"}, {"b"}},
             R"({"a":{"x":0,"b":{"c":[1, 2]}},"b":{"c":3}})") ==
        Strings{R"('{"b":{"c":[1,2]},"x":0}')", R"('{"c":[1,2]}')", "'[1,2]'", R"('{"c":3}')"});
}

TEST_CASE("json fields: nothing is found within lists and scalars", "[json]") {
  CHECK(Read({{"a", "b"}}, R"({"a":[{"b":1}]})") == Strings{"null"});
  CHECK(Read({{"a", "b"}}, R"({"a":"b"})") == Strings{"null"});
  CHECK(Read({{"a", "b"}, {"a"}}, R"({"a":[{"b":1},[{"b":2}]]})") ==
        Strings{"null", R"('[{"b":1},[{"b":2}]]')"});
}

TEST_CASE("json fields: of equal keys the last one counts, with all that is in it", "[json]") {
  CHECK(Read({{"a"}}, R"({"a":1,"a":"two"})") == Strings{"'two'"});
  CHECK(Read({{"a", "b"}, {"a", "c"}}, R"({"a":{"b":1,"c":2},"a":{"c":3}})") ==
        Strings{"null", "3"});
  CHECK(Read({{"a", "b"}}, R"({"a":{"b":1},"a":null})") == Strings{"null"});
  CHECK(Read({{"a", "b"}}, R"({"a":{"b":1},"a":[]})") == Strings{"null"});
  CHECK(Read({{"a"}}, R"({"a":1,"\u0061":2})") == Strings{"2"});
}

TEST_CASE("json fields: strings lie in the text unless they have escapes", "[json]") {
  const PaddedText padded(R"({"a":"plain","b":"\"x\"\n"})");
  const Path a = {"a"};
  const Path b = {"b"};
  JsonFields fields;
  fields.Add(a);
  fields.Add(b);
  Arena arena;
  std::vector<Value> values(2);

  REQUIRE(fields.Read(padded.view(), arena, values));

  CHECK(values[0].text().data() == padded.view().data() + 6);
  CHECK(values[1].text() == "\"x\"\n");
}

TEST_CASE("json fields: a malformed text leaves the values alone, wherever the fault is",
          "[json]") {
  const PaddedText padded(R"({"a":"new","skipped":{"deep":[1,2,}]}})");
  const Path a = {"a"};
  JsonFields fields;
  fields.Add(a);
  Arena arena;
  std::vector<Value> values = {Value::String("old")};

  CHECK_FALSE(fields.Read(padded.view(), arena, values));

  CHECK(values[0].text() == "old");
}

TEST_CASE("json fields: null counts as an empty object", "[json]") {
  CHECK(Read({{"a"}}, " null ") == Strings{"null"});
}

TEST_CASE("json fields: the same path twice is one field", "[json]") {
  const Path path = {"a", "b"};
  JsonFields fields;
  CHECK(fields.Add(path) == fields.Add(path));
  CHECK(fields.size() == 1);
}

}  // namespace agent
