// Writes a JSON value out as Promtail does when it stores an object or a list as text.

#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "pipeline/json/json_dom.h"
#include "pipeline/json/json_number.h"

namespace agent {

// Appends `text` in quotes. '<', '>', '&', U+2028 and U+2029 are escaped as \u003c and so on; a
// byte that is not UTF-8 becomes \ufffd.
void AppendJsonString(std::string_view text, std::string& out);

// Appends the value without white space, keys in byte order. False, with `out` as it was, when the
// text would be larger than `max_bytes` or holds a number that JSON cannot write (infinity, NaN).
bool AppendJson(const JsonNode& node, ExponentForm form, std::size_t max_bytes, std::string& out);

}  // namespace agent
