// From one type to another as sprig does it: whatever cannot be converted is zero.

#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "pipeline/template/datum.h"

namespace agent {

int64_t ToInt64(const Datum& datum);
double ToFloat64(const Datum& datum);
// As %v.
std::string ToText(const Datum& datum);
// The items of a list as texts, nil left out; anything else is a list of one, nil of none.
std::vector<std::string> ToTexts(const Datum& datum);

}  // namespace agent
