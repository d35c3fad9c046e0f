// Scalars of YAML 1.1 as values, in the forms that Go's YAML reader takes.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace agent {

// y, yes, on, true; n, no, off, false, in any case.
std::optional<bool> ParseYamlBool(std::string_view text);
// Decimal, 0x, 0b, 0o and octal with a leading 0, underscores, and floats that are whole ("1e6").
std::optional<int64_t> ParseYamlInt(std::string_view text);
// All of the above, and fractions, exponents, ".inf".
std::optional<double> ParseYamlFloat(std::string_view text);

// Go's strconv.ParseBool: 1, t, T, TRUE, true, True and their opposites.
std::optional<bool> ParseGoBool(std::string_view text);

// The number that a plain scalar stands for, in plain decimal: "0x10" gives "16".
std::string PlainNumber(std::string_view text);

}  // namespace agent
