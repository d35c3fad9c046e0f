// Small files with credentials and certificates.

#pragma once

#include <string>

#include "base/result.h"

namespace agent {

// The whole content; files over 1 MiB are refused.
Result<std::string> ReadSmallFile(const std::string& path);

// The content without space around it: how a password or a token stands in a file.
Result<std::string> ReadSecretFile(const std::string& path);

}  // namespace agent
