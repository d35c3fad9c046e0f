#include "outputs/logstash/lumberjack_connection.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace agent::logstash {

using std::chrono::milliseconds;

LumberjackConnection::LumberjackConnection(const Dependencies& dependencies, std::size_t host,
                                           StreamOptions stream, const SessionOptions& session)
    : dependencies_(dependencies),
      host_(host),
      session_options_(session),
      timer_(dependencies.loop) {
  stream_.emplace(dependencies.loop, std::move(stream), dependencies.tls, *this);
}

bool LumberjackConnection::may_send() const {
  return session_ && !ended_ && session_->may_send(dependencies_.clock.MonotonicNanos());
}

void LumberjackConnection::Send(WindowQueue::Window window) {
  session_->Send(window.id, window.events, std::move(window.body),
                 dependencies_.clock.MonotonicNanos());
  if (!blocked_) WriteMore();
  ArmTimer();
}

void LumberjackConnection::OnConnected() {
  session_.emplace(session_options_, dependencies_.clock.MonotonicNanos());
  ArmTimer();
  dependencies_.owner.OnRoom(*this);
}

void LumberjackConnection::OnWritable() {
  blocked_ = false;
  WriteMore();
}

void LumberjackConnection::WriteMore() {
  for (std::string_view bytes = session_->unwritten(); !bytes.empty();
       bytes = session_->unwritten()) {
    const std::size_t taken = stream_->Write(bytes);
    session_->Wrote(taken, dependencies_.clock.MonotonicNanos());
    if (taken < bytes.size()) {
      blocked_ = true;
      return;
    }
  }
}

void LumberjackConnection::OnReceived(std::string_view bytes) {
  const auto acked = session_->OnReceived(bytes, dependencies_.clock.MonotonicNanos());
  bool room = false;
  for (const Session::Acked& each : acked) {
    dependencies_.owner.OnAcked(*this, each);
    room = room || each.whole;
  }
  if (ended_) return;
  if (!session_->problem().empty()) {
    return End({.kind = ConnectionEnd::Kind::kFailed,
                .error = session_->problem(),
                .unfinished = session_->unfinished(),
                .by_window = true});
  }
  ArmTimer();
  if (room) dependencies_.owner.OnRoom(*this);
}

void LumberjackConnection::OnEnded(const StreamEnd& end) {
  if (ended_) return;
  ConnectionEnd how;
  how.error = end.error.empty() ? "the server has closed the connection" : end.error;
  how.kind = end.kind == StreamEndKind::kUntrusted ? ConnectionEnd::Kind::kUntrusted
                                                   : ConnectionEnd::Kind::kFailed;
  if (session_) {
    how.unfinished = session_->unfinished();
    if (how.kind == ConnectionEnd::Kind::kFailed) {
      if (session_->may_end()) how.kind = ConnectionEnd::Kind::kQuiet;
      how.by_window = session_->has_begun() && !session_->may_end();
    }
  }
  End(how);
}

// A deadline moves with each sign of life: the timer is looked at when it is there.
void LumberjackConnection::ArmTimer() {
  const std::optional<int64_t> deadline = session_->deadline();
  if (!deadline) return timer_.Stop();
  const int64_t wait_ns = *deadline - dependencies_.clock.MonotonicNanos();
  const int64_t wait_ms = std::max<int64_t>(0, wait_ns / kNanosPerMilli + 1);
  timer_.StartOnce(milliseconds(wait_ms), [this] { OnTimer(); });
}

void LumberjackConnection::OnTimer() {
  ConnectionEnd end{.kind = ConnectionEnd::Kind::kFailed,
                    .error = {},
                    .unfinished = session_->unfinished(),
                    .by_window = false};
  switch (session_->Check(dependencies_.clock.MonotonicNanos())) {
    case Session::Due::kNothing:
      return ArmTimer();
    case Session::Due::kClose:
      end.kind = ConnectionEnd::Kind::kQuiet;
      break;
    case Session::Due::kTimedOut:
      end.error = "no sign of life from the server within the timeout";
      end.by_window = session_->has_begun();
      break;
    case Session::Due::kStalled:
      end.error = "the server has acknowledged nothing within ack_stall_limit";
      break;
  }
  End(end);
}

void LumberjackConnection::End(const ConnectionEnd& end) {
  ended_ = true;
  timer_.Stop();
  stream_.reset();
  dependencies_.owner.OnConnectionEnded(*this, end);
}

}  // namespace agent::logstash
