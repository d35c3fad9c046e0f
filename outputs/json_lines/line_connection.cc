#include "outputs/json_lines/line_connection.h"

#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstdint>
#include <utility>

namespace agent::json_lines {
namespace {

using std::chrono::nanoseconds;

// An idle connection whose peer is gone without a word is found so, in seconds.
constexpr int kKeepAliveIdle = 60;
constexpr int kKeepAliveInterval = 10;
constexpr int kKeepAliveProbes = 6;

// One may be on its way.
constexpr int kProbesUnanswered = 2;

StreamOptions ToStreamOptions(const JsonLinesOptions& options, const HostPort& host) {
  return {.host = host.host,
          .port = host.port,
          .connect_timeout = options.connect_timeout,
          .send_buffer_bytes = options.send_buffer_bytes};
}

void SetTcpOption(int fd, int name, int value) {
  // Where the system does not have it, it works without.
  ::setsockopt(fd, IPPROTO_TCP, name, &value, sizeof(value));
}

}  // namespace

LineConnection::LineConnection(const JsonLinesOptions& options, const HostPort& host, Loop& loop,
                               const Clock& clock, TlsClient* tls, Callbacks callbacks)
    : options_(options),
      clock_(clock),
      callbacks_(std::move(callbacks)),
      flow_({.replay_bytes = options.replay_bytes,
             .commit_delay = options.commit_delay,
             .commit_by_close = options.ack_by_close_interval.count() > 0}),
      stream_(loop, ToStreamOptions(options, host), tls, *this) {}

void LineConnection::Add(LineBatch batch) {
  if (first_added_ns_ == 0) first_added_ns_ = clock_.MonotonicNanos();
  flow_.Add(std::move(batch));
  WriteSome();
}

void LineConnection::WriteSome() {
  while (connected_ && !shut_down_) {
    const std::string_view bytes = flow_.ToWrite();
    if (bytes.empty()) break;
    const std::size_t taken = stream_.Write(bytes);
    flow_.OnWritten(taken, clock_.MonotonicNanos());
    if (taken < bytes.size()) return;
  }
  ShutDownWhenWritten();
}

// What the peer's TCP has not taken; our end of the connection counts as one. With TLS it is bytes
// of records, which are more than those that they carry.
std::size_t LineConnection::Unacknowledged() const {
  int bytes = 0;
  if (::ioctl(stream_.fd(), SIOCOUTQ, &bytes) != 0) return SIZE_MAX;
  return static_cast<std::size_t>(std::max(0, bytes));
}

// Nothing of it has come for too long although it was asked. TCP_USER_TIMEOUT would end connections
// to a receiver that is merely stuck as well, whose system answers that there is no room.
bool LineConnection::IsPeerGone(int64_t now_ns) const {
  const int64_t limit_ms = options_.tcp_user_timeout.count();
  const int64_t stalled = flow_.stalled_since();
  if (limit_ms == 0 || stalled == 0 || now_ns - stalled < limit_ms * kNanosPerMilli) return false;
  tcp_info info{};
  socklen_t size = sizeof(info);
  if (::getsockopt(stream_.fd(), IPPROTO_TCP, TCP_INFO, &info, &size) != 0) return false;
  const bool asked = info.tcpi_probes >= kProbesUnanswered || info.tcpi_retransmits > 0;
  return asked && static_cast<int64_t>(info.tcpi_last_ack_recv) >= limit_ms;
}

void LineConnection::Look() {
  if (!connected_ || ended_) return;
  const int64_t now = clock_.MonotonicNanos();
  flow_.OnUnacknowledged(Unacknowledged(), now);
  const bool committed = flow_.Commit(now);
  const int64_t limit = nanoseconds(options_.write_stall_limit).count();
  const int64_t stalled = flow_.stalled_since();
  if (stalled > 0 && now - stalled >= limit) {
    return End(Ending::kLost, "the receiver has taken nothing for too long");
  }
  if (IsPeerGone(now)) return End(Ending::kLost, "the receiver's machine does not answer");
  if (shut_down_ && now - shut_down_ns_ >= limit) {
    return End(Ending::kLost, "the receiver has not ended the connection, as it was asked to");
  }
  CloseWhenDue(now);
  if (committed) callbacks_.ready();
}

void LineConnection::CloseWhenDue(int64_t now_ns) {
  const int64_t interval = nanoseconds(options_.ack_by_close_interval).count();
  if (interval == 0 || closing_ || flow_.empty()) return;
  if (now_ns - first_added_ns_ >= interval || !flow_.HasRoom()) Close();
}

void LineConnection::Close() {
  closing_ = true;
  ShutDownWhenWritten();
}

void LineConnection::ShutDownWhenWritten() {
  if (!closing_ || shut_down_ || !connected_ || !flow_.all_written()) return;
  shut_down_ = true;
  shut_down_ns_ = clock_.MonotonicNanos();
  stream_.Shutdown();
}

void LineConnection::OnConnected() {
  connected_ = true;
  SetTcpOption(stream_.fd(), TCP_KEEPIDLE, kKeepAliveIdle);
  SetTcpOption(stream_.fd(), TCP_KEEPINTVL, kKeepAliveInterval);
  SetTcpOption(stream_.fd(), TCP_KEEPCNT, kKeepAliveProbes);
  callbacks_.ready();
}

void LineConnection::OnWritable() {
  WriteSome();
  if (!ended_) callbacks_.ready();
}

void LineConnection::OnEnded(const StreamEnd& end) {
  const bool was_connected = std::exchange(connected_, false);
  if (end.answers_ours) {
    flow_.OnClosedInOrder();
    return End(Ending::kClosedInOrder, "");
  }
  if (end.kind == StreamEndKind::kUntrusted) return End(Ending::kUntrusted, end.error);
  if (!was_connected) return End(Ending::kUnreachable, end.error);
  if (flow_.empty()) return End(Ending::kIdle, end.error);
  End(Ending::kLost, end.error.empty() ? "the receiver has closed the connection" : end.error);
}

void LineConnection::End(Ending ending, const std::string& error) {
  if (std::exchange(ended_, true)) return;
  // A copy: the callback may destroy this.
  const auto ended = callbacks_.ended;
  ended(ending, std::string(error));
}

}  // namespace agent::json_lines
