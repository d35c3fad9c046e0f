// Servers that say what a test wants to whoever connects, or nothing.

#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdint>
#include <string>
#include <thread>

#include "base/check.h"
#include "base/unique_fd.h"

namespace agent::doctor {

// Bound to a free port of 127.0.0.1.
inline UniqueFd BoundSocket(uint16_t& port, int type = SOCK_STREAM) {
  UniqueFd fd(::socket(AF_INET, type | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  AGENT_CHECK(::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0);
  socklen_t size = sizeof(address);
  AGENT_CHECK(::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&address), &size) == 0);
  port = ntohs(address.sin_port);
  return fd;
}

// A port that is taken, and that nobody listens on.
class ClosedPort {
 public:
  ClosedPort() : fd_(BoundSocket(port_)) {}
  [[nodiscard]] uint16_t number() const { return port_; }

 private:
  uint16_t port_ = 0;
  UniqueFd fd_;
};

// Takes connections and leaves them alone.
class SilentServer {
 public:
  SilentServer() : fd_(BoundSocket(port_)) { AGENT_CHECK(::listen(fd_.get(), 16) == 0); }
  [[nodiscard]] uint16_t port() const { return port_; }

 private:
  uint16_t port_ = 0;
  UniqueFd fd_;
};

// Says something to the first who connects and speaks, and closes.
class AnsweringServer {
 public:
  explicit AnsweringServer(std::string answer)
      : answer_(std::move(answer)), fd_(BoundSocket(port_)) {
    AGENT_CHECK(::listen(fd_.get(), 16) == 0);
    thread_ = std::thread([this] {
      const UniqueFd peer(::accept(fd_.get(), nullptr, nullptr));
      char byte = 0;
      if (::recv(peer.get(), &byte, 1, MSG_PEEK) > 0)
        static_cast<void>(::send(peer.get(), answer_.data(), answer_.size(), MSG_NOSIGNAL));
      // All of it is read, so that closing does not reset the answer away.
      ::shutdown(peer.get(), SHUT_WR);
      while (::recv(peer.get(), &byte, 1, 0) > 0) {
      }
    });
  }
  AnsweringServer(const AnsweringServer&) = delete;
  AnsweringServer& operator=(const AnsweringServer&) = delete;
  ~AnsweringServer() {
    ::shutdown(fd_.get(), SHUT_RDWR);
    thread_.join();
  }
  [[nodiscard]] uint16_t port() const { return port_; }

 private:
  const std::string answer_;
  uint16_t port_ = 0;
  UniqueFd fd_;
  std::thread thread_;
};

}  // namespace agent::doctor
