// A sender's address as text.

#pragma once

#include <sys/socket.h>

#include <string>

namespace agent {

// "10.0.0.1", "fe80::1"; an IPv4 address within IPv6 as IPv4. Empty: neither.
std::string PeerAddress(const sockaddr_storage& address);

}  // namespace agent
