// JSON numbers as float64, the only kind of number that Promtail's stages know.

#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace agent {

// The value of a number that follows JSON's grammar. nullopt when it is too large for a float64
// ("1e400"), which makes the whole text malformed; one that is too small is 0.
std::optional<double> ParseJsonNumber(std::string_view number);

// False only when the number is too large for a float64. Cheap when it obviously is not.
bool JsonNumberInRange(std::string_view number);

enum class ExponentForm : unsigned char {
  kTwoDigits,  // 1e-07: what Promtail's json stage writes.
  kShort,      // 1e-7: what to_string() of JMESPath writes there.
};
// The shortest text that reads back to the same value, with an exponent below 1e-6 and from 1e21
// on. `value` is finite.
void AppendJsonNumber(double value, ExponentForm form, std::string& out);

}  // namespace agent
