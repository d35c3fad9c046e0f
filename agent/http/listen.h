// The socket that the HTTP server listens on.

#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"
#include "base/unique_fd.h"

namespace agent {

// Listens on `address` (a host name or an IP address) and `port` (0: any free one). An empty
// address means all interfaces, IPv6 and IPv4. May ask the name service; the message of an error
// names both.
Result<UniqueFd> ListenOn(const std::string& address, uint16_t port);

// The port that a socket is bound to; 0 when it has none.
uint16_t BoundPort(const UniqueFd& socket);

}  // namespace agent
