// Evaluates a JMESPath expression.

#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "pipeline/json/jmespath_ast.h"
#include "pipeline/json/json_dom.h"

namespace agent {

// One evaluation. Recurses along the expression, whose depth is bounded, never along the data.
class JmesInterpreter {
 public:
  // How much memory one evaluation may take for new values, and how many steps it may take.
  static constexpr std::size_t kMaxBytes = std::size_t{64} << 20;
  static constexpr std::size_t kMaxSteps = 10'000'000;

  explicit JmesInterpreter(JsonDocument& document)
      : document_(document), max_memory_(document.memory_bytes() + kMaxBytes) {}

  // Null after an error: see error().
  const JsonNode* Evaluate(const JmesNode& node, const JsonNode& value);

  [[nodiscard]] const std::string& error() const { return error_; }
  const JsonNode* Fail(std::string message);
  [[nodiscard]] JsonDocument& document() { return document_; }

 private:
  const JsonNode* Index(const JmesNode& node, const JsonNode& value);
  const JsonNode* Slice(const JmesNode& node, const JsonNode& value);
  const JsonNode* Project(const JmesNode& node, const JsonNode& value);
  const JsonNode* ProjectValues(const JmesNode& node, const JsonNode& value);
  const JsonNode* Filter(const JmesNode& node, const JsonNode& value);
  const JsonNode* Flatten(const JmesNode& node, const JsonNode& value);
  const JsonNode* Compare(const JmesNode& node, const JsonNode& value);
  const JsonNode* Logic(const JmesNode& node, const JsonNode& value);
  const JsonNode* SelectList(const JmesNode& node, const JsonNode& value);
  const JsonNode* SelectHash(const JmesNode& node, const JsonNode& value);
  const JsonNode* EvaluateLeft(const JmesNode& node, const JsonNode& value);
  bool Collect(const JmesNode& node, const JsonNode& value, std::vector<const JsonNode*>& items);

  JsonDocument& document_;
  const std::size_t max_memory_;
  std::size_t steps_ = 0;
  std::string error_;
};

// False, null, and everything empty.
bool IsJmesFalse(const JsonNode& node);

}  // namespace agent
