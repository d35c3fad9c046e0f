// YAML as a tree that knows where everything stands. Immutable once loaded, and safe to read from
// any thread (yaml-cpp's own nodes are not).

#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/config/problems.h"

namespace agent {

class ConfigNode {
 public:
  enum class Kind : uint8_t { kNull, kScalar, kSequence, kMap };
  using Pair = std::pair<ConfigNode, ConfigNode>;

  ConfigNode() = default;  // Null, without a place.

  [[nodiscard]] Kind kind() const { return kind_; }
  [[nodiscard]] bool is_null() const { return kind_ == Kind::kNull; }
  [[nodiscard]] bool is_scalar() const { return kind_ == Kind::kScalar; }
  [[nodiscard]] bool is_sequence() const { return kind_ == Kind::kSequence; }
  [[nodiscard]] bool is_map() const { return kind_ == Kind::kMap; }

  // The scalar's text; empty otherwise.
  [[nodiscard]] const std::string& text() const { return text_; }
  // True for "x", 'x' and block scalars: never a number, a boolean or null.
  [[nodiscard]] bool quoted() const { return quoted_; }
  // True only for 'x', where a backslash is a backslash.
  [[nodiscard]] bool single_quoted() const { return single_quoted_; }

  [[nodiscard]] const std::vector<ConfigNode>& items() const { return items_; }
  // In the order of the file; duplicate keys were reported by the loader, the first one wins in
  // Find().
  [[nodiscard]] const std::vector<Pair>& pairs() const { return pairs_; }
  // Null when there is no such key, or this is no map. Exact spelling.
  [[nodiscard]] const ConfigNode* Find(std::string_view key) const;

  // Of an empty value ("level:") the place of its key.
  [[nodiscard]] const Place& place() const { return place_; }
  // Where some bytes of a scalar's text stand, if it stands in one line just as it is meant;
  // otherwise, and for length 0, place().
  [[nodiscard]] Place PlaceWithin(std::size_t position, std::size_t length) const;

  // YAML 1.1, plain scalars only: yes/no/on/off/y/n/true/false in any case.
  [[nodiscard]] bool IsBool() const;
  // Plain scalars only: integers and floats in YAML 1.1's forms.
  [[nodiscard]] bool IsNumber() const;
  // "a string", "a number", "true or false", "a list", "a map", "nothing": for messages.
  [[nodiscard]] std::string_view KindName() const;

 private:
  friend class YamlLoader;

  Kind kind_ = Kind::kNull;
  bool quoted_ = false;
  bool single_quoted_ = false;
  std::string text_;
  std::vector<ConfigNode> items_;
  std::vector<Pair> pairs_;
  Place place_;
};

// Parses one document, resolving aliases and merge keys ("<<"). Reports to `problems` (made for the
// same file and text): syntax errors, duplicate keys, more than one document, and bombs: nesting
// over 100 levels, more than 1,000,000 nodes after aliases, more than 16 MiB of text. Null node for
// an empty text or after an error.
ConfigNode LoadYaml(std::string_view text, Problems& problems);

}  // namespace agent
