// The constants of a template: numbers, characters and strings, as Go writes them.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "pipeline/template/ast.h"

namespace agent {

// Fills the number of `node`. False: no number, or one that does not fit.
bool ParseNumberLiteral(std::string_view text, Node& node);
// An integer with Go's prefixes (0x, 0o, 0b, 0) and underscores; nullopt when it is none or does
// not fit.
std::optional<int64_t> ParseIntegerLiteral(std::string_view text);
// 'x', quotes included.
bool ParseCharLiteral(std::string_view text, Node& node);
// "text" or `text`, quotes included.
std::optional<std::string> ParseStringLiteral(std::string_view text);

}  // namespace agent
