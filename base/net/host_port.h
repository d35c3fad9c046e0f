// "host:port", "[::1]:port", or a host alone.

#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"

namespace agent {

struct HostPort {
  std::string host;  // One of IPv6 without its brackets.
  uint16_t port = 0;

  // As it was written, with the port.
  [[nodiscard]] std::string text() const;
};

// `default_port` where there is none; 0: there must be one.
Result<HostPort> ParseHostPort(const std::string& text, uint16_t default_port);

}  // namespace agent
