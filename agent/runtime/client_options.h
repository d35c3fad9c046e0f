// What a `clients` item of the configuration means to the Loki output.

#pragma once

#include "agent/config/config.h"
#include "outputs/loki/loki_options.h"

namespace agent {

LokiOptions ToLokiOptions(const ClientConfig& client, const LimitsConfig& limits);

}  // namespace agent
