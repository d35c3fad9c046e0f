#include "base/net/stream_connection.h"

#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include <uv.h>

namespace agent {
namespace {

using std::chrono::milliseconds;

constexpr std::size_t kReadBytes = std::size_t{16} << 10;
// Then others have their turn.
constexpr int kReadsPerTurn = 16;

void SetOption(int fd, int level, int name, int value) {
  // Where the system does not have it, it works without.
  ::setsockopt(fd, level, name, &value, sizeof(value));
}

}  // namespace

StreamConnection::StreamConnection(Loop& loop, StreamOptions options, TlsClient* tls,
                                   StreamClient& client)
    : loop_(loop),
      options_(std::move(options)),
      tls_(tls),
      client_(client),
      alive_(std::make_shared<char>()),
      connect_timer_(loop),
      soon_(loop) {
  uv_update_time(loop_.uv());
  deadline_ms_ = static_cast<int64_t>(uv_now(loop_.uv())) + options_.connect_timeout.count();
  connect_timer_.StartOnce(options_.connect_timeout, [this] {
    End({StreamEndKind::kUnreachable, "look up " + options_.host + ": no answer in time"});
  });
  lookup_.emplace(loop_, options_.host, options_.port, SOCK_STREAM,
                  [this](Result<std::vector<SocketAddress>> found) { OnFound(std::move(found)); });
}

StreamConnection::~StreamConnection() = default;

void StreamConnection::OnFound(Result<std::vector<SocketAddress>> found) {
  if (!found.ok()) return End({StreamEndKind::kUnreachable, found.error().message});
  addresses_ = std::move(*found);
  TryNext("");
}

// The time that is left is shared by the addresses that are left.
void StreamConnection::TryNext(const std::string& last_error) {
  std::string error = last_error;
  while (next_address_ < addresses_.size()) {
    const SocketAddress& address = addresses_[next_address_];
    const auto tries_left = static_cast<int64_t>(addresses_.size() - next_address_);
    ++next_address_;
    if (!OpenSocket(address, error)) continue;
    peer_ = address.text();
    const int64_t left = deadline_ms_ - static_cast<int64_t>(uv_now(loop_.uv()));
    connect_timer_.StartOnce(milliseconds(std::max<int64_t>(left, 0) / tries_left),
                             [this] { TryNext("connect to " + peer_ + ": no answer in time"); });
    watcher_ = std::make_unique<FdWatcher>(loop_, fd_.get());
    return Watch(UV_WRITABLE);
  }
  End({StreamEndKind::kUnreachable, std::move(error)});
}

bool StreamConnection::OpenSocket(const SocketAddress& address, std::string& error) {
  watcher_.reset();
  watched_events_ = 0;
  transport_.reset();
  fd_.Reset(::socket(address.storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd_.valid()) {
    error = ErrnoError(errno, "socket").message;
    return false;
  }
  const int fd = fd_.get();
  SetOption(fd, IPPROTO_TCP, TCP_NODELAY, 1);
  SetOption(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
  if (options_.send_buffer_bytes > 0) {
    SetOption(fd, SOL_SOCKET, SO_SNDBUF, static_cast<int>(options_.send_buffer_bytes));
  }
  if (options_.user_timeout.count() > 0) {
    SetOption(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, static_cast<int>(options_.user_timeout.count()));
  }
  if (::connect(fd, address.get(), address.size) != 0 && errno != EINPROGRESS) {
    error = ErrnoError(errno, "connect to " + address.text()).message;
    return false;
  }
  return true;
}

void StreamConnection::OnConnectProgress() {
  int problem = 0;
  socklen_t size = sizeof(problem);
  if (::getsockopt(fd_.get(), SOL_SOCKET, SO_ERROR, &problem, &size) != 0) problem = errno;
  if (problem != 0) return TryNext(ErrnoError(problem, "connect to " + peer_).message);
  if (tls_ == nullptr) {
    transport_ = MakePlainTransport(fd_.get());
  } else {
    auto transport = tls_->MakeTransport(fd_.get(), options_.host);
    if (!transport.ok()) return End({StreamEndKind::kUntrusted, transport.error().message});
    transport_ = std::move(*transport);
  }
  state_ = State::kHandshake;
  const int64_t left = deadline_ms_ - static_cast<int64_t>(uv_now(loop_.uv()));
  connect_timer_.StartOnce(milliseconds(std::max<int64_t>(left, 0)), [this] {
    End({StreamEndKind::kUnreachable, "TLS with " + peer_ + ": no answer in time"});
  });
  Shake();
}

void StreamConnection::Shake() {
  const Transport::Outcome outcome = transport_->Handshake();
  if (outcome.state == Transport::State::kWait) return Watch(transport_->wanted_events());
  if (outcome.state == Transport::State::kEnded) return End(transport_->end());
  connect_timer_.Stop();
  state_ = State::kOpen;
  read_events_ = UV_READABLE;
  WatchOpen();
  // With its last message the peer may have sent what OpenSSL has taken already.
  soon_.StartOnce(milliseconds(0), [this] { OnEvents(UV_READABLE); });
  client_.OnConnected();
}

void StreamConnection::Watch(int events) {
  if (events == watched_events_) return;
  watched_events_ = events;
  watcher_->Start(events, [this](int status, int ready) {
    // An error is what the call that is due now will say.
    OnEvents(status == 0 ? ready : UV_READABLE | UV_WRITABLE);
  });
}

void StreamConnection::WatchOpen() {
  Watch(read_events_ | write_events_ | shutdown_events_);
}

void StreamConnection::OnEvents(int events) {
  if (state_ == State::kConnecting) return OnConnectProgress();
  if (state_ == State::kHandshake) return Shake();
  if (state_ != State::kOpen) return;
  const Alive alive = alive_;
  if ((events & read_events_) != 0 && !ReadSome()) return;
  if ((events & shutdown_events_) != 0) FinishShutdown();
  if ((events & write_events_) != 0) {
    write_events_ = 0;
    client_.OnWritable();
    if (alive.expired() || state_ != State::kOpen) return;
  }
  WatchOpen();
}

// False when this has ended, or may be gone.
bool StreamConnection::ReadSome() {
  const Alive alive = alive_;
  std::array<char, kReadBytes> buffer;  // NOLINT(cppcoreguidelines-pro-type-member-init)
  for (int i = 0; i < kReadsPerTurn; ++i) {
    const Transport::Outcome outcome = transport_->Read(buffer);
    if (outcome.state == Transport::State::kEnded) {
      End(transport_->end());
      return false;
    }
    if (outcome.state == Transport::State::kWait) {
      read_events_ = transport_->wanted_events();
      if (!write_end_) return true;
      End(*std::exchange(write_end_, std::nullopt));
      return false;
    }
    client_.OnReceived({buffer.data(), outcome.size});
    if (alive.expired() || state_ != State::kOpen) return false;
  }
  soon_.StartOnce(milliseconds(0), [this] { OnEvents(read_events_); });
  return true;
}

std::size_t StreamConnection::Write(std::string_view bytes) {
  std::size_t taken = 0;
  while (state_ == State::kOpen && !write_end_ && taken < bytes.size()) {
    const Transport::Outcome outcome = transport_->Write(bytes.substr(taken));
    if (outcome.state == Transport::State::kDone) {
      taken += outcome.size;
    } else if (outcome.state == Transport::State::kWait) {
      write_events_ = transport_->wanted_events();
      WatchOpen();
      break;
    } else {
      // What the peer has said before it went may be why; and may be an acknowledgement.
      write_end_ = transport_->end();
      read_events_ = UV_READABLE;
      soon_.StartOnce(milliseconds(0), [this] { OnEvents(read_events_); });
    }
  }
  return taken;
}

void StreamConnection::Shutdown() {
  if (state_ != State::kOpen) return;
  FinishShutdown();
  WatchOpen();
}

void StreamConnection::FinishShutdown() {
  const bool wait = transport_->Shutdown().state == Transport::State::kWait;
  shutdown_events_ = wait ? transport_->wanted_events() : 0;
  shut_down_ = !wait;
}

// By value: it may be the transport's, which goes.
// NOLINTNEXTLINE(performance-unnecessary-value-param)
void StreamConnection::End(StreamEnd end) {
  // Our end counts as a byte that the peer must take.
  int untaken = 0;
  end.answers_ours = end.kind == StreamEndKind::kClosed && shut_down_ &&
                     ::ioctl(fd_.get(), SIOCOUTQ, &untaken) == 0 && untaken == 0;
  state_ = State::kEnded;
  lookup_.reset();
  connect_timer_.Stop();
  soon_.Stop();
  watcher_.reset();
  transport_.reset();
  fd_.Reset();
  client_.OnEnded(end);
}

}  // namespace agent
