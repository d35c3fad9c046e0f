// Another user's rights for the whole program, capabilities of its file included.

#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/result.h"

namespace agent::doctor {

// `user` is "NAME", "UID" or "NAME:GROUP,GROUP". Starts this program again with the rights of that
// user, and `arguments` (behind "doctor") without -user. Returns only when it cannot.
Error BecomeUser(const std::string& user, std::span<const char* const> arguments);

// `arguments` without -user and its value.
std::vector<std::string> WithoutUser(std::span<const char* const> arguments);

}  // namespace agent::doctor
