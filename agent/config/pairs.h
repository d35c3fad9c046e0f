// "k=v,k2=v2", as -client.external-labels takes it.

#pragma once

#include <string_view>

#include "base/labels.h"
#include "base/result.h"

namespace agent {

// One line of comma-separated values; a pair that has a comma or a quote in it stands in double
// quotes, where a quote is doubled. kInvalid when a pair has no '=' or its name is no label name.
Result<Labels> ParseLabelPairs(std::string_view text);

}  // namespace agent
