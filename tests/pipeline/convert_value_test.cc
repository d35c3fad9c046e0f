#include "pipeline/convert_value.h"

#include <limits>
#include <string>

#include <catch2/catch.hpp>

namespace agent {
namespace {

// "int 12", "float 1.5", "bool true", "string x"; "-" for what does not fit.
std::string Show(const std::optional<Value>& value, Block& block) {
  if (!value) return "-";
  switch (value->type()) {
    case ValueType::kAbsent:
      return "absent";
    case ValueType::kNull:
      return "null";
    case ValueType::kInteger:
      return "int " + std::string(*block.Text(*value));
    case ValueType::kNumber:
      return "float " + std::string(*block.Text(*value));
    case ValueType::kBool:
      return "bool " + std::string(*block.Text(*value));
    case ValueType::kString:
      break;
  }
  return "string " + std::string(value->text());
}

struct Fixture {
  std::string Convert(const Value& value, Conversion to) {
    return Show(ConvertValue(value, to, block), block);
  }

  SlotTable slots;
  LabelSets sets;
  Block block{slots, sets};
};

}  // namespace

TEST_CASE_METHOD(Fixture, "convert: texts to integers", "[convert]") {
  struct Case {
    const char* text;
    const char* want;
  };
  const auto c = GENERATE(values<Case>({
      {"12", "int 12"},
      {"-12", "int -12"},
      {"+12", "int 12"},
      {" 12\t", "int 12"},
      {"007", "int 7"},
      {"12.7", "int 12"},
      {"-12.7", "int -12"},
      {"12.", "int 12"},
      {".9", "int 0"},
      {"1e3", "int 1000"},
      {"1.5e3", "int 1500"},
      {"1,234", "int 1234"},
      {"-1,234,567.8", "int -1234567"},
      {"9007199254740993", "int 9007199254740993"},
      {"9007199254740993.9", "int 9007199254740993"},
      {"9223372036854775807", "int 9223372036854775807"},
      {"-9223372036854775808", "int -9223372036854775808"},
      {"9223372036854775808", "-"},
      {"1e19", "-"},
      {"1e400", "-"},
      {"", "-"},
      {" ", "-"},
      {",", "-"},
      {"-", "-"},
      {"+-1", "-"},
      {".", "-"},
      {"n/a", "-"},
      {"12ms", "-"},
      {"12.x", "-"},
      {"1 2", "-"},
      {"0x10", "-"},
      {"inf", "-"},
      {"nan", "-"},
      {"true", "-"},
  }));
  INFO(c.text);

  CHECK(Convert(Value::String(c.text), Conversion::kInteger) == c.want);
}

TEST_CASE_METHOD(Fixture, "convert: texts to floats", "[convert]") {
  struct Case {
    const char* text;
    const char* want;
  };
  const auto c = GENERATE(values<Case>({
      {"1.5", "float 1.5"},
      {"-.5", "float -0.5"},
      {"12", "float 12"},
      {"1,234.5", "float 1234.5"},
      {"1e-3", "float 0.001"},
      {"+2", "float 2"},
      {"-inf", "-"},
      {"nan", "-"},
      {"1.2.3", "-"},
      {"1.5s", "-"},
      {"", "-"},
  }));
  INFO(c.text);

  CHECK(Convert(Value::String(c.text), Conversion::kFloat) == c.want);
}

TEST_CASE_METHOD(Fixture, "convert: European texts have their separators the other way round",
                 "[convert]") {
  CHECK(Convert(Value::String("1.234.567,8"), Conversion::kIntegerEu) == "int 1234567");
  CHECK(Convert(Value::String("1.234,5"), Conversion::kFloatEu) == "float 1234.5");
  CHECK(Convert(Value::String("12"), Conversion::kIntegerEu) == "int 12");
  CHECK(Convert(Value::Number(1.5, "1.5"), Conversion::kIntegerEu) == "int 1");
}

TEST_CASE_METHOD(Fixture, "convert: a number with separators may have 64 characters", "[convert]") {
  const std::string fits = "1," + std::string(63, '0');
  const std::string too_long = "1," + std::string(64, '0');

  CHECK(Convert(Value::String(fits), Conversion::kFloat) == "float 1" + std::string(63, '0'));
  CHECK(Convert(Value::String(too_long), Conversion::kFloat) == "-");
}

TEST_CASE_METHOD(Fixture, "convert: texts to booleans", "[convert]") {
  for (const char* text : {"true", "T", "yes", "Y", "1", "1.0", " True "}) {
    INFO(text);
    CHECK(Convert(Value::String(text), Conversion::kBool) == "bool true");
  }
  for (const char* text : {"false", "F", "NO", "n", "0", "0.0", ""}) {
    INFO(text);
    CHECK(Convert(Value::String(text), Conversion::kBool) == "bool false");
  }
  for (const char* text : {"2", "on", "truee", "-"}) {
    INFO(text);
    CHECK(Convert(Value::String(text), Conversion::kBool) == "-");
  }
}

TEST_CASE_METHOD(Fixture, "convert: numbers, integers and booleans", "[convert]") {
  using enum Conversion;
  const double infinite = std::numeric_limits<double>::infinity();
  const double nan = std::numeric_limits<double>::quiet_NaN();

  CHECK(Convert(Value::Number(12.7), kInteger) == "int 12");
  CHECK(Convert(Value::Number(-12.7), kInteger) == "int -12");
  CHECK(Convert(Value::Number(9.3e18), kInteger) == "-");
  CHECK(Convert(Value::Number(infinite), kInteger) == "-");
  CHECK(Convert(Value::Number(nan), kInteger) == "-");
  CHECK(Convert(Value::Bool(true), kInteger) == "int 1");
  CHECK(Convert(Value::Integer(5), kInteger) == "int 5");

  CHECK(Convert(Value::Integer(5), kFloat) == "float 5");
  CHECK(Convert(Value::Bool(false), kFloat) == "float 0");

  CHECK(Convert(Value::Integer(1), kBool) == "bool true");
  CHECK(Convert(Value::Number(0), kBool) == "bool false");
  CHECK(Convert(Value::Integer(2), kBool) == "-");
  CHECK(Convert(Value::Number(nan), kBool) == "-");
  CHECK(Convert(Value::Bool(true), kBool) == "bool true");

  CHECK(Convert(Value::Integer(-5), kString) == "string -5");
  CHECK(Convert(Value::Number(1.5), kString) == "string 1.5");
  CHECK(Convert(Value::Bool(true), kString) == "string true");
}

TEST_CASE_METHOD(Fixture, "convert: a number from JSON keeps the digits that a double has not",
                 "[convert]") {
  const Value id = Value::Number(9007199254740992.0, "9007199254740993");

  CHECK(Convert(id, Conversion::kInteger) == "int 9007199254740993");
  CHECK(Convert(id, Conversion::kString) == "string 9007199254740993");
  CHECK(Convert(Value::Number(1.5, "1.50"), Conversion::kString) == "string 1.5");
  CHECK(Convert(Value::Number(1500, "1.5e3"), Conversion::kInteger) == "int 1500");
}

TEST_CASE_METHOD(Fixture, "convert: absent and null stay", "[convert]") {
  CHECK(Convert(Value(), Conversion::kString) == "absent");
  CHECK(Convert(Value::Null(), Conversion::kInteger) == "null");
}

TEST_CASE("convert: names of types", "[convert]") {
  CHECK(ConversionNamed("long") == Conversion::kInteger);
  CHECK(ConversionNamed("double") == Conversion::kFloat);
  CHECK(ConversionNamed("boolean") == Conversion::kBool);
  CHECK_FALSE(ConversionNamed("Int").has_value());
}

}  // namespace agent
