// The environment variables of the process, passed in so that tests can hold their own.

#pragma once

#include <functional>
#include <optional>
#include <string>

namespace agent {

// The value of a variable; nullopt when it is not set.
using Environment = std::function<std::optional<std::string>(const std::string& name)>;

// The real one. Nothing may change the environment while the agent runs.
Environment ProcessEnvironment();

}  // namespace agent
