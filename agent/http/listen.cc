#include "agent/http/listen.h"

#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>
#include <memory>

namespace agent {
namespace {

constexpr int kBacklog = 128;

Result<UniqueFd> Listen(const sockaddr* address, socklen_t size) {
  UniqueFd fd(::socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd.valid()) return ErrnoError(errno, "socket");
  const int on = 1;
  const int off = 0;
  // A restart must not wait for the connections of the process before.
  ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (address->sa_family == AF_INET6) {
    ::setsockopt(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
  }
  if (::bind(fd.get(), address, size) != 0) return ErrnoError(errno, "bind");
  if (::listen(fd.get(), kBacklog) != 0) return ErrnoError(errno, "listen");
  return fd;
}

Result<UniqueFd> ListenEverywhere(uint16_t port) {
  sockaddr_in6 any6{};
  any6.sin6_family = AF_INET6;
  any6.sin6_addr = in6addr_any;
  any6.sin6_port = htons(port);
  auto both = Listen(reinterpret_cast<const sockaddr*>(&any6), sizeof any6);
  if (both.ok()) return both;
  // A kernel without IPv6.
  sockaddr_in any4{};
  any4.sin_family = AF_INET;
  any4.sin_addr.s_addr = htonl(INADDR_ANY);
  any4.sin_port = htons(port);
  return Listen(reinterpret_cast<const sockaddr*>(&any4), sizeof any4);
}

Result<UniqueFd> ListenOnHost(std::string host, uint16_t port) {
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
  }
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int failed = ::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found);
  if (failed != 0) return Error{ErrorCode::kInvalid, ::gai_strerror(failed)};
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owner(found, ::freeaddrinfo);
  Result<UniqueFd> last = Error{ErrorCode::kNotFound, "no address"};
  for (const addrinfo* item = found; item != nullptr; item = item->ai_next) {
    last = Listen(item->ai_addr, item->ai_addrlen);
    if (last.ok()) break;
  }
  return last;
}

}  // namespace

Result<UniqueFd> ListenOn(const std::string& address, uint16_t port) {
  Result<UniqueFd> fd = address.empty() ? ListenEverywhere(port) : ListenOnHost(address, port);
  if (fd.ok()) return fd;
  return std::move(fd).error().Wrap("listen on " + (address.empty() ? "*" : address) + ":" +
                                    std::to_string(port));
}

uint16_t BoundPort(const UniqueFd& socket) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  if (::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&address), &size) != 0) return 0;
  if (address.ss_family == AF_INET6) {
    return ntohs(reinterpret_cast<const sockaddr_in6*>(&address)->sin6_port);
  }
  return ntohs(reinterpret_cast<const sockaddr_in*>(&address)->sin_port);
}

}  // namespace agent
