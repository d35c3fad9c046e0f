#include "tests/support/sink_stream.h"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <utility>

namespace agent {
namespace {

constexpr int kPollMillis = 50;

}  // namespace

SinkStream::SinkStream(UniqueFd fd, SSL_CTX* context, const std::atomic<bool>& stop)
    : fd_(std::move(fd)), stop_(stop) {
  if (context != nullptr) {
    ssl_.reset(SSL_new(context));
    SSL_set_fd(ssl_.get(), fd_.get());
  }
}

bool SinkStream::Open() {
  return ssl_ == nullptr || SSL_accept(ssl_.get()) == 1;
}

bool SinkStream::WaitReadable() const {
  while (!stop_) {
    pollfd poll_fd{.fd = fd_.get(), .events = POLLIN, .revents = 0};
    if (::poll(&poll_fd, 1, kPollMillis) > 0) return true;
  }
  return false;
}

bool SinkStream::Read(std::string& out, std::size_t max_bytes) {
  std::array<char, 65536> piece{};
  const std::size_t wanted = std::min(max_bytes, piece.size());
  const bool buffered = ssl_ != nullptr && SSL_pending(ssl_.get()) > 0;
  if (!buffered && !WaitReadable()) return false;
  const ssize_t count = ssl_ != nullptr
                            ? SSL_read(ssl_.get(), piece.data(), static_cast<int>(wanted))
                            : ::recv(fd_.get(), piece.data(), wanted, 0);
  if (count <= 0) return false;
  out.append(piece.data(), static_cast<std::size_t>(count));
  return true;
}

bool SinkStream::Write(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ssl_ != nullptr
                              ? SSL_write(ssl_.get(), bytes.data(), static_cast<int>(bytes.size()))
                              : ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (count <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
  return true;
}

void SinkStream::ResetOnClose() {
  const linger at_once{.l_onoff = 1, .l_linger = 0};
  ::setsockopt(fd_.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
}

void SinkStream::WaitForClose() {
  std::string ignored;
  while (Read(ignored, 4096))
    ignored.clear();
}

}  // namespace agent
