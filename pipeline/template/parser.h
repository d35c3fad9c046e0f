// Builds the tree of a template: Go's text/template grammar.

#pragma once

#include <string_view>

#include "base/result.h"
#include "pipeline/template/ast.h"

namespace agent {

// Everything that Go refuses when it parses is an error here: syntax, unknown functions and
// variables. So are functions that we refuse.
Result<TemplateTree> ParseTemplate(std::string_view source);

}  // namespace agent
