// What HTTP settings of the configuration mean to the client, and a `clients` item to the Loki
// output.

#pragma once

#include "agent/config/config.h"
#include "base/http/http_options.h"
#include "base/tls_options.h"
#include "outputs/loki/loki_options.h"

namespace agent {

// Without a time limit of its own.
HttpOptions ToHttpOptions(const HttpClientConfig& http);

TlsOptions ToTlsOptions(const TlsConfig& tls);

LokiOptions ToLokiOptions(const ClientConfig& client, const LimitsConfig& limits);

}  // namespace agent
