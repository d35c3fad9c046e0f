// A compiled JMESPath expression as a tree.

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "pipeline/json/json_dom.h"

namespace agent {

enum class JmesKind : uint8_t {
  kField,             // text
  kIndex,             // index
  kSlice,             // slice
  kCurrent,           // @
  kLiteral,           // literal
  kSequence,          // children[1] of children[0]: `a.b`, `a[0]`, `a | b`
  kProjection,        // children[1] of each item of children[0]
  kValueProjection,   // children[1] of each member of children[0]
  kFilterProjection,  // children[1] of each item of children[0] for which children[2] holds
  kFlatten,           // the items of children[0], lists among them replaced by their items
  kCompare,           // comparison of children[0] and children[1]
  kOr,
  kAnd,
  kNot,
  kMultiSelectList,  // children
  kMultiSelectHash,  // keys, children
  kFunction,         // text, children
  kExpressionRef,    // children[0], not evaluated: an argument of sort_by and the like
};

enum class JmesComparison : uint8_t {
  kEqual,
  kNotEqual,
  kLess,
  kLessEqual,
  kGreater,
  kGreaterEqual
};

struct JmesNode {
  explicit JmesNode(JmesKind node_kind) : kind(node_kind) {}

  JmesKind kind;
  JmesComparison comparison = JmesComparison::kEqual;
  uint32_t height = 1;  // Levels of nodes, this one included.
  int64_t index = 0;
  std::array<std::optional<int64_t>, 3> slice;  // Start, stop, step.
  const JsonNode* literal = nullptr;            // In the document of the expression's literals.
  std::string text;
  std::vector<std::string> keys;
  std::vector<std::unique_ptr<JmesNode>> children;
};

}  // namespace agent
