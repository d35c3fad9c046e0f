// A connection that we open to a peer over TCP, plain or with TLS. Never waits: what happens is
// told to a client.

#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/loop.h"
#include "base/net/host_lookup.h"
#include "base/net/tls_client.h"
#include "base/net/transport.h"
#include "base/unique_fd.h"

namespace agent {

struct StreamOptions {
  std::string host;  // A name or an address; one of IPv6 may have brackets.
  uint16_t port = 0;
  std::chrono::milliseconds connect_timeout{30'000};  // Name, connection and handshake together.
  std::chrono::milliseconds user_timeout{0};          // TCP_USER_TIMEOUT; 0: the system's own.
  std::size_t send_buffer_bytes = 0;  // SO_SNDBUF; 0: the system's own, which grows.
};

// Whom a connection tells. Each call comes from the loop, and may destroy the connection.
class StreamClient {
 public:
  virtual ~StreamClient() = default;
  // Also TLS is agreed upon. From now on there may be writing.
  virtual void OnConnected() = 0;
  virtual void OnReceived(std::string_view bytes) = 0;
  // After a Write() that took less than it was given.
  virtual void OnWritable() = 0;
  // Nothing follows. Also when there never was a connection. After a peer's end nothing more can
  // be written.
  virtual void OnEnded(const StreamEnd& end) = 0;
};

// Loop thread. Destroyed, it closes at once (TLS: with an orderly end, if there is room for it).
class StreamConnection {
 public:
  // All but the options outlive it. `tls` null: plain.
  StreamConnection(Loop& loop, StreamOptions options, TlsClient* tls, StreamClient& client);
  StreamConnection(const StreamConnection&) = delete;
  StreamConnection& operator=(const StreamConnection&) = delete;
  ~StreamConnection();

  // Gives it to the system as far as that takes it, and says how much that was; if not all, then
  // OnWritable() follows, and what was not taken must come first next time. 0 before OnConnected()
  // and after a failure, which OnEnded() tells, once what was received before has been told.
  std::size_t Write(std::string_view bytes);
  // Nothing more will be written (FIN; TLS: close_notify before it). What comes is still told; the
  // peer's own end is OnEnded() with kClosed.
  void Shutdown();

  [[nodiscard]] bool connected() const { return state_ == State::kOpen; }
  // -1 before there is one, and after the end. For asking the system about it (SIOCOUTQ).
  [[nodiscard]] int fd() const { return fd_.get(); }
  // Of the peer, "127.0.0.1:5044"; empty before there is one.
  [[nodiscard]] const std::string& peer() const { return peer_; }

 private:
  enum class State : uint8_t { kConnecting, kHandshake, kOpen, kEnded };
  using Alive = std::weak_ptr<char>;

  void OnFound(Result<std::vector<SocketAddress>> found);
  void TryNext(const std::string& last_error);
  bool OpenSocket(const SocketAddress& address, std::string& error);
  void OnConnectProgress();
  void Shake();
  void OnEvents(int events);
  bool ReadSome();
  void FinishShutdown();
  void Watch(int events);
  void WatchOpen();
  void End(StreamEnd end);

  Loop& loop_;
  const StreamOptions options_;
  TlsClient* const tls_;
  StreamClient& client_;
  const std::shared_ptr<char> alive_;  // Callbacks hold it weakly: they may destroy this.
  State state_ = State::kConnecting;
  std::optional<HostLookup> lookup_;
  std::vector<SocketAddress> addresses_;
  std::size_t next_address_ = 0;
  int64_t deadline_ms_ = 0;  // Of the loop's clock.
  std::string peer_;
  // In this order: what uses the descriptor goes before it.
  UniqueFd fd_;
  std::unique_ptr<Transport> transport_;
  std::unique_ptr<FdWatcher> watcher_;
  int watched_events_ = 0;
  int read_events_ = 0;                 // What reading waits for.
  int write_events_ = 0;                // What writing waits for; 0: it does not.
  int shutdown_events_ = 0;             // The same of Shutdown().
  bool shut_down_ = false;              // Our end is on its way.
  std::optional<StreamEnd> write_end_;  // Writing has failed; what was received is told first.
  Timer connect_timer_;
  Timer soon_;
};

}  // namespace agent
