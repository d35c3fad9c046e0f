#include <sys/socket.h>

#include <cerrno>

#include <uv.h>

#include "base/net/transport.h"
#include "base/result.h"

namespace agent {
namespace {

class PlainTransport final : public Transport {
 public:
  explicit PlainTransport(int fd) : fd_(fd) {}

  Outcome Handshake() override { return {}; }

  Outcome Read(std::span<char> buffer) override {
    ssize_t size = 0;
    do {
      size = ::recv(fd_, buffer.data(), buffer.size(), 0);
    } while (size < 0 && errno == EINTR);
    if (size > 0) return {State::kDone, static_cast<std::size_t>(size)};
    if (size == 0) {
      end_ = {StreamEndKind::kClosed, ""};
      return {State::kEnded};
    }
    return Failed("receive", UV_READABLE);
  }

  Outcome Write(std::string_view bytes) override {
    ssize_t size = 0;
    do {
      size = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    } while (size < 0 && errno == EINTR);
    if (size >= 0) return {State::kDone, static_cast<std::size_t>(size)};
    return Failed("send", UV_WRITABLE);
  }

  Outcome Shutdown() override {
    ::shutdown(fd_, SHUT_WR);  // Of a connection that is gone it fails, which reading tells.
    return {};
  }

  [[nodiscard]] int wanted_events() const override { return wanted_events_; }
  [[nodiscard]] const StreamEnd& end() const override { return end_; }

 private:
  Outcome Failed(std::string_view what, int wanted_events) {
    wanted_events_ = wanted_events;
    if (errno == EAGAIN) return {State::kWait};
    end_ = {StreamEndKind::kBroken, ErrnoError(errno, what).message};
    return {State::kEnded};
  }

  const int fd_;
  int wanted_events_ = UV_READABLE;
  StreamEnd end_;
};

}  // namespace

std::unique_ptr<Transport> MakePlainTransport(int fd) {
  return std::make_unique<PlainTransport>(fd);
}

}  // namespace agent
