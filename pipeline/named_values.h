// Extracted values whose names were not known when the pipeline was built: eventlogmessage writes
// what it finds, and something reads everything. The rare way; all other values have slots.

#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/value.h"

namespace agent {

class NamedValues {
 public:
  void Clear();

  // Null when the entry has no such value. Valid until the next Add().
  [[nodiscard]] const Value* Find(uint32_t entry, std::string_view name) const;
  [[nodiscard]] Value* Find(uint32_t entry, std::string_view name);
  // A name that the entry does not have. The text of the name must stay valid until Clear().
  void Add(uint32_t entry, std::string_view name, const Value& value);
  // In the order in which they were added.
  void ForEach(uint32_t entry,
               const std::function<void(std::string_view, const Value&)>& visit) const;

 private:
  struct Key {
    uint32_t entry;
    std::string_view name;

    bool operator==(const Key&) const = default;
  };
  struct Hash {
    std::size_t operator()(const Key& key) const {
      return std::hash<std::string_view>()(key.name) + key.entry * std::size_t{0x9e3779b97f4a7c15};
    }
  };
  struct Item {
    std::string_view name;
    Value value;
    std::size_t next;  // Of the same entry; kNone at the end.
  };
  struct Chain {
    std::size_t first;
    std::size_t last;
  };
  static constexpr std::size_t kNone = ~std::size_t{0};

  std::vector<Item> items_;
  std::unordered_map<Key, std::size_t, Hash> index_;  // Into items_.
  std::unordered_map<uint32_t, Chain> chains_;        // By entry.
};

}  // namespace agent
