// The labels of a stream as clients write them: `{app="web", env="prod"}`.

#pragma once

#include <string_view>

#include "base/labels.h"
#include "base/result.h"

namespace agent {

// What Prometheus takes for the name of a series: an optional name before the braces, which becomes
// `__name__`, values in double, single or back quotes with Go's escapes, names that may be quoted
// too, a comma at the end, comments. An empty text has no labels; a name that comes twice has its
// last value; an empty value is none. kInvalid with "line:column: …" for anything else.
Result<Labels> ParseLabelText(std::string_view text);

}  // namespace agent
