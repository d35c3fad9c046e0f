// One connection to a lumberjack server, with its session.

#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/loop.h"
#include "base/net/stream_connection.h"
#include "outputs/logstash/session.h"
#include "outputs/logstash/window_queue.h"

namespace agent::logstash {

class LumberjackConnection;

// How a connection has ended, and what has to be sent again.
struct ConnectionEnd {
  enum class Kind : uint8_t {
    kQuiet,      // Nobody's fault: it was idle, or had its time.
    kFailed,     // Not reached, lost, out of time, or it did what it must not.
    kUntrusted,  // TLS: one of the two does not accept the other.
  };
  Kind kind = Kind::kQuiet;
  std::string error;
  std::vector<uint64_t> unfinished;  // Windows, the oldest first.
  bool by_window = false;            // It may be the fault of the oldest.
};

// Whom a connection tells. It must not be destroyed during a call.
class ConnectionOwner {
 public:
  virtual ~ConnectionOwner() = default;
  // It may take windows: see may_send().
  virtual void OnRoom(LumberjackConnection& connection) = 0;
  virtual void OnAcked(LumberjackConnection& connection, const Session::Acked& acked) = 0;
  // Nothing follows.
  virtual void OnConnectionEnded(LumberjackConnection& connection, const ConnectionEnd& end) = 0;
};

// Loop thread.
class LumberjackConnection final : public StreamClient {
 public:
  // What is passed by reference outlives it.
  struct Dependencies {
    Loop& loop;
    const Clock& clock;
    TlsClient* tls;  // Null: plain.
    ConnectionOwner& owner;
  };
  // `host`: which of the owner's it goes to.
  LumberjackConnection(const Dependencies& dependencies, std::size_t host, StreamOptions stream,
                       const SessionOptions& session);
  LumberjackConnection(const LumberjackConnection&) = delete;
  LumberjackConnection& operator=(const LumberjackConnection&) = delete;
  ~LumberjackConnection() override = default;

  [[nodiscard]] std::size_t host() const { return host_; }
  [[nodiscard]] bool opening() const { return !session_ && !ended_; }
  [[nodiscard]] bool ended() const { return ended_; }
  [[nodiscard]] bool may_send() const;
  [[nodiscard]] std::size_t in_flight() const { return session_ ? session_->in_flight() : 0; }
  // Only when may_send().
  void Send(WindowQueue::Window window);

  void OnConnected() override;
  void OnReceived(std::string_view bytes) override;
  void OnWritable() override;
  void OnEnded(const StreamEnd& end) override;

 private:
  void WriteMore();
  void ArmTimer();
  void OnTimer();
  void End(const ConnectionEnd& end);

  const Dependencies dependencies_;
  const std::size_t host_;
  const SessionOptions session_options_;
  std::optional<Session> session_;  // While the connection is open.
  bool ended_ = false;
  bool blocked_ = false;  // The system takes no more for now.
  Timer timer_;
  std::optional<StreamConnection> stream_;
};

}  // namespace agent::logstash
