// Syslog over TCP (RFC 6587), and over TLS (RFC 5425).

#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "agent/receivers/syslog/peer_stream.h"
#include "agent/receivers/syslog/syslog_framing.h"
#include "agent/receivers/syslog/syslog_server.h"
#include "base/unique_fd.h"

namespace agent {

class SyslogTcp final : public SyslogServer {
 public:
  // `listener` listens; `tls` is null in the clear.
  SyslogTcp(const Options& options, const Dependencies& dependencies, UniqueFd listener,
            std::unique_ptr<TlsServer> tls);
  SyslogTcp(const SyslogTcp&) = delete;
  SyslogTcp& operator=(const SyslogTcp&) = delete;
  ~SyslogTcp() override;

  void Pause() override;
  void Resume() override;
  void Close() override;
  [[nodiscard]] uint16_t port() const override;
  [[nodiscard]] std::size_t connections() const override { return connections_.size(); }

 private:
  struct Connection {
    explicit Connection(SyslogFraming::Limits limits) : framing(limits) {}

    uint64_t id = 0;
    UniqueFd fd;
    std::unique_ptr<PeerStream> stream;
    std::unique_ptr<FdWatcher> watcher;
    int watched_events = 0;
    SyslogFraming framing;
    uint64_t counted_cuts = 0;
    SyslogPeer peer;
    bool named = false;  // Nothing is read before.
    int64_t last_read_ns = 0;
  };

  void Listen();
  void Accept();
  void Admit(UniqueFd fd, const std::string& ip_address);
  void Named(uint64_t id, const std::string& names);
  void Watch(Connection& connection);
  // The connection may be gone afterwards.
  void ReadFrom(Connection& connection);
  // False: nothing comes of it any more; it is gone.
  bool TakeBytes(Connection& connection, std::string_view bytes);
  void OnEnd(Connection& connection, PeerStream::State state);
  void OnBadFraming(Connection& connection, SyslogFraming::Status status);
  // Gives what is left of it to the sink, and forgets it.
  void Finish(Connection& connection);
  void CountCuts(Connection& connection);
  void FlushLines();
  void CloseIdle();
  [[nodiscard]] Connection* Find(uint64_t id);
  // Beginning behind the one that was read last.
  [[nodiscard]] std::vector<uint64_t> Ids() const;

  const Options options_;
  const Dependencies dependencies_;
  UniqueFd listener_;
  const std::unique_ptr<TlsServer> tls_;
  FdWatcher acceptable_;
  bool listening_ = false;  // acceptable_ is on.
  Timer accept_pause_;
  Timer line_timer_;
  Timer idle_timer_;
  std::map<uint64_t, std::unique_ptr<Connection>> connections_;
  uint64_t next_id_ = 1;
  uint64_t last_read_id_ = 0;
  bool paused_ = false;
  std::vector<char> buffer_;
  std::unique_ptr<HostNames> names_;  // Null: nobody wants them.
};

}  // namespace agent
