#include "pipeline/json/json_dom.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "pipeline/arena.h"
#include "pipeline/json/json_scanner.h"

namespace agent {
namespace {

constexpr std::size_t kFirstChunk = std::size_t{16} << 10;
// What Clear() keeps for the next text.
constexpr std::size_t kKeptChunk = std::size_t{256} << 10;
// Up to here comparing all keys with one another is quicker than sorting them.
constexpr std::size_t kFewMembers = 8;

}  // namespace

const JsonNode* JsonNode::Find(std::string_view key) const {
  for (const JsonMember& member : members) {
    if (member.key == key) return member.value;
  }
  return nullptr;
}

namespace {

// Compares two nodes but not what is in them; the pairs that are left to compare are added to
// `todo`.
bool ShallowEqual(const JsonNode& a, const JsonNode& b,
                  std::vector<std::pair<const JsonNode*, const JsonNode*>>& todo) {
  if (a.type != b.type) return false;
  switch (a.type) {
    case JsonType::kNull:
      return true;
    case JsonType::kBool:
      return a.boolean == b.boolean;
    case JsonType::kNumber:
      return a.number == b.number;
    case JsonType::kString:
      return a.text == b.text;
    case JsonType::kArray:
      if (a.items.size() != b.items.size()) return false;
      for (std::size_t i = 0; i < a.items.size(); ++i)
        todo.emplace_back(a.items[i], b.items[i]);
      return true;
    case JsonType::kObject:
      if (a.members.size() != b.members.size()) return false;
      for (const JsonMember& member : a.members) {
        const JsonNode* other = b.Find(member.key);
        if (other == nullptr) return false;
        todo.emplace_back(member.value, other);
      }
      return true;
  }
  return false;
}

}  // namespace

bool JsonEqual(const JsonNode& a, const JsonNode& b) {
  std::vector<std::pair<const JsonNode*, const JsonNode*>> todo = {{&a, &b}};
  while (!todo.empty()) {
    const auto [left, right] = todo.back();
    todo.pop_back();
    if (!ShallowEqual(*left, *right, todo)) return false;
  }
  return true;
}

// Builds the tree while the scanner walks. The values of open containers wait in one list, each
// with its key (empty in arrays); the root is the only one left at the end.
class JsonTreeBuilder {
 public:
  explicit JsonTreeBuilder(JsonDocument& document) : document_(document) {
    document_.pending_.clear();
    document_.starts_.clear();
  }

  void OnKey(const RawString& key) { key_ = Decode(key); }
  void OnString(const RawString& text) { Add(document_.String(Decode(text))); }
  void OnNumber(std::string_view text) { Add(document_.Number(*ParseJsonNumber(text))); }
  void OnBool(bool value) { Add(document_.Bool(value)); }
  void OnNull() { Add(document_.Null()); }

  void OnOpen(bool is_object, const char* /*begin*/) {
    // The container takes its place before its values; they are put into it when it closes.
    Add(document_.NewNode(is_object ? JsonType::kObject : JsonType::kArray));
    document_.starts_.push_back(document_.pending_.size());
  }

  void OnClose(const char* /*end*/) {
    const std::size_t start = document_.starts_.back();
    document_.starts_.pop_back();
    const std::span<JsonMember> values = std::span(document_.pending_).subspan(start);
    // The builder made the node and is the only one that changes it.
    auto* node = const_cast<JsonNode*>(document_.pending_[start - 1].value);
    if (node->type == JsonType::kArray) {
      const auto items = document_.AllocateList<const JsonNode*>(values.size());
      for (std::size_t i = 0; i < values.size(); ++i)
        items[i] = values[i].value;
      node->items = items;
    } else {
      const std::size_t count = document_.RemoveDuplicates(values);
      const auto members = document_.AllocateList<JsonMember>(count);
      std::copy_n(values.begin(), count, members.begin());
      node->members = members;
    }
    document_.pending_.resize(start);
  }

  [[nodiscard]] const JsonNode* root() const { return document_.pending_.front().value; }

 private:
  void Add(const JsonNode* node) {
    document_.pending_.push_back({key_, node});
    key_ = {};
  }

  std::string_view Decode(const RawString& string) {
    if (!string.escaped) return string.text;
    const std::string_view raw = string.text;
    char* out = static_cast<char*>(document_.Allocate(raw.size()));
    return {out, DecodeString(raw.data(), raw.data() + raw.size(), out)};
  }

