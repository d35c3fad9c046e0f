#include "pipeline/json/jmespath.h"

#include <utility>

#include "pipeline/json/jmespath_ast.h"
#include "pipeline/json/jmespath_functions.h"
#include "pipeline/json/jmespath_interpreter.h"
#include "pipeline/json/jmespath_parser.h"

namespace agent {
namespace {

// The first function in the tree that does not exist; empty: none.
std::string UnknownFunction(const JmesNode& node) {
  if (node.kind == JmesKind::kFunction && !IsJmesFunction(node.text)) return node.text;
  for (const auto& child : node.children) {
    std::string name = UnknownFunction(*child);
    if (!name.empty()) return name;
  }
  return {};
}

bool AddKeys(const JmesNode& node, std::vector<std::string>& keys) {
  if (node.kind == JmesKind::kField) {
    keys.push_back(node.text);
    return true;
  }
  return node.kind == JmesKind::kSequence && AddKeys(*node.children[0], keys) &&
         AddKeys(*node.children[1], keys);
}

}  // namespace

JmesPath::JmesPath() : literals_(std::make_unique<JsonDocument>()) {}
JmesPath::JmesPath(JmesPath&&) noexcept = default;
JmesPath& JmesPath::operator=(JmesPath&&) noexcept = default;
JmesPath::~JmesPath() = default;

Result<JmesPath> JmesPath::Compile(std::string_view expression, SyntaxError* where) {
  JmesPath path;
  SyntaxError error;
  path.root_ = ParseJmesPath(expression, *path.literals_, error);
  if (path.root_ == nullptr) {
    if (where != nullptr) *where = error;
    return Error{ErrorCode::kInvalid,
                 error.message + " at character " + std::to_string(error.offset + 1)};
  }
  const std::string unknown = UnknownFunction(*path.root_);
  if (!unknown.empty()) path.warning_ = "JMESPath has no function " + unknown + "()";
  return path;
}

Result<const JsonNode*> JmesPath::Search(const JsonNode& data, JsonDocument& document) const {
  JmesInterpreter interpreter(document);
  const JsonNode* result = interpreter.Evaluate(*root_, data);
  if (result == nullptr) return Error{ErrorCode::kInvalid, interpreter.error()};
  return result;
}

std::optional<std::vector<std::string>> JmesPath::SimplePath() const {
  std::vector<std::string> keys;
  if (!AddKeys(*root_, keys)) return std::nullopt;
  return keys;
}

}  // namespace agent
