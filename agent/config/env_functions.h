// What "${NAME…}" can do to a value; see expand_env.h.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace agent {

// From byte `start`, `length` bytes; both decimal. A negative start counts from the end; what is no
// number leaves the value as it is.
std::string EnvSubstring(const std::string& value, const std::string& start,
                         const std::optional<std::string>& length);

// ASCII letters: the first one, or `all`.
void ChangeCase(bool upper, bool all, std::string& value);

// `*` any text, `?` one byte, `[a-z]`, `[^a-z]`, a backslash takes the next byte as it is.
bool EnvGlobMatches(std::string_view glob, std::string_view text);

// Without the shortest or longest part at that end which the glob matches.
std::string StripPrefix(const std::string& value, const std::string& glob, bool longest);
std::string StripSuffix(const std::string& value, const std::string& glob, bool longest);

enum class EnvReplace : uint8_t { kFirst, kAll, kPrefix, kSuffix };
std::string ReplaceText(const std::string& value, const std::string& from, const std::string& to,
                        EnvReplace where);

}  // namespace agent
