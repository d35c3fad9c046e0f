// From one type to another as sprig does it: whatever cannot be converted is zero.

#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "pipeline/template/datum.h"

namespace agent {

int64_t ToInt64(const Datum& datum);
// strconv.Atoi without its error: 0 for what is no decimal number, the nearest beyond the range.
int64_t ParseDecimal(std::string_view text);
double ToFloat64(const Datum& datum);
// As %v.
std::string ToText(const Datum& datum);
// The items of a list as texts, nil left out; anything else is a list of one, nil of none.
std::vector<std::string> ToTexts(const Datum& datum);

}  // namespace agent
