// What a service manager listens on: a datagram socket, by path or by an abstract name.

#pragma once

#include <sys/socket.h>
#include <sys/un.h>

#include <array>
#include <cstddef>
#include <cstring>
#include <string>

#include "base/check.h"
#include "base/unique_fd.h"

namespace agent {

class NotifySocket {
 public:
  // As in $NOTIFY_SOCKET.
  explicit NotifySocket(std::string address) : address_(std::move(address)) {
    fd_.Reset(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    AGENT_CHECK(fd_.valid());
    sockaddr_un name = {};
    name.sun_family = AF_UNIX;
    AGENT_CHECK(address_.size() < sizeof(name.sun_path));
    std::memcpy(name.sun_path, address_.data(), address_.size());
    const bool abstract = address_[0] == '@';
    if (abstract) name.sun_path[0] = '\0';
    const std::size_t bytes =
        offsetof(sockaddr_un, sun_path) + address_.size() + (abstract ? 0 : 1);
    AGENT_CHECK(::bind(fd_.get(), reinterpret_cast<const sockaddr*>(&name),
                       static_cast<socklen_t>(bytes)) == 0);
  }

  [[nodiscard]] const std::string& address() const { return address_; }

  // The next message that has come; empty when none has.
  std::string Next() {
    std::array<char, 4096> buffer = {};
    const ssize_t got = ::recv(fd_.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
    return got > 0 ? std::string(buffer.data(), static_cast<std::size_t>(got)) : std::string();
  }

 private:
  std::string address_;
  UniqueFd fd_;
};

}  // namespace agent
