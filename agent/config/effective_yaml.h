// The configuration as it works, defaults and flags included, for people: /config,
// -print-config-stderr, the head of a dry run. Secrets are shown as <secret>.

#pragma once

#include <string>
#include <string_view>

#include "agent/config/config.h"

namespace agent {

// YAML that loads again, apart from the secrets.
std::string EffectiveYaml(const Config& config);

// "Clients configured:", and each client's part of the above behind a line of dashes.
std::string ClientsConfigured(const Config& config);

// "TLS10" to "TLS13", as the configuration writes them; empty for the default.
std::string_view TlsVersionName(TlsVersion version);

}  // namespace agent
