#include "pipeline/json/jmespath_interpreter.h"

#include <algorithm>
#include <utility>

#include "pipeline/json/jmespath_functions.h"

namespace agent {

bool IsJmesFalse(const JsonNode& node) {
  switch (node.type) {
    case JsonType::kNull:
      return true;
    case JsonType::kBool:
      return !node.boolean;
    case JsonType::kNumber:
      return false;
    case JsonType::kString:
      return node.text.empty();
    case JsonType::kArray:
      return node.items.empty();
    case JsonType::kObject:
      return node.members.empty();
  }
  return true;
}

const JsonNode* JmesInterpreter::Fail(std::string message) {
  if (error_.empty()) error_ = std::move(message);
  return nullptr;
}

const JsonNode* JmesInterpreter::Evaluate(const JmesNode& node, const JsonNode& value) {
  if (++steps_ > kMaxSteps) return Fail("the evaluation takes too many steps");
  if (document_.memory_bytes() > max_memory_) return Fail("the result is too large");
  switch (node.kind) {
    case JmesKind::kField: {
      const JsonNode* member = value.Find(node.text);
      return member != nullptr ? member : document_.Null();
    }
    case JmesKind::kIndex:
      return Index(node, value);
    case JmesKind::kSlice:
      return Slice(node, value);
    case JmesKind::kCurrent:
      return &value;
    case JmesKind::kLiteral:
      return node.literal;
    case JmesKind::kSequence: {
      const JsonNode* left = Evaluate(*node.children[0], value);
      return left != nullptr ? Evaluate(*node.children[1], *left) : nullptr;
    }
    case JmesKind::kProjection:
      return Project(node, value);
    case JmesKind::kValueProjection:
      return ProjectValues(node, value);
    case JmesKind::kFilterProjection:
      return Filter(node, value);
    case JmesKind::kFlatten:
      return Flatten(node, value);
    case JmesKind::kCompare:
      return Compare(node, value);
    case JmesKind::kOr:
    case JmesKind::kAnd:
    case JmesKind::kNot:
      return Logic(node, value);
    case JmesKind::kMultiSelectList:
      return SelectList(node, value);
    case JmesKind::kMultiSelectHash:
      return SelectHash(node, value);
    case JmesKind::kFunction:
      return CallJmesFunction(*this, node, value);
    case JmesKind::kExpressionRef:
      break;
  }
  return Fail("an expression with & is an argument of a function, not a value");
}

const JsonNode* JmesInterpreter::Index(const JmesNode& node, const JsonNode& value) {
  if (value.type != JsonType::kArray) return document_.Null();
  const auto size = static_cast<int64_t>(value.items.size());
  const int64_t index = node.index < 0 ? node.index + size : node.index;
  if (index < 0 || index >= size) return document_.Null();
  return value.items[static_cast<std::size_t>(index)];
}

const JsonNode* JmesInterpreter::Slice(const JmesNode& node, const JsonNode& value) {
  if (value.type != JsonType::kArray) return document_.Null();
  const int64_t step = node.slice[2].value_or(1);
  if (step == 0) return Fail("the step of a slice must not be 0");
  const auto size = static_cast<int64_t>(value.items.size());
  // Backwards, -1 stands for the place before the first item.
  const int64_t lowest = step < 0 ? -1 : 0;
  const int64_t highest = step < 0 ? size - 1 : size;
  const auto bound = [&](const std::optional<int64_t>& given, int64_t otherwise) {
    if (!given) return otherwise;
    return std::clamp(*given < 0 ? *given + size : *given, lowest, highest);
  };
  const int64_t start = bound(node.slice[0], step < 0 ? highest : lowest);
  const int64_t stop = bound(node.slice[1], step < 0 ? lowest : highest);

  std::vector<const JsonNode*> items;
  int64_t i = start;
  while (step < 0 ? i > stop : i < stop) {
    items.push_back(value.items[static_cast<std::size_t>(i)]);
    if (step > size || step < -size) break;  // Also keeps the sum from overflowing.
    i += step;
  }
  return document_.Array(items);
}

// In front of what makes a list of it, an error counts as null: so has it Promtail's library.
const JsonNode* JmesInterpreter::EvaluateLeft(const JmesNode& node, const JsonNode& value) {
  const JsonNode* left = Evaluate(*node.children[0], value);
  if (left != nullptr) return left;
  if (steps_ > kMaxSteps || document_.memory_bytes() > max_memory_) return nullptr;
  error_.clear();
  return document_.Null();
}

// Adds the result for one value of a projection, unless it is null. False after an error.
bool JmesInterpreter::Collect(const JmesNode& node, const JsonNode& value,
                              std::vector<const JsonNode*>& items) {
  const JsonNode* result = Evaluate(*node.children[1], value);
  if (result == nullptr) return false;
  if (result->type != JsonType::kNull) items.push_back(result);
  return true;
}

const JsonNode* JmesInterpreter::Project(const JmesNode& node, const JsonNode& value) {
  const JsonNode* left = Evaluate(*node.children[0], value);
  if (left == nullptr) return nullptr;
  if (left->type != JsonType::kArray) return document_.Null();
  std::vector<const JsonNode*> items;
  for (const JsonNode* item : left->items) {
    if (!Collect(node, *item, items)) return nullptr;
  }
  return document_.Array(items);
}

const JsonNode* JmesInterpreter::ProjectValues(const JmesNode& node, const JsonNode& value) {
  const JsonNode* left = EvaluateLeft(node, value);
  if (left == nullptr) return nullptr;
  if (left->type != JsonType::kObject) return document_.Null();
  std::vector<const JsonNode*> items;
  for (const JsonMember& member : left->members) {
    if (!Collect(node, *member.value, items)) return nullptr;
  }
  return document_.Array(items);
}

const JsonNode* JmesInterpreter::Filter(const JmesNode& node, const JsonNode& value) {
  const JsonNode* left = EvaluateLeft(node, value);
  if (left == nullptr) return nullptr;
  if (left->type != JsonType::kArray) return document_.Null();
  std::vector<const JsonNode*> items;
  for (const JsonNode* item : left->items) {
    const JsonNode* condition = Evaluate(*node.children[2], *item);
    if (condition == nullptr) return nullptr;
    if (!IsJmesFalse(*condition) && !Collect(node, *item, items)) return nullptr;
  }
  return document_.Array(items);
}

const JsonNode* JmesInterpreter::Flatten(const JmesNode& node, const JsonNode& value) {
  const JsonNode* left = EvaluateLeft(node, value);
  if (left == nullptr) return nullptr;
  if (left->type != JsonType::kArray) return document_.Null();
  std::vector<const JsonNode*> items;
  for (const JsonNode* item : left->items) {
    if (item->type == JsonType::kArray) {
      items.insert(items.end(), item->items.begin(), item->items.end());
    } else {
      items.push_back(item);
    }
  }
  return document_.Array(items);
}

const JsonNode* JmesInterpreter::Compare(const JmesNode& node, const JsonNode& value) {
  const JsonNode* left = Evaluate(*node.children[0], value);
  if (left == nullptr) return nullptr;
  const JsonNode* right = Evaluate(*node.children[1], value);
  if (right == nullptr) return nullptr;
  if (node.comparison == JmesComparison::kEqual) return document_.Bool(JsonEqual(*left, *right));
  if (node.comparison == JmesComparison::kNotEqual) {
    return document_.Bool(!JsonEqual(*left, *right));
  }
  if (left->type != JsonType::kNumber || right->type != JsonType::kNumber) return document_.Null();
  switch (node.comparison) {
    case JmesComparison::kLess:
      return document_.Bool(left->number < right->number);
    case JmesComparison::kLessEqual:
      return document_.Bool(left->number <= right->number);
    case JmesComparison::kGreater:
      return document_.Bool(left->number > right->number);
    default:
      return document_.Bool(left->number >= right->number);
  }
}

const JsonNode* JmesInterpreter::Logic(const JmesNode& node, const JsonNode& value) {
  const JsonNode* left = Evaluate(*node.children[0], value);
  if (left == nullptr) return nullptr;
  const bool is_false = IsJmesFalse(*left);
  if (node.kind == JmesKind::kNot) return document_.Bool(is_false);
  const bool decided = node.kind == JmesKind::kOr ? !is_false : is_false;
  return decided ? left : Evaluate(*node.children[1], value);
}

const JsonNode* JmesInterpreter::SelectList(const JmesNode& node, const JsonNode& value) {
  if (value.type == JsonType::kNull) return document_.Null();
  std::vector<const JsonNode*> items;
  for (const auto& child : node.children) {
    const JsonNode* item = Evaluate(*child, value);
    if (item == nullptr) return nullptr;
    items.push_back(item);
  }
  return document_.Array(items);
}

const JsonNode* JmesInterpreter::SelectHash(const JmesNode& node, const JsonNode& value) {
  if (value.type == JsonType::kNull) return document_.Null();
  std::vector<JsonMember> members;
  for (std::size_t i = 0; i < node.children.size(); ++i) {
    const JsonNode* member = Evaluate(*node.children[i], value);
    if (member == nullptr) return nullptr;
    members.push_back({node.keys[i], member});
  }
  return document_.Object(members);
}

}  // namespace agent
