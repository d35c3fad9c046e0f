// Reads the wanted fields of a JSON object in one pass over its text, and checks all the rest of
// it.

#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/value.h"
#include "pipeline/arena.h"
#include "pipeline/json/json_dom.h"

namespace agent {

// Measured on JSON log lines of 289 bytes with nine members, two of them wanted, in GB/s: this 1.4,
// Check() 2.05. simdjson's tree and On-Demand make 2.1 to 2.6 on the same lines, but On-Demand does
// not check what it skips, and neither takes or refuses just what Promtail does (see
// json_scanner.h).
//
// Used by one thread.
class JsonFields {
 public:
  // Wants the value at a path of keys: {"a", "b"} is `a.b`. Returns its index; the same path again
  // gives the same index.
  std::size_t Add(std::span<const std::string> path);
  // How many different paths are wanted.
  [[nodiscard]] std::size_t size() const { return fields_.size(); }

  // Sets values[i] for each path: null where there is nothing, numbers as float64, objects and
  // lists as JSON text. Of equal keys the last one counts. Texts lie in `text`, which has
  // kTextPadding readable bytes after it, or in `arena`. False, with `values` as they were, when
  // the text is malformed.
  bool Read(std::string_view text, Arena& arena, std::span<Value> values);
  // Whether Read() would succeed.
  bool Check(std::string_view text);

 private:
  friend class JsonFieldCollector;

  // A key of a wanted path, ready for quick comparison.
  struct Child {
    uint64_t head;  // The first eight bytes; 0 where there are fewer.
    uint32_t size;
    uint32_t node;
  };
  // A place on the way to wanted values.
  struct PathNode {
    std::string key;
    std::vector<Child> children;
    uint64_t sizes = 0;            // A bit for the size of each child's key: see SizeBit().
    uint32_t field = kNone;        // The wanted value is the one here.
    std::vector<uint32_t> within;  // All fields here and below.
  };
  enum class FieldType : uint8_t { kNull, kString, kEscapedString, kNumber, kTrue, kFalse, kRaw };
  struct Field {
    FieldType type = FieldType::kNull;
    std::string_view text;
  };
  // A container that the pass is in, and that is wanted or leads to something wanted.
  struct OpenValue {
    uint32_t node;
    const char* begin;
  };
  static constexpr uint32_t kNone = ~uint32_t{0};

  static uint64_t SizeBit(std::size_t key_size) {
    return uint64_t{1} << (key_size < 63 ? key_size : 63);
  }
  // `key` has eight readable bytes from its beginning on.
  [[nodiscard]] uint32_t FindChild(const PathNode& node, std::string_view key) const;
  Value ToValue(const Field& field, Arena& arena);
  Value Render(std::string_view raw, Arena& arena);

  std::vector<PathNode> nodes_ = std::vector<PathNode>(1);  // The first is the root.
  std::vector<Field> fields_;

  // Memory to work with.
  std::vector<uint8_t> open_;
  std::vector<OpenValue> path_;
  std::string key_;
  std::string rendered_;
  JsonDocument document_;
};

}  // namespace agent
