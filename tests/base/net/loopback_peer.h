// What a connection of ours talks to in tests: a listener on loopback, whose script runs with the
// accepted socket, blocking, on a thread of its own.

#pragma once

#include <openssl/ssl.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <thread>

#include "base/loop.h"
#include "base/net/stream_connection.h"
#include "base/unique_fd.h"

namespace agent {

class LoopbackPeer {
 public:
  // `script` runs once for each of `connections` that are accepted, one after the other.
  explicit LoopbackPeer(std::function<void(int)> script, int connections = 1);
  LoopbackPeer(const LoopbackPeer&) = delete;
  LoopbackPeer& operator=(const LoopbackPeer&) = delete;
  ~LoopbackPeer();

  [[nodiscard]] uint16_t port() const { return port_; }

 private:
  UniqueFd listener_;
  uint16_t port_ = 0;
  std::thread thread_;
};

// Until so many bytes are there, or the end.
std::string ReadBytes(int fd, std::size_t size);
void WriteBytes(int fd, std::string_view bytes);
// The connection ends with a reset instead of a FIN.
void ResetOnClose(int fd);

// A certificate as PEM, and its key.
struct TestCertificate {
  std::string cert;
  std::string key;
};
// `name`: its subject, and, with "IP:" or "DNS:" before it, whom it is for. `issuer` null: it signs
// itself, and is an authority.
TestCertificate MakeTestCertificate(const std::string& subject, const std::string& valid_for,
                                    const TestCertificate* issuer = nullptr);
// SHA-256 of the first certificate, as 64 digits.
std::string FingerprintOf(const std::string& certificate);
std::string EncryptedKey(const std::string& key, const std::string& passphrase);

// The server's side of TLS.
class TlsPeer {
 public:
  // A second certificate in `own.cert` is shown with the first. `client_authority` not empty:
  // client certificates are demanded.
  TlsPeer(int fd, const TestCertificate& own, const std::string& client_authority = "");
  [[nodiscard]] bool accepted() const { return accepted_; }
  std::string Read(std::size_t size);
  void Write(std::string_view bytes);
  void SendEnd() { SSL_shutdown(ssl_.get()); }

 private:
  std::unique_ptr<SSL_CTX, void (*)(SSL_CTX*)> context_;
  std::unique_ptr<SSL, void (*)(SSL*)> ssl_;
  bool accepted_ = false;
};

// Writes down what it is told; the loop stops at the end.
class RecordingClient final : public StreamClient {
 public:
  explicit RecordingClient(Loop& loop) : loop_(loop) {}
  void OnConnected() override {
    connected = true;
    if (on_connected) on_connected();
  }
  void OnReceived(std::string_view bytes) override {
    received += bytes;
    if (on_received) on_received();
  }
  void OnWritable() override {
    if (on_writable) on_writable();
  }
  void OnEnded(const StreamEnd& how) override {
    end = how;
    ++ends;
    loop_.Stop();
  }

  bool connected = false;
  std::string received;
  int ends = 0;
  StreamEnd end;
  std::function<void()> on_connected;
  std::function<void()> on_received;
  std::function<void()> on_writable;

 private:
  Loop& loop_;
};

}  // namespace agent
