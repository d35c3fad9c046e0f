// Base64 in both alphabets, for looking into tokens.

#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace agent::redact {

// The decoded bytes of `text`, with or without padding at its end; false when it is no base64.
bool DecodeBase64(std::string_view text, std::string& out);

}  // namespace agent::redact
