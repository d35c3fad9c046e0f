// Finds the addresses of a host, off the loop thread.

#pragma once

#include <netdb.h>
#include <sys/socket.h>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/loop.h"
#include "base/result.h"

namespace agent {

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size = 0;

  [[nodiscard]] const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
  // "127.0.0.1:5044", "[::1]:5044".
  [[nodiscard]] std::string text() const;
};

// One lookup. Loop thread. Destroyed, it calls nobody any more.
class HostLookup {
 public:
  using Found = std::function<void(Result<std::vector<SocketAddress>>)>;

  // `socket_type`: SOCK_STREAM or SOCK_DGRAM. `found` is called once, from the loop, with at least
  // one address, in the order in which they should be tried. An address in brackets is one of IPv6.
  HostLookup(Loop& loop, const std::string& host, uint16_t port, int socket_type, Found found);
  HostLookup(const HostLookup&) = delete;
  HostLookup& operator=(const HostLookup&) = delete;
  ~HostLookup();

 private:
  struct Request;
  Request* request_;  // Owned by libuv until it has called back.
};

}  // namespace agent
