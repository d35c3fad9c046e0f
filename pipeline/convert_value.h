// Turns extracted values into other types, by the rules of Logstash's `mutate { convert }`: what
// the stages `convert` and `grok` do.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/value.h"
#include "pipeline/block.h"

namespace agent {

enum class Conversion : uint8_t {
  kString,
  kInteger,    // "1,234.9" is 1234, true is 1.
  kFloat,      // "1,234.5" is 1234.5.
  kIntegerEu,  // As kInteger, with "1.234,9".
  kFloatEu,
  kBool,  // true, t, yes, y, 1, 1.0 in any case; false, f, no, n, 0, 0.0 and the empty text.
};

// Of a name in a configuration: "int", "integer" and "long" are one. nullopt: there is no such
// type.
std::optional<Conversion> ConversionNamed(std::string_view name);
// For "did you mean".
std::vector<std::string> ConversionNames();

// nullopt when the text does not fit. The result may refer to `text`.
std::optional<Value> ConvertText(std::string_view text, Conversion to);
// The same for a value of any type; absent and null stay what they are.
std::optional<Value> ConvertValue(const Value& value, Conversion to, Block& block);

}  // namespace agent
