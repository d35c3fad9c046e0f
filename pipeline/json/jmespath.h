// JMESPath, the query language of Promtail's `json` stage: complete, as its specification of 2015
// has it (https://jmespath.org/specification.html), with Promtail's library deciding where that is
// open.

#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "pipeline/json/json_dom.h"

namespace agent {

struct JmesNode;  // jmespath_ast.h

// A compiled expression. Immutable once compiled; may be used by several threads, each with its own
// document.
class JmesPath {
 public:
  // What is wrong with an expression, and where.
  struct SyntaxError {
    std::string message;     // "unexpected '-'"
    std::size_t offset = 0;  // In bytes.
  };

  // Nesting is limited (kMaxDepth in jmespath_parser.h), so that no expression exhausts the stack.
  static Result<JmesPath> Compile(std::string_view expression, SyntaxError* where = nullptr);

  JmesPath(JmesPath&&) noexcept;
  JmesPath& operator=(JmesPath&&) noexcept;
  JmesPath(const JmesPath&) = delete;
  JmesPath& operator=(const JmesPath&) = delete;
  ~JmesPath();

  // The value of the expression for `data`, which lies in `document` or outlives it; new values are
  // made in `document`. An error when a function is unknown or gets what it does not take, when a
  // slice has step 0, or when the evaluation grows beyond all measure.
  Result<const JsonNode*> Search(const JsonNode& data, JsonDocument& document) const;

  // The keys, if the expression is nothing but keys joined by dots: a, a.b, "a b".c
  [[nodiscard]] std::optional<std::vector<std::string>> SimplePath() const;

  // What compiles but can never give a value: a function that does not exist. Empty: nothing.
  [[nodiscard]] const std::string& warning() const { return warning_; }

 private:
  JmesPath();

  std::unique_ptr<JsonDocument> literals_;
  std::unique_ptr<const JmesNode> root_;
  std::string warning_;
};

}  // namespace agent
