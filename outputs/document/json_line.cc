#include "outputs/document/json_line.h"

#include "outputs/document/json_text.h"

namespace agent {
namespace {

// Objects deeper than this stay one value: Elasticsearch takes 20 levels.
constexpr int kMaxDepth = 20;

void AppendObject(GrowingBuffer& to, const simdjson::dom::object& object) {
  char before = '{';
  for (const auto& [key, value] : object) {
    to.Append({&before, 1});
    before = ',';
    AppendJsonString(to, key);
    to.Append(":");
    AppendJsonElement(to, value);
  }
  to.Append(before == '{' ? "{}" : "}");
}

void AppendArray(GrowingBuffer& to, const simdjson::dom::array& array) {
  char before = '[';
  for (const simdjson::dom::element& value : array) {
    to.Append({&before, 1});
    before = ',';
    AppendJsonElement(to, value);
  }
  to.Append(before == '[' ? "[]" : "]");
}

}  // namespace

bool JsonLine::Parse(std::string_view padded_line) {
  count_ = 0;
  simdjson::dom::object object;
  auto parsed = parser_.parse(padded_line.data(), padded_line.size(), /*realloc_if_needed=*/false);
  if (parsed.get_object().get(object) != simdjson::SUCCESS) return false;
  path_.clear();
  Add(object, 0, 1);
  return true;
}

// `prefix`: how much of path_ is the object's own.
void JsonLine::Add(const simdjson::dom::object& object, std::size_t prefix, int depth) {
  for (const auto& [key, value] : object) {
    path_.resize(prefix);
    if (prefix > 0) path_ += '.';
    path_ += key;
    simdjson::dom::object inner;
    const bool is_object = value.get_object().get(inner) == simdjson::SUCCESS;
    if (is_object && inner.size() > 0 && depth < kMaxDepth) {
      Add(inner, path_.size(), depth + 1);
      continue;
    }
    if (count_ == members_.size()) members_.emplace_back();
    members_[count_].path = path_;
    members_[count_].value = value;
    ++count_;
  }
}

void AppendJsonElement(GrowingBuffer& to, const simdjson::dom::element& element) {
  using enum simdjson::dom::element_type;
  switch (element.type()) {
    case OBJECT:
      return AppendObject(to, element.get_object().value_unsafe());
    case ARRAY:
      return AppendArray(to, element.get_array().value_unsafe());
    case STRING:
      return AppendJsonString(to, element.get_string().value_unsafe());
    case INT64:
      return AppendJsonInteger(to, element.get_int64().value_unsafe());
    case UINT64:
      return to.Append(std::to_string(element.get_uint64().value_unsafe()));
    case DOUBLE:
      return AppendJsonDouble(to, element.get_double().value_unsafe());
    case BOOL:
      return to.Append(element.get_bool().value_unsafe() ? "true" : "false");
    case NULL_VALUE:
      return to.Append("null");
  }
}

void AppendElementAsString(GrowingBuffer& to, const simdjson::dom::element& element) {
  std::string_view text;
  if (element.get_string().get(text) == simdjson::SUCCESS) return AppendJsonString(to, text);
  GrowingBuffer json;
  AppendJsonElement(json, element);
  AppendJsonString(to, {json.data(), json.size()});
}

}  // namespace agent
