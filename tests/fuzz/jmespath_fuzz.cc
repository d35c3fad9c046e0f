// Compiles the input's first line as a JMESPath expression and searches the rest with it. A path of
// keys must find what the one-pass reader finds.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "pipeline/json/jmespath.h"
#include "pipeline/json/json_fields.h"
#include "pipeline/json/json_writer.h"
#include "tests/support/padded_text.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const std::string_view expression = input.substr(0, input.find('\n'));
  std::string_view rest = input.substr(expression.size());
  if (rest.empty()) rest = R"({"a":{"b":[1,{"c":"x"},[2]]},"b":"text","c":null})";
  const agent::PaddedText padded(rest);

  agent::JmesPath::SyntaxError where;
  const auto path = agent::JmesPath::Compile(expression, &where);
  if (!path.ok()) {
    CHECK(!where.message.empty() && where.offset <= expression.size());
    return 0;
  }
  agent::JsonDocument document;
  const agent::JsonNode* root = document.ParseObject(padded.view());
  if (root == nullptr) return 0;
  const auto result = path->Search(*root, document);
  if (!result.ok()) {
    CHECK(!result.error().message.empty());
    return 0;
  }
  std::string text;
  agent::AppendJson(**result, agent::ExponentForm::kTwoDigits, std::size_t{1} << 20, text);

  const auto keys = path->SimplePath();
  if (!keys) return 0;
  agent::JsonFields fields;
  fields.Add(*keys);
  agent::Arena arena;
  std::vector<agent::Value> values(1);
  CHECK(fields.Read(padded.view(), arena, values));
  CHECK(values[0].usable() == ((*result)->type != agent::JsonType::kNull));
  if (values[0].is_string() && (*result)->type == agent::JsonType::kString) {
    CHECK(values[0].text() == (*result)->text);
  }
  return 0;
}
