// Texts in the other letter case, for relabelling; all of Unicode, whatever the process's locale.

#pragma once

#include <string>
#include <string_view>

namespace agent {

// Invalid bytes become U+FFFD, as in Go.
std::string ToLowercase(std::string_view text);
std::string ToUppercase(std::string_view text);

}  // namespace agent
