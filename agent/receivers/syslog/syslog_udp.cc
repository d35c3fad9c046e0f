// Syslog over UDP (RFC 5426): one datagram has one message, or several.

#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include <uv.h>

#include "agent/http/listen.h"
#include "agent/receivers/syslog/peer_address.h"
#include "agent/receivers/syslog/syslog_framing.h"
#include "agent/receivers/syslog/syslog_server.h"
#include "base/unique_fd.h"

namespace agent {
namespace {

constexpr std::size_t kMaxDatagrams = 32;  // Read at once.
constexpr std::size_t kMaxBufferBytes = std::size_t{512} << 10;
constexpr std::size_t kMaxDatagramBytes = std::size_t{64} << 10;
constexpr int kReadsPerTurn = 16;
constexpr int kReadsAtClose = 4096;
constexpr int kReceiveBufferBytes = 4 << 20;  // The kernel gives what it may.
// Of senders whose names are not known yet.
constexpr std::size_t kMaxWaitingBytes = std::size_t{1} << 20;

Result<UniqueFd> Bind(const sockaddr* address, socklen_t size) {
  UniqueFd fd(::socket(address->sa_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd.valid()) return ErrnoError(errno, "socket");
  const int on = 1;
  const int off = 0;
  if (address->sa_family == AF_INET6) {
    ::setsockopt(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
  }
  ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVBUF, &kReceiveBufferBytes, sizeof kReceiveBufferBytes);
  ::setsockopt(fd.get(), SOL_SOCKET, SO_RXQ_OVFL, &on, sizeof on);
  if (::bind(fd.get(), address, size) != 0) return ErrnoError(errno, "bind");
  return fd;
}

Result<UniqueFd> BindTo(const std::string& host, uint16_t port) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_DGRAM;
  hints.ai_flags = AI_PASSIVE;
  addrinfo* found = nullptr;
  // Without a host: both families by way of IPv6, where the kernel has it.
  const char* const name = host.empty() ? "::" : host.c_str();
  int failed = ::getaddrinfo(name, std::to_string(port).c_str(), &hints, &found);
  if (failed != 0) return Error{ErrorCode::kInvalid, ::gai_strerror(failed)};
  std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owner(found, ::freeaddrinfo);
  Result<UniqueFd> last = Error{ErrorCode::kNotFound, "no address"};
  for (const addrinfo* item = found; item != nullptr; item = item->ai_next) {
    last = Bind(item->ai_addr, item->ai_addrlen);
    if (last.ok()) return last;
  }
  if (!host.empty()) return last;
  failed = ::getaddrinfo("0.0.0.0", std::to_string(port).c_str(), &hints, &found);
  if (failed != 0) return last;
  owner.reset(found);
  return Bind(found->ai_addr, found->ai_addrlen);
}

class SyslogUdp final : public SyslogServer {
 public:
  SyslogUdp(const Options& options, const Dependencies& dependencies, UniqueFd fd)
      : dependencies_(dependencies),
        fd_(std::move(fd)),
        datagram_bytes_(
            std::min<std::size_t>(options.config.max_message_length, kMaxDatagramBytes)),
        slots_(std::clamp<std::size_t>(kMaxBufferBytes / datagram_bytes_, 1, kMaxDatagrams)),
        readable_(dependencies.loop, fd_.get()) {
    if (options.lookup) {
      names_ = std::make_unique<HostNames>(dependencies.loop, dependencies.clock, options.lookup);
    }
    PrepareSlots();
    Watch();
  }

  void Pause() override {
    paused_ = true;
    readable_.Stop();
  }

  void Resume() override {
    if (!std::exchange(paused_, false)) return;
    Watch();
  }

  void Close() override {
    for (int i = 0; i < kReadsAtClose && !paused_ && ReadOnce(); ++i) {
    }
    readable_.Stop();
    for (const auto& [ip_address, datagrams] : std::exchange(waiting_, {}))
      Deliver({ip_address, ""}, datagrams);
    dependencies_.sink.OnReadEnd(0);
  }

  [[nodiscard]] uint16_t port() const override { return BoundPort(fd_); }
  [[nodiscard]] std::size_t connections() const override { return 0; }

 private:
  struct Slot {
    sockaddr_storage from{};
    iovec data{};
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(uint32_t))] = {};
  };

  void PrepareSlots() {
    buffer_.resize(slots_.size() * datagram_bytes_);
    headers_.resize(slots_.size());
    for (std::size_t i = 0; i < slots_.size(); ++i) {
      slots_[i].data = {buffer_.data() + i * datagram_bytes_, datagram_bytes_};
      msghdr& header = headers_[i].msg_hdr;
      header.msg_name = &slots_[i].from;
      header.msg_iov = &slots_[i].data;
      header.msg_iovlen = 1;
      header.msg_control = slots_[i].control;
    }
  }

  void Watch() {
    readable_.Start(UV_READABLE, [this](int, int) {
      for (int i = 0; i < kReadsPerTurn && !paused_ && ReadOnce(); ++i) {
      }
    });
  }

  // As many datagrams as there is room for. False: there were fewer.
  bool ReadOnce() {
    for (mmsghdr& header : headers_) {
      header.msg_hdr.msg_namelen = sizeof(sockaddr_storage);
      header.msg_hdr.msg_controllen = sizeof(Slot::control);
    }
    const int count = ::recvmmsg(fd_.get(), headers_.data(), static_cast<unsigned>(headers_.size()),
                                 MSG_DONTWAIT, nullptr);
    if (count <= 0) return false;  // EAGAIN; other errors are of datagrams that we had sent.
    std::size_t bytes = 0;
    for (std::size_t i = 0; i < static_cast<std::size_t>(count); ++i) {
      const mmsghdr& header = headers_[i];
      bytes += header.msg_len;
      if ((header.msg_hdr.msg_flags & MSG_TRUNC) != 0) ++dependencies_.counters.cut_messages;
      CountDropped(header.msg_hdr);
      OnDatagram(slots_[i].from, {buffer_.data() + i * datagram_bytes_, header.msg_len});
    }
    if (!dependencies_.sink.OnReadEnd(bytes)) Pause();
    return static_cast<std::size_t>(count) == headers_.size();
  }

