// Makes a tree of a JMESPath expression.

#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "pipeline/json/jmespath.h"
#include "pipeline/json/jmespath_ast.h"

namespace agent {

// How many levels an expression may have. Evaluating one takes less than 1 KiB of stack per level.
constexpr uint32_t kMaxJmesDepth = 400;

// Null after an error. Literals are made in `literals`.
std::unique_ptr<JmesNode> ParseJmesPath(std::string_view expression, JsonDocument& literals,
                                        JmesPath::SyntaxError& error);

}  // namespace agent
