// Names of extracted values as Logstash writes them: `[http][response][status]` is the value
// `http.response.status`.

#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace agent {

// A name without brackets is what it says. nullopt for what is no name: empty, brackets that do not
// match, text around them.
std::optional<std::string> ReadFieldName(std::string_view text);

}  // namespace agent
