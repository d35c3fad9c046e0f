// One connection to a receiver of lines, with what is on its way over it.

#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/loop.h"
#include "base/net/stream_connection.h"
#include "base/net/tls_client.h"
#include "outputs/json_lines/json_lines_options.h"
#include "outputs/json_lines/line_batch.h"
#include "outputs/json_lines/line_flow.h"

namespace agent::json_lines {

// Loop thread. Its callbacks may destroy it.
class LineConnection final : private StreamClient {
 public:
  enum class Ending : uint8_t {
    kClosedInOrder,  // As we had asked; everything is committed.
    kIdle,           // The peer has ended it, and nothing was on its way.
    kLost,           // The peer, or the way to it; or it was stuck for too long.
    kUnreachable,    // There never was a connection.
    kUntrusted,      // One of the two does not accept the other.
  };
  struct Callbacks {
    std::function<void()> ready;  // There is room, or there was writing.
    std::function<void(Ending, const std::string& error)> ended;
  };

  // What is passed by reference outlives it; `tls` may be null.
  LineConnection(const JsonLinesOptions& options, const HostPort& host, Loop& loop,
                 const Clock& clock, TlsClient* tls, Callbacks callbacks);

  // Whether a batch may be added.
  [[nodiscard]] bool HasRoom() const {
    return connected() && !closing_ && !ended_ && flow_.HasRoom();
  }
  void Add(LineBatch batch);
  // Commits what is due, and looks whether the peer is stuck. Often, while the flow is not empty.
  void Look();
  // Nothing more is added: when all is written, the peer is told, and its end commits everything.
  void Close();
  // What must be sent again; see LineFlow.
  std::deque<LineBatch> TakeBack(uint64_t& again) { return flow_.TakeBack(again); }
  void Abandon() { flow_.Abandon(); }

  [[nodiscard]] bool connected() const { return connected_; }
  // The peer has been told that nothing more comes.
  [[nodiscard]] bool shut_down() const { return shut_down_; }
  [[nodiscard]] const LineFlow& flow() const { return flow_; }
  // Looking is of use.
  [[nodiscard]] bool active() const { return !flow_.empty() || closing_; }

 private:
  void OnConnected() override;
  void OnReceived(std::string_view /*bytes*/) override {}  // Nobody has asked.
  void OnWritable() override;
  void OnEnded(const StreamEnd& end) override;

  [[nodiscard]] std::size_t Unacknowledged() const;
  [[nodiscard]] bool IsPeerGone(int64_t now_ns) const;
  void WriteSome();
  void CloseWhenDue(int64_t now_ns);
  void ShutDownWhenWritten();
  void End(Ending ending, const std::string& error);

  const JsonLinesOptions& options_;
  const Clock& clock_;
  const Callbacks callbacks_;
  LineFlow flow_;
  bool connected_ = false;
  bool closing_ = false;
  bool shut_down_ = false;
  bool ended_ = false;
  int64_t first_added_ns_ = 0;  // Since which there is something that a close would commit.
  int64_t shut_down_ns_ = 0;
  StreamConnection stream_;
};

}  // namespace agent::json_lines