  void CountDropped(const msghdr& header) {
    auto* const from = const_cast<msghdr*>(&header);  // NOLINT: what CMSG_NXTHDR takes.
    for (cmsghdr* item = CMSG_FIRSTHDR(from); item != nullptr; item = CMSG_NXTHDR(from, item)) {
      if (item->cmsg_level != SOL_SOCKET || item->cmsg_type != SO_RXQ_OVFL) continue;
      uint32_t dropped = 0;  // Since the socket was made.
      std::memcpy(&dropped, CMSG_DATA(item), sizeof dropped);
      dependencies_.counters.dropped_datagrams += dropped - dropped_;
      dropped_ = dropped;
    }
  }

  void OnDatagram(const sockaddr_storage& from, std::string_view datagram) {
    if (datagram.empty()) return;
    if (!IsLastSender(from)) {
      last_from_ = from;
      peer_.ip_address = PeerAddress(from);
    }
    if (names_ != nullptr) {
      const std::string* const names = names_->Find(peer_.ip_address);
      if (names == nullptr || waiting_.contains(peer_.ip_address)) return Keep(datagram);
      if (peer_.hostname != *names) peer_.hostname = *names;
    }
    Deliver(peer_, datagram);
  }

  [[nodiscard]] bool IsLastSender(const sockaddr_storage& from) const {
    if (from.ss_family != last_from_.ss_family) return false;
    if (from.ss_family == AF_INET) {
      return reinterpret_cast<const sockaddr_in&>(from).sin_addr.s_addr ==
             reinterpret_cast<const sockaddr_in&>(last_from_).sin_addr.s_addr;
    }
    return std::memcmp(&reinterpret_cast<const sockaddr_in6&>(from).sin6_addr,
                       &reinterpret_cast<const sockaddr_in6&>(last_from_).sin6_addr,
                       sizeof(in6_addr)) == 0;
  }

  // Until the name of the present sender is known; in order.
  void Keep(std::string_view datagram) {
    if (waiting_bytes_ + datagram.size() > kMaxWaitingBytes) {
      return Deliver({peer_.ip_address, ""}, datagram);
    }
    waiting_bytes_ += datagram.size();
    const auto [found, is_new] = waiting_.try_emplace(peer_.ip_address);
    found->second.emplace_back(datagram);
    if (!is_new) return;
    names_->Ask(peer_.ip_address, [this, ip_address = peer_.ip_address](const std::string& names) {
      const auto node = waiting_.extract(ip_address);
      if (node.empty()) return;
      for (const std::string& kept : node.mapped())
        waiting_bytes_ -= kept.size();
      Deliver({ip_address, names}, node.mapped());
      if (!dependencies_.sink.OnReadEnd(0)) Pause();
    });
  }

  void Deliver(const SyslogPeer& peer, const std::vector<std::string>& datagrams) {
    for (const std::string& datagram : datagrams)
      Deliver(peer, datagram);
  }

  void Deliver(const SyslogPeer& peer, std::string_view datagram) {
    SyslogFraming framing({datagram.size(), datagram.size()});
    std::size_t messages = 0;
    const auto sink = [&](std::string_view message) {
      ++messages;
      dependencies_.sink.OnMessage(peer, message);
    };
    const SyslogFraming::Status status = framing.Add(datagram, sink);
    std::string rest;
    const bool whole = framing.End([&rest](std::string_view message) { rest = message; });
    const bool as_announced = status == SyslogFraming::Status::kGoOn && whole;
    // A number that text begins with is no length.
    if (!as_announced && messages == 0 && !rest.starts_with('<')) {
      return dependencies_.sink.OnMessage(peer, datagram);
    }
    if (!as_announced) ++dependencies_.counters.broken_framing;
    if (!rest.empty()) dependencies_.sink.OnMessage(peer, rest);
  }

  const Dependencies dependencies_;
  const UniqueFd fd_;
  const std::size_t datagram_bytes_;
  std::vector<Slot> slots_;
  std::vector<mmsghdr> headers_;
  std::vector<char> buffer_;
  FdWatcher readable_;
  bool paused_ = false;
  uint32_t dropped_ = 0;
  sockaddr_storage last_from_{};
  SyslogPeer peer_;                                                    // The last sender.
  std::unordered_map<std::string, std::vector<std::string>> waiting_;  // By address.
  std::size_t waiting_bytes_ = 0;
  std::unique_ptr<HostNames> names_;  // Null: nobody wants them.
};

}  // namespace

Result<std::unique_ptr<SyslogServer>> OpenSyslogUdp(
    const SyslogServer::Options& options, const SyslogServer::Dependencies& dependencies) {
  const std::string& host = options.config.listen_address;
  const uint16_t port = options.config.listen_port;
  auto fd = BindTo(host, port);
  if (!fd.ok()) {
    return std::move(fd).error().Wrap("listen on " + (host.empty() ? "*" : host) + ":" +
                                      std::to_string(port));
  }
  return std::unique_ptr<SyslogServer>(
      std::make_unique<SyslogUdp>(options, dependencies, std::move(*fd)));
}

}  // namespace agent
