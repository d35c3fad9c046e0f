// The bytes that a sender's connection carries, in the clear or by TLS, without ever waiting.

#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "agent/config/config.h"
#include "base/result.h"

namespace agent {

class PeerStream {
 public:
  enum class State : uint8_t {
    kData,     // `bytes` have been read.
    kWait,     // For one of wanted_events() on the descriptor.
    kEnded,    // The sender has closed it, or it broke: error().
    kRefused,  // No TLS connection has come about: error().
  };
  struct ReadResult {
    State state = State::kWait;
    std::size_t bytes = 0;
  };
  virtual ~PeerStream() = default;

  virtual ReadResult Read(std::span<char> buffer) = 0;
  // UV_READABLE or UV_WRITABLE, after kWait.
  [[nodiscard]] virtual int wanted_events() const = 0;
  // There may be more to read although the descriptor has nothing.
  [[nodiscard]] virtual bool has_more() const = 0;
  // Empty after a regular end.
  [[nodiscard]] virtual const std::string& error() const = 0;
};

// `fd` stays the caller's, and open for as long; it does not block.
std::unique_ptr<PeerStream> MakePlainStream(int fd);

// A server's certificate and key, and what it asks of its clients. Loop thread.
class TlsServer {
 public:
  // Reads the files. With `ca` or `ca_file` clients need a certificate that is signed by it.
  static Result<std::unique_ptr<TlsServer>> Load(const TlsConfig& config);
  TlsServer(const TlsServer&) = delete;
  TlsServer& operator=(const TlsServer&) = delete;
  ~TlsServer();

  // As MakePlainStream(); may outlive the server. Null: there is no memory for it.
  [[nodiscard]] std::unique_ptr<PeerStream> MakeStream(int fd) const;

 private:
  struct Context;
  explicit TlsServer(std::unique_ptr<Context> context);

  std::unique_ptr<Context> context_;
};

}  // namespace agent