  JsonDocument& document_;
  std::string_view key_;
};

// order_[i] becomes i where members[i] stays, anything else where an earlier one has the same key.
void JsonDocument::MarkDuplicatesOfFew(std::span<JsonMember> members) {
  for (uint32_t i = 0; i < members.size(); ++i) {
    uint32_t first = 0;
    while (members[first].key != members[i].key)
      ++first;
    order_[i] = first;
    members[first].value = members[i].value;
  }
}

void JsonDocument::MarkDuplicatesOfMany(std::span<JsonMember> members) {
  std::vector<uint32_t> by_key(members.size());
  for (uint32_t i = 0; i < by_key.size(); ++i)
    by_key[i] = i;
  std::stable_sort(by_key.begin(), by_key.end(),
                   [&](uint32_t a, uint32_t b) { return members[a].key < members[b].key; });
  uint32_t first = by_key.front();
  for (const uint32_t at : by_key) {
    if (members[at].key != members[first].key) first = at;
    order_[at] = first;
    members[first].value = members[at].value;
  }
}

std::size_t JsonDocument::RemoveDuplicates(std::span<JsonMember> members) {
  order_.resize(members.size());
  if (members.size() <= kFewMembers) {
    MarkDuplicatesOfFew(members);
  } else {
    MarkDuplicatesOfMany(members);
  }
  std::size_t kept = 0;
  for (std::size_t i = 0; i < members.size(); ++i) {
    if (order_[i] == i) members[kept++] = members[i];
  }
  return kept;
}

const JsonNode* JsonDocument::ParseObject(std::string_view text) {
  JsonTreeBuilder builder(*this);
  if (!JsonScanner(text, builder, open_).Scan(JsonRoot::kObject)) return nullptr;
  static constexpr JsonNode kEmpty{JsonType::kObject, false, 0, {}, {}, {}};
  return builder.root()->type == JsonType::kNull ? &kEmpty : builder.root();
}

const JsonNode* JsonDocument::ParseAny(std::string_view text) {
  JsonTreeBuilder builder(*this);
  if (!JsonScanner(text, builder, open_).Scan(JsonRoot::kAny)) return nullptr;
  return builder.root();
}

const JsonNode* JsonDocument::ParseCopy(std::string_view text) {
  char* copy = static_cast<char*>(Allocate(text.size() + kTextPadding));
  if (!text.empty()) std::memcpy(copy, text.data(), text.size());
  std::memset(copy + text.size(), 0, kTextPadding);
  return ParseAny({copy, text.size()});
}

JsonNode* JsonDocument::NewNode(JsonType type) {
  JsonNode& node = AllocateList<JsonNode>(1).front();
  node.type = type;
  return &node;
}

const JsonNode* JsonDocument::Null() {
  static constexpr JsonNode kNull;
  return &kNull;
}

const JsonNode* JsonDocument::Bool(bool value) {
  static constexpr JsonNode kTrue{JsonType::kBool, true, 0, {}, {}, {}};
  static constexpr JsonNode kFalse{JsonType::kBool, false, 0, {}, {}, {}};
  return value ? &kTrue : &kFalse;
}

const JsonNode* JsonDocument::Number(double value) {
  JsonNode* node = NewNode(JsonType::kNumber);
  node->number = value;
  return node;
}

const JsonNode* JsonDocument::String(std::string_view text) {
  JsonNode* node = NewNode(JsonType::kString);
  node->text = text;
  return node;
}

const JsonNode* JsonDocument::CopyString(std::string_view text) {
  char* copy = static_cast<char*>(Allocate(text.size()));
  if (!text.empty()) std::memcpy(copy, text.data(), text.size());
  return String({copy, text.size()});
}

const JsonNode* JsonDocument::Array(std::span<const JsonNode* const> items) {
  const auto copy = AllocateList<const JsonNode*>(items.size());
  std::copy(items.begin(), items.end(), copy.begin());
  JsonNode* node = NewNode(JsonType::kArray);
  node->items = copy;
  return node;
}

const JsonNode* JsonDocument::Object(std::span<const JsonMember> members) {
  const auto copy = AllocateList<JsonMember>(members.size());
  std::copy(members.begin(), members.end(), copy.begin());
  JsonNode* node = NewNode(JsonType::kObject);
  node->members = copy.first(RemoveDuplicates(copy));
  return node;
}

void* JsonDocument::Allocate(std::size_t size) {
  constexpr std::size_t kAlign = alignof(std::max_align_t);
  size = (size + kAlign - 1) / kAlign * kAlign;
  if (chunks_.empty() || chunks_.back().size - used_ < size) {
    full_bytes_ += used_;
    used_ = 0;
    Chunk chunk;
    chunk.size = chunks_.empty() ? kFirstChunk : std::min(chunks_.back().size * 2, kKeptChunk);
    chunk.size = std::max(chunk.size, size);
    chunk.data.reset(new std::byte[chunk.size]);
    chunks_.push_back(std::move(chunk));
  }
  std::byte* memory = chunks_.back().data.get() + used_;
  used_ += size;
  return memory;
}

void JsonDocument::Clear() {
  used_ = 0;
  full_bytes_ = 0;
  if (chunks_.empty()) return;
  Chunk last = std::move(chunks_.back());
  chunks_.clear();
  if (last.size <= kKeptChunk) chunks_.push_back(std::move(last));
}

}  // namespace agent
