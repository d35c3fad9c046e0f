#include "agent/receivers/syslog/syslog_tcp.h"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <string_view>
#include <utility>

#include <uv.h>

#include "agent/http/listen.h"
#include "agent/receivers/syslog/peer_address.h"

namespace agent {
namespace {

using std::chrono::duration_cast;
using std::chrono::milliseconds;

constexpr std::size_t kBufferBytes = std::size_t{64} << 10;
// Of one connection, before another one may.
constexpr std::size_t kBytesPerTurn = 4 * kBufferBytes;
constexpr std::size_t kMaxBytesAtClose = std::size_t{16} << 20;
constexpr int kAcceptsPerTurn = 64;
constexpr milliseconds kAcceptPause{1000};  // When there is no descriptor left.
// Promtail has no limit for messages that are lines.
constexpr std::size_t kMinLineBytes = std::size_t{64} << 10;

SyslogFraming::Limits ToLimits(const SyslogConfig& config) {
  return {config.max_message_length,
          std::max<std::size_t>(config.max_message_length, kMinLineBytes)};
}

milliseconds IdleLook(std::chrono::nanoseconds idle_timeout) {
  return std::clamp(duration_cast<milliseconds>(idle_timeout) / 10, milliseconds(20),
                    milliseconds(1000));
}

}  // namespace

Result<std::unique_ptr<SyslogServer>> OpenSyslogTcp(
    const SyslogServer::Options& options, const SyslogServer::Dependencies& dependencies) {
  std::unique_ptr<TlsServer> tls;
  if (options.config.uses_tls()) {
    auto loaded = TlsServer::Load(options.config.tls);
    if (!loaded.ok()) return std::move(loaded).error().Wrap("tls_config");
    tls = std::move(*loaded);
  }
  auto listener = ListenOn(options.config.listen_address, options.config.listen_port);
  if (!listener.ok()) return std::move(listener).error();
  return std::unique_ptr<SyslogServer>(
      std::make_unique<SyslogTcp>(options, dependencies, std::move(*listener), std::move(tls)));
}

SyslogTcp::SyslogTcp(const Options& options, const Dependencies& dependencies, UniqueFd listener,
                     std::unique_ptr<TlsServer> tls)
    : options_(options),
      dependencies_(dependencies),
      listener_(std::move(listener)),
      tls_(std::move(tls)),
      acceptable_(dependencies.loop, listener_.get()),
      accept_pause_(dependencies.loop),
      line_timer_(dependencies.loop),
      idle_timer_(dependencies.loop),
      buffer_(kBufferBytes) {
  if (options.lookup) {
    names_ = std::make_unique<HostNames>(dependencies.loop, dependencies.clock, options.lookup);
  }
  Listen();
}

SyslogTcp::~SyslogTcp() = default;

uint16_t SyslogTcp::port() const {
  return BoundPort(listener_);
}

SyslogTcp::Connection* SyslogTcp::Find(uint64_t id) {
  const auto found = connections_.find(id);
  return found != connections_.end() ? found->second.get() : nullptr;
}

// --- Connections come

void SyslogTcp::Listen() {
  if (std::exchange(listening_, true)) return;
  acceptable_.Start(UV_READABLE, [this](int, int) { Accept(); });
}

void SyslogTcp::Accept() {
  for (int i = 0; i < kAcceptsPerTurn && connections_.size() < options_.max_connections; ++i) {
    sockaddr_storage address{};
    socklen_t size = sizeof address;
    UniqueFd fd(::accept4(listener_.get(), reinterpret_cast<sockaddr*>(&address), &size,
                          SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (fd.valid()) {
      Admit(std::move(fd), PeerAddress(address));
      continue;
    }
    if (errno == EAGAIN) return;
    if (errno == EINTR || errno == ECONNABORTED) continue;
    dependencies_.logger.WriteLimited(
        LogLevel::kWarn, "syslog accept " + options_.job, "syslog",
        "a sender's connection cannot be accepted: it waits",
        {{"job", options_.job}, {"error", ErrnoError(errno, "accept").message}});
    acceptable_.Stop();
    listening_ = false;
    accept_pause_.StartOnce(kAcceptPause, [this] { Listen(); });
    return;
  }
  if (connections_.size() < options_.max_connections) return;
  acceptable_.Stop();
  listening_ = false;
  dependencies_.logger.WriteLimited(
      LogLevel::kWarn, "syslog connections " + options_.job, "syslog",
      "there are as many connections as there may be: more senders wait until one ends",
      {{"job", options_.job}, {"connections", connections_.size()}});
}

void SyslogTcp::Admit(UniqueFd fd, const std::string& ip_address) {
  auto stream = tls_ != nullptr ? tls_->MakeStream(fd.get()) : MakePlainStream(fd.get());
  if (stream == nullptr) return;
  const uint64_t id = next_id_++;
  auto connection = std::make_unique<Connection>(ToLimits(options_.config));
  connection->id = id;
  connection->watcher = std::make_unique<FdWatcher>(dependencies_.loop, fd.get());
  connection->fd = std::move(fd);
  connection->stream = std::move(stream);
  connection->peer.ip_address = ip_address;
  connections_[id] = std::move(connection);
  ++dependencies_.counters.accepted;
  if (!idle_timer_.active()) {
    idle_timer_.StartRepeating(IdleLook(options_.config.idle_timeout), [this] { CloseIdle(); });
  }
  if (names_ == nullptr) return Named(id, "");
  names_->Ask(ip_address, [this, id](const std::string& names) { Named(id, names); });
}

void SyslogTcp::Named(uint64_t id, const std::string& names) {
  Connection* const connection = Find(id);
  if (connection == nullptr) return;
  connection->peer.hostname = names;
  connection->named = true;
  connection->last_read_ns = dependencies_.clock.MonotonicNanos();
  if (!paused_) Watch(*connection);
}

void SyslogTcp::Watch(Connection& connection) {
  const int events = connection.stream->wanted_events();
  if (connection.watched_events == events) return;
  connection.watched_events = events;
  connection.watcher->Start(events, [this, id = connection.id](int, int) {
    if (Connection* const ready = Find(id)) ReadFrom(*ready);
  });
}

// --- Bytes come

void SyslogTcp::ReadFrom(Connection& connection) {
  last_read_id_ = connection.id;
  std::size_t total = 0;
  while (!paused_) {
    const PeerStream::ReadResult result = connection.stream->Read(buffer_);
    if (result.state == PeerStream::State::kWait) break;
    if (result.state != PeerStream::State::kData) return OnEnd(connection, result.state);
    if (!TakeBytes(connection, {buffer_.data(), result.bytes})) return;
    total += result.bytes;
    // What the stream has taken off the descriptor would not be told again.
    if (connection.stream->has_more()) continue;
    if (result.bytes < buffer_.size() || total >= kBytesPerTurn) break;
  }
  if (total > 0 && connection.framing.waits() && !line_timer_.active()) {
    line_timer_.StartOnce(options_.line_pause, [this] { FlushLines(); });
  }
  if (!paused_) Watch(connection);
}

bool SyslogTcp::TakeBytes(Connection& connection, std::string_view bytes) {
  connection.last_read_ns = dependencies_.clock.MonotonicNanos();
  SyslogSink& sink = dependencies_.sink;
  const SyslogFraming::Status status = connection.framing.Add(
      bytes,
      [&sink, &connection](std::string_view message) { sink.OnMessage(connection.peer, message); });
  CountCuts(connection);
  if (!sink.OnReadEnd(bytes.size())) Pause();
  if (status == SyslogFraming::Status::kGoOn) return true;
  OnBadFraming(connection, status);
  return false;
}

void SyslogTcp::CountCuts(Connection& connection) {
  const uint64_t cuts = connection.framing.cut_messages();
  dependencies_.counters.cut_messages += cuts - connection.counted_cuts;
  connection.counted_cuts = cuts;
}

void SyslogTcp::FlushLines() {
  const int64_t now = dependencies_.clock.MonotonicNanos();
  bool again = false;
  SyslogSink& sink = dependencies_.sink;
  for (const auto& [id, connection] : connections_) {
    if (!connection->framing.waits()) continue;
    const std::chrono::nanoseconds pause(now - connection->last_read_ns);
    if (pause < options_.line_pause) {
      again = true;
      continue;
    }
    connection->framing.Flush([&sink, &peer = connection->peer](std::string_view message) {
      sink.OnMessage(peer, message);
    });
    CountCuts(*connection);
  }
  if (!sink.OnReadEnd(0)) Pause();
  if (again) line_timer_.StartOnce(options_.line_pause, [this] { FlushLines(); });
}

// --- Connections end

void SyslogTcp::OnEnd(Connection& connection, PeerStream::State state) {
  const bool refused = state == PeerStream::State::kRefused;
  if (refused) ++dependencies_.counters.refused_tls;
  if (!connection.stream->error().empty()) {
    dependencies_.logger.WriteLimited(
        refused ? LogLevel::kWarn : LogLevel::kInfo,
        (refused ? "syslog tls " : "syslog connection ") + options_.job, "syslog",
        refused ? "a sender is refused: there is no TLS connection with it"
                : "a sender's connection broke",
        {{"job", options_.job},
         {"from", connection.peer.ip_address},
         {"error", connection.stream->error()}});
  }
  Finish(connection);
}

void SyslogTcp::OnBadFraming(Connection& connection, SyslogFraming::Status status) {
  const bool unknown = status == SyslogFraming::Status::kUnknown;
  ++(unknown ? dependencies_.counters.refused_framing : dependencies_.counters.broken_framing);
  dependencies_.logger.WriteLimited(
      LogLevel::kWarn, "syslog framing " + options_.job, "syslog",
      unknown ? "a sender is refused: what it sends is no syslog"
              : "the length of a message is malformed: the connection is closed",
      {{"job", options_.job},
       {"from", connection.peer.ip_address},
       {"hint", tls_ == nullptr ? "a message begins with '<', or with its length; "
                                  "tls_config is needed for TLS"
                                : "a message begins with '<', or with its length"}});
  Finish(connection);
}

void SyslogTcp::Finish(Connection& connection) {
  SyslogSink& sink = dependencies_.sink;
  const bool whole = connection.framing.End(
      [&sink, &connection](std::string_view message) { sink.OnMessage(connection.peer, message); });
  if (!whole) ++dependencies_.counters.broken_framing;
  CountCuts(connection);
  connections_.erase(connection.id);
  if (connections_.empty()) idle_timer_.Stop();
  if (!sink.OnReadEnd(0)) Pause();
  if (!listening_ && !accept_pause_.active()) Listen();
}

void SyslogTcp::CloseIdle() {
  if (paused_) return;
  const int64_t now = dependencies_.clock.MonotonicNanos();
  for (const uint64_t id : Ids()) {
    Connection& connection = *connections_.at(id);
    const std::chrono::nanoseconds idle(now - connection.last_read_ns);
    if (!connection.named || idle <= options_.config.idle_timeout) continue;
    ++dependencies_.counters.idle_closed;
    Finish(connection);
  }
}

// --- Pauses

std::vector<uint64_t> SyslogTcp::Ids() const {
  std::vector<uint64_t> ids;
  ids.reserve(connections_.size());
  for (const auto& [id, connection] : connections_)
    ids.push_back(id);
  std::rotate(ids.begin(), std::upper_bound(ids.begin(), ids.end(), last_read_id_), ids.end());
  return ids;
}

void SyslogTcp::Pause() {
  if (std::exchange(paused_, true)) return;
  for (const auto& [id, connection] : connections_) {
    connection->watcher->Stop();
    connection->watched_events = 0;
  }
}

void SyslogTcp::Resume() {
  if (!std::exchange(paused_, false)) return;
  const int64_t now = dependencies_.clock.MonotonicNanos();
  for (const auto& [id, connection] : connections_)
    connection->last_read_ns = now;
  for (const uint64_t id : Ids()) {
    if (paused_) return;
    Connection* const connection = Find(id);
    if (connection != nullptr && connection->named) ReadFrom(*connection);
  }
}

void SyslogTcp::Close() {
  // First nobody may come any more: who did would have sent, and be lost.
  Accept();
  acceptable_.Stop();
  listening_ = true;  // Never again.
  listener_.Reset();
  accept_pause_.Stop();
  line_timer_.Stop();
  idle_timer_.Stop();
  for (const uint64_t id : Ids()) {
    Connection* connection = Find(id);
    std::size_t total = 0;
    while (connection != nullptr && !paused_ && total < kMaxBytesAtClose) {
      const PeerStream::ReadResult result = connection->stream->Read(buffer_);
      if (result.state != PeerStream::State::kData) break;
      total += result.bytes;
      if (!TakeBytes(*connection, {buffer_.data(), result.bytes})) connection = nullptr;
    }
    if (connection != nullptr) Finish(*connection);
  }
}

}  // namespace agent
