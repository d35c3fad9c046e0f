// The functions of JMESPath.

#pragma once

#include <string_view>

#include "pipeline/json/jmespath_ast.h"
#include "pipeline/json/jmespath_interpreter.h"

namespace agent {

// The value of a kFunction node; null after an error.
const JsonNode* CallJmesFunction(JmesInterpreter& interpreter, const JmesNode& node,
                                 const JsonNode& value);

bool IsJmesFunction(std::string_view name);

}  // namespace agent
