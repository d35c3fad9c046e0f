#include <sys/socket.h>

#include <cerrno>

#include <uv.h>

#include "agent/receivers/syslog/peer_stream.h"

namespace agent {
namespace {

class PlainStream final : public PeerStream {
 public:
  explicit PlainStream(int fd) : fd_(fd) {}

  ReadResult Read(std::span<char> buffer) override {
    ssize_t size = 0;
    do {
      size = ::recv(fd_, buffer.data(), buffer.size(), 0);
    } while (size < 0 && errno == EINTR);
    if (size > 0) return {State::kData, static_cast<std::size_t>(size)};
    if (size == 0) return {State::kEnded};
    if (errno == EAGAIN) return {State::kWait};
    error_ = ErrnoError(errno, "read").message;
    return {State::kEnded};
  }

  [[nodiscard]] int wanted_events() const override { return UV_READABLE; }
  [[nodiscard]] bool has_more() const override { return false; }
  [[nodiscard]] const std::string& error() const override { return error_; }

 private:
  const int fd_;
  std::string error_;
};

}  // namespace

std::unique_ptr<PeerStream> MakePlainStream(int fd) {
  return std::make_unique<PlainStream>(fd);
}

}  // namespace agent
