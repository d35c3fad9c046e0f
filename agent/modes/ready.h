// `agent ready`: asks a running agent whether it is ready, for health checks without a shell or
// curl.

#pragma once

#include <span>
#include <string>

#include "agent/config/config.h"
#include "base/result.h"

namespace agent {

// `arguments` behind "ready". Prints what the agent answers, on standard error why it does not;
// returns what to exit with: 0 ready, 1 not, or no answer, 2 wrong arguments.
int RunReady(std::span<const char* const> arguments);

// Where an agent with this configuration answers /ready, as seen from its own host. An error when
// it has no server, or one on a port that cannot be known.
Result<std::string> ReadyUrl(const ServerConfig& server);

}  // namespace agent
