// Reads a text as a line's JSON: the one-pass reader and the tree must agree on whether it is
// malformed and on every field, and on valid UTF-8 also with simdjson, which knows only RFC 8259.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <simdjson.h>

#include "base/check.h"
#include "base/utf8.h"
#include "pipeline/json/json_fields.h"
#include "pipeline/json/json_writer.h"
#include "tests/support/padded_text.h"

namespace {

using agent::ExponentForm;
using agent::JsonNode;
using agent::JsonType;
using agent::Value;
using agent::ValueType;

constexpr std::size_t kNoLimit = std::size_t{1} << 30;

void CheckField(const JsonNode* node, const Value& value) {
  if (node == nullptr || node->type == JsonType::kNull) {
    CHECK(value.type() == ValueType::kNull);
  } else if (node->type == JsonType::kString) {
    CHECK(value.is_string() && value.text() == node->text);
  } else if (node->type == JsonType::kNumber) {
    CHECK(value.type() == ValueType::kNumber && value.number() == node->number);
  } else if (node->type == JsonType::kBool) {
    CHECK(value.type() == ValueType::kBool && value.boolean() == node->boolean);
  } else {
    std::string text;
    CHECK(agent::AppendJson(*node, ExponentForm::kTwoDigits, kNoLimit, text));
    CHECK(value.is_string() && value.text() == text);
  }
}

// What simdjson takes for an object, we take for one.
void CheckSimdjson(std::string_view text, bool accepted) {
  static simdjson::dom::parser parser;
  simdjson::dom::object object;
  const bool valid =
      !parser.parse(text.data(), text.size(), /*realloc_if_needed=*/true).get(object);
  if (valid && text.find_first_of("eE") == std::string_view::npos) CHECK(accepted);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, std::size_t size) {
  const agent::PaddedText padded({reinterpret_cast<const char*>(data), size});
  const std::string_view text = padded.view();
  const std::vector<std::vector<std::string>> paths = {
      {"a"}, {"a", "b"}, {"b"}, {"a", "b", "c"}, {""}};
  agent::JsonFields fields;
  for (const auto& path : paths)
    fields.Add(path);
  agent::Arena arena;
  std::vector<Value> values(fields.size());
  agent::JsonDocument document;

  const bool read = fields.Read(text, arena, values);
  const JsonNode* root = document.ParseObject(text);

  CHECK(read == (root != nullptr));
  CHECK(read == fields.Check(text));
  CheckSimdjson(text, read);
  if (!read) return 0;
  for (std::size_t i = 0; i < paths.size(); ++i) {
    const JsonNode* node = root;
    for (const std::string& key : paths[i])
      node = node != nullptr ? node->Find(key) : nullptr;
    CheckField(node, values[i]);
  }

  // What is written reads back the same.
  std::string written;
  CHECK(agent::AppendJson(*root, ExponentForm::kTwoDigits, kNoLimit, written));
  const JsonNode* again = document.ParseCopy(written);
  CHECK(again != nullptr);
  if (agent::IsValidUtf8(text)) CHECK(agent::JsonEqual(*root, *again));
  return 0;
}
