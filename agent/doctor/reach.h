// The way to a receiver, step by step: name, connection, certificate. Each step has a time limit
// and says what stands in the way.

#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "agent/doctor/finding.h"
#include "base/net/host_lookup.h"
#include "base/result.h"
#include "base/tls_options.h"
#include "base/unique_fd.h"

namespace agent::doctor {

struct Endpoint {
  std::string host;  // One of IPv6 without brackets.
  uint16_t port = 0;
  std::optional<TlsOptions> tls;  // None: plain.

  [[nodiscard]] std::string text() const;
};

// kNotFound: there is no such name; kUnavailable: nobody has said so within the time.
Result<std::vector<SocketAddress>> ResolveHost(const std::string& host, uint16_t port,
                                               std::chrono::milliseconds timeout);

// The first address that takes the connection; does not block from then on.
Result<UniqueFd> ConnectTo(const std::vector<SocketAddress>& addresses,
                           std::chrono::milliseconds timeout);

// Reports every step. The connection when all went well; with TLS it has been closed again, and the
// descriptor is that of a fresh one.
struct Reached {
  UniqueFd fd;
  std::string address;
};
std::optional<Reached> ReachEndpoint(const Endpoint& endpoint, std::chrono::milliseconds timeout,
                                     const Group& group);

}  // namespace agent::doctor
