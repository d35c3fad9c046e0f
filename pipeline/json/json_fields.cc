#include "pipeline/json/json_fields.h"

#include <bit>
#include <cstring>
#include <limits>

#include "base/check.h"
#include "pipeline/json/json_scanner.h"
#include "pipeline/json/json_writer.h"

namespace agent {
namespace {

// Escapes make a text up to six times as long; values hold texts of less than 4 GiB.
constexpr std::size_t kMaxRenderedBytes = std::numeric_limits<uint32_t>::max() - kTextPadding;

constexpr std::size_t kHeadBytes = sizeof(uint64_t);

uint64_t KeyHead(std::string_view key) {
  uint64_t head = 0;
  std::memcpy(&head, key.data(), kHeadBytes);
  if (key.size() >= kHeadBytes) return head;
  // The bytes after the key must not count: keep as many as it has.
  const std::size_t bits = 8 * key.size();
  if constexpr (std::endian::native == std::endian::little) {
    return head & ((uint64_t{1} << bits) - 1);
  } else {
    return bits == 0 ? 0 : head >> (64 - bits) << (64 - bits);
  }
}

// For texts that only have to be well-formed.
struct IgnoreAll {
  void OnKey(const RawString& /*key*/) {}
  void OnString(const RawString& /*text*/) {}
  void OnNumber(std::string_view /*text*/) {}
  void OnBool(bool /*value*/) {}
  void OnNull() {}
  void OnOpen(bool /*is_object*/, const char* /*begin*/) {}
  void OnClose(const char* /*end*/) {}
};

}  // namespace

// Follows the scanner along the wanted paths. Below a value that nobody wants it only counts
// levels.
class JsonFieldCollector {
 public:
  explicit JsonFieldCollector(JsonFields& fields) : fields_(fields) {
    fields_.path_.clear();
    for (JsonFields::Field& field : fields_.fields_)
      field.type = JsonFields::FieldType::kNull;
  }

  void OnKey(const RawString& key) {
    if (unwanted_levels_ > 0) return;
    next_ = fields_.FindChild(*here_, key.escaped ? Decode(key) : key.text);
    if (next_ == JsonFields::kNone) return;
    // An earlier value of the same key does not count any more.
    for (const uint32_t field : fields_.nodes_[next_].within)
      fields_.fields_[field].type = JsonFields::FieldType::kNull;
  }
  void OnString(const RawString& text) {
    Set(text.escaped ? JsonFields::FieldType::kEscapedString : JsonFields::FieldType::kString,
        text.text);
  }
  void OnNumber(std::string_view text) { Set(JsonFields::FieldType::kNumber, text); }
  void OnBool(bool value) {
    Set(value ? JsonFields::FieldType::kTrue : JsonFields::FieldType::kFalse, {});
  }
  void OnNull() { next_ = JsonFields::kNone; }

  void OnOpen(bool is_object, const char* begin) {
    const bool wanted = next_ != JsonFields::kNone &&
                        (is_object || fields_.nodes_[next_].field != JsonFields::kNone);
    if (wanted && unwanted_levels_ == 0) {
      fields_.path_.push_back({next_, begin});
      here_ = &fields_.nodes_[next_];
    } else {
      ++unwanted_levels_;
    }
    next_ = JsonFields::kNone;  // Lists have no keys: nothing in them is wanted on its own.
  }
  void OnClose(const char* end) {
    if (unwanted_levels_ > 0) {
      --unwanted_levels_;
      return;
    }
    const JsonFields::OpenValue value = fields_.path_.back();
    fields_.path_.pop_back();
    if (!fields_.path_.empty()) here_ = &fields_.nodes_[fields_.path_.back().node];
    next_ = value.node;
    Set(JsonFields::FieldType::kRaw, {value.begin, static_cast<std::size_t>(end - value.begin)});
  }

 private:
  void Set(JsonFields::FieldType type, std::string_view text) {
    if (next_ == JsonFields::kNone) return;
    const uint32_t field = fields_.nodes_[next_].field;
    if (field != JsonFields::kNone) fields_.fields_[field] = {type, text};
    next_ = JsonFields::kNone;
  }

