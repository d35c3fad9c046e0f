#include "base/net/tls_transport.h"

#include <openssl/err.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <utility>

#include <uv.h>

#include "base/result.h"

#include <openssl/x509.h>

namespace agent {
namespace openssl {

std::string TakeError() {
  std::array<char, 256> text{};
  const unsigned long code = ERR_get_error();  // NOLINT(google-runtime-int): OpenSSL's type.
  if (code == 0) return "unknown error";
  const char* const reason = ERR_reason_error_string(code);
  if (reason == nullptr) ERR_error_string_n(code, text.data(), text.size());
  ERR_clear_error();
  return reason != nullptr ? reason : text.data();
}

}  // namespace openssl

namespace {

// OpenSSL numbers an alert that the peer has sent so.
constexpr int kFirstAlert = 1000;

class TlsTransport final : public Transport {
 public:
  explicit TlsTransport(openssl::SslPtr ssl) : ssl_(std::move(ssl)) {}
  TlsTransport(const TlsTransport&) = delete;
  TlsTransport& operator=(const TlsTransport&) = delete;
  ~TlsTransport() override {
    // Tells the peer, if there is room for it, that this is an end and no break.
    if (SSL_is_init_finished(ssl_.get()) == 1 && !ended_) SSL_shutdown(ssl_.get());
    ERR_clear_error();
  }

  Outcome Handshake() override {
    Begin();
    const int result = SSL_do_handshake(ssl_.get());
    return result == 1 ? Outcome{} : Failed(result);
  }

  Outcome Read(std::span<char> buffer) override {
    Begin();
    const int room = static_cast<int>(std::min<std::size_t>(buffer.size(), INT_MAX));
    const int size = SSL_read(ssl_.get(), buffer.data(), room);
    if (size > 0) return {State::kDone, static_cast<std::size_t>(size)};
    return Failed(size);
  }

  Outcome Write(std::string_view bytes) override {
    Begin();
    const int most = static_cast<int>(std::min<std::size_t>(bytes.size(), INT_MAX));
    const int size = SSL_write(ssl_.get(), bytes.data(), most);
    if (size > 0) return {State::kDone, static_cast<std::size_t>(size)};
    return Failed(size);
  }

  Outcome Shutdown() override {
    Begin();
    const int result = SSL_shutdown(ssl_.get());
    // 0: ours is sent, and the peer's has not come, which reading waits for.
    if (result < 0) {
      const Outcome outcome = Failed(result);
      if (outcome.state == State::kWait) return outcome;
    }
    ::shutdown(SSL_get_fd(ssl_.get()), SHUT_WR);
    return {};
  }

  [[nodiscard]] int wanted_events() const override { return wanted_events_; }
  [[nodiscard]] const StreamEnd& end() const override { return end_; }

 private:
  static void Begin() {
    ERR_clear_error();
    errno = 0;
  }

  Outcome Failed(int result) {
    const int system_error = errno;
    const bool connected = SSL_is_init_finished(ssl_.get()) == 1;
    switch (SSL_get_error(ssl_.get(), result)) {
      case SSL_ERROR_WANT_READ:
        wanted_events_ = UV_READABLE;
        return {State::kWait};
      case SSL_ERROR_WANT_WRITE:
        wanted_events_ = UV_WRITABLE;
        return {State::kWait};
      case SSL_ERROR_ZERO_RETURN:
        end_ = {StreamEndKind::kClosed, ""};
        break;
      case SSL_ERROR_SYSCALL:
        end_ = {StreamEndKind::kBroken, system_error != 0
                                            ? ErrnoError(system_error, "TLS").message
                                            : "TLS: the peer has ended the connection"};
        break;
      default:
        end_ = Refused(connected);
    }
    ended_ = true;
    return {State::kEnded};
  }

  [[nodiscard]] StreamEnd Refused(bool connected) const {
    const int reason = ERR_GET_REASON(ERR_peek_error());
    if (reason == SSL_R_UNEXPECTED_EOF_WHILE_READING) {
      ERR_clear_error();
      return {StreamEndKind::kBroken, "TLS: the peer has cut the connection"};
    }
    // With TLS 1.3 a peer that does not accept our certificate says so after the handshake.
    const bool untrusted = !connected || reason >= kFirstAlert;
    std::string text = "TLS: " + openssl::TakeError();
    const auto verified = SSL_get_verify_result(ssl_.get());
    if (!connected && verified != X509_V_OK) {
      text += std::string(": ") + X509_verify_cert_error_string(verified);
    }
    return {untrusted ? StreamEndKind::kUntrusted : StreamEndKind::kBroken, std::move(text)};
  }

  const openssl::SslPtr ssl_;
  int wanted_events_ = UV_READABLE;
  bool ended_ = false;
  StreamEnd end_;
};

}  // namespace

std::unique_ptr<Transport> MakeTlsTransport(openssl::SslPtr ssl) {
  return std::make_unique<TlsTransport>(std::move(ssl));
}

}  // namespace agent
