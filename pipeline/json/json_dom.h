// A JSON text as a tree, for what a single pass cannot do: JMESPath, and writing a value out again.
//
// Nodes are plain and immutable; the document owns their memory and frees it at once, so nothing
// here recurses, however deep a hostile text nests. Used by one thread.

#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <type_traits>
#include <vector>

namespace agent {

enum class JsonType : uint8_t { kNull, kBool, kNumber, kString, kArray, kObject };

struct JsonNode;

struct JsonMember {
  std::string_view key;
  const JsonNode* value = nullptr;
};

struct JsonNode {
  JsonType type = JsonType::kNull;
  bool boolean = false;
  double number = 0;
  std::string_view text;                   // Strings.
  std::span<const JsonNode* const> items;  // Arrays.
  std::span<const JsonMember> members;     // Objects: in the order of the text, no key twice.

  // The value of a member; null when this is no object or has no such key.
  [[nodiscard]] const JsonNode* Find(std::string_view key) const;
};

// Deep equality. Numbers by value.
bool JsonEqual(const JsonNode& a, const JsonNode& b);

class JsonDocument {
 public:
  JsonDocument() = default;
  JsonDocument(const JsonDocument&) = delete;
  JsonDocument& operator=(const JsonDocument&) = delete;
  ~JsonDocument() = default;

  // The tree of `text`, which has kTextPadding readable bytes after it; null when it is malformed.
  // It refers to `text`, and is valid until Clear().
  const JsonNode* ParseAny(std::string_view text);
  // The text is an object, or null, which counts as an empty one.
  const JsonNode* ParseObject(std::string_view text);
  // As ParseAny() of a copy: `text` needs neither padding nor to stay.
  const JsonNode* ParseCopy(std::string_view text);

  // New nodes; what they refer to must live as long as the document, or in it.
  const JsonNode* Null();
  const JsonNode* Bool(bool value);
  const JsonNode* Number(double value);
  const JsonNode* String(std::string_view text);
  const JsonNode* CopyString(std::string_view text);
  const JsonNode* Array(std::span<const JsonNode* const> items);  // Copies the list.
  const JsonNode* Object(std::span<const JsonMember> members);  // Likewise; of equal keys the last.

  void Clear();
  // In use since the last Clear(), about.
  [[nodiscard]] std::size_t memory_bytes() const { return full_bytes_ + used_; }

 private:
  friend class JsonTreeBuilder;

  void* Allocate(std::size_t size);
  template <typename T>
  std::span<T> AllocateList(std::size_t count) {
    static_assert(std::is_trivially_destructible_v<T>);
    // NOLINTNEXTLINE(bugprone-sizeof-expression): lists of pointers are meant.
    T* list = static_cast<T*>(Allocate(count * sizeof(T)));
    std::uninitialized_value_construct_n(list, count);
    return {list, count};
  }
  JsonNode* NewNode(JsonType type);
  // Of equal keys only the last value, at the place of the first. Returns how many are left.
  std::size_t RemoveDuplicates(std::span<JsonMember> members);
  void MarkDuplicatesOfFew(std::span<JsonMember> members);
  void MarkDuplicatesOfMany(std::span<JsonMember> members);

  struct Chunk {
    std::unique_ptr<std::byte[]> data;
    std::size_t size = 0;
  };
  std::vector<Chunk> chunks_;   // The last one is being filled.
  std::size_t used_ = 0;        // Of the last chunk.
  std::size_t full_bytes_ = 0;  // Of the others.

  // Memory to work with while parsing.
  std::vector<uint8_t> open_;
  std::vector<JsonMember> pending_;
  std::vector<std::size_t> starts_;
  std::vector<uint32_t> order_;
};

}  // namespace agent