  std::string_view Decode(const RawString& key) {
    const std::string_view raw = key.text;
    fields_.key_.resize(raw.size() + kHeadBytes);
    return {fields_.key_.data(),
            DecodeString(raw.data(), raw.data() + raw.size(), fields_.key_.data())};
  }

  JsonFields& fields_;
  const JsonFields::PathNode* here_ = nullptr;  // Of the innermost container in path_.
  std::size_t unwanted_levels_ = 0;
  uint32_t next_ = 0;  // Whose value comes next: at first, the root's.
};

std::size_t JsonFields::Add(std::span<const std::string> path) {
  CHECK(!path.empty());
  std::vector<uint32_t> way = {0};
  std::string padded;
  for (const std::string& key : path) {
    padded.assign(key).append(kHeadBytes, '\0');
    const std::string_view text = std::string_view(padded).substr(0, key.size());
    uint32_t child = FindChild(nodes_[way.back()], text);
    if (child == kNone) {
      child = static_cast<uint32_t>(nodes_.size());
      nodes_[way.back()].children.push_back(
          {KeyHead(text), static_cast<uint32_t>(key.size()), child});
      nodes_[way.back()].sizes |= SizeBit(key.size());
      nodes_.emplace_back().key = key;
    }
    way.push_back(child);
  }
  PathNode& last = nodes_[way.back()];
  if (last.field != kNone) return last.field;

  const auto field = static_cast<uint32_t>(fields_.size());
  last.field = field;
  fields_.emplace_back();
  for (const uint32_t node : way)
    nodes_[node].within.push_back(field);
  return field;
}

// Most keys of a line are not wanted: mostly the size tells, else a word of them.
uint32_t JsonFields::FindChild(const PathNode& node, std::string_view key) const {
  if ((node.sizes & SizeBit(key.size())) == 0) return kNone;
  const uint64_t head = KeyHead(key);
  for (const Child& child : node.children) {
    if (child.head != head || child.size != key.size()) continue;
    if (key.size() <= kHeadBytes || nodes_[child.node].key == key) return child.node;
  }
  return kNone;
}

bool JsonFields::Check(std::string_view text) {
  IgnoreAll ignore;
  return JsonScanner(text, ignore, open_).Scan(JsonRoot::kObject);
}

bool JsonFields::Read(std::string_view text, Arena& arena, std::span<Value> values) {
  CHECK(values.size() == fields_.size());
  JsonFieldCollector collector(*this);
  if (!JsonScanner(text, collector, open_).Scan(JsonRoot::kObject)) return false;
  for (std::size_t i = 0; i < fields_.size(); ++i)
    values[i] = ToValue(fields_[i], arena);
  return true;
}

Value JsonFields::ToValue(const Field& field, Arena& arena) {
  const std::string_view text = field.text;
  switch (field.type) {
    case FieldType::kNull:
      return Value::Null();
    case FieldType::kString:
      return Value::String(text);
    case FieldType::kEscapedString: {
      char* out = arena.Allocate(text.size());
      const std::size_t size = DecodeString(text.data(), text.data() + text.size(), out);
      arena.Shrink(text.size(), size);
      return Value::String({out, size});
    }
    case FieldType::kNumber:
      return Value::Number(ParseJsonNumber(text).value_or(0), text);
    case FieldType::kTrue:
      return Value::Bool(true);
    case FieldType::kFalse:
      return Value::Bool(false);
    case FieldType::kRaw:
      return Render(text, arena);
  }
  return Value::Null();
}

// The text has been checked, but its members' order, duplicates, numbers and escapes are as they
// were written.
Value JsonFields::Render(std::string_view raw, Arena& arena) {
  document_.Clear();
  rendered_.clear();
  const JsonNode* node = document_.ParseAny(raw);
  CHECK(node != nullptr);
  AppendJson(*node, ExponentForm::kTwoDigits, kMaxRenderedBytes, rendered_);
  return Value::String(arena.Copy(rendered_));
}

}  // namespace agent
