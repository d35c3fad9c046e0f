// Where syslog messages come in: a port of TCP or UDP. Loop thread.

#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "agent/config/config.h"
#include "agent/receivers/syslog/host_names.h"
#include "agent/receivers/syslog/syslog_labels.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/result.h"

namespace agent {

// Who takes the messages.
class SyslogSink {
 public:
  virtual ~SyslogSink() = default;

  virtual void OnMessage(const SyslogPeer& peer, std::string_view text) = 0;
  // All that was read at once, `bytes` of it, has been given. False: it is enough; the server reads
  // nothing more until Resume().
  virtual bool OnReadEnd(std::size_t bytes) = 0;
};

// Outlives the server, which adds to it.
struct SyslogServerCounters {
  uint64_t accepted = 0;
  uint64_t refused_tls = 0;      // Handshakes that failed.
  uint64_t refused_framing = 0;  // The first byte says that it is no syslog.
  uint64_t broken_framing = 0;   // A length that is none, or more than came.
  uint64_t cut_messages = 0;
  uint64_t idle_closed = 0;
  uint64_t dropped_datagrams = 0;  // By the kernel.
};

class SyslogServer {
 public:
  struct Options {
    SyslogConfig config;
    std::string job;
    HostNames::Lookup lookup;                   // Empty: nobody wants the names of addresses.
    std::chrono::milliseconds line_pause{250};  // After so long without more lines are a message.
    std::size_t max_connections = 1000;         // The kernel lets more wait.
  };
  // All of it outlives the server.
  struct Dependencies {
    Loop& loop;
    const Clock& clock;
    Logger& logger;
    SyslogSink& sink;
    SyslogServerCounters& counters;
  };
  virtual ~SyslogServer() = default;

  // Reads nothing until Resume(): TCP's senders wait, of UDP the kernel drops what does not fit.
  virtual void Pause() = 0;
  virtual void Resume() = 0;
  // Takes what has come already, for as long as the sink wants it, and closes everything.
  virtual void Close() = 0;
  [[nodiscard]] virtual uint16_t port() const = 0;
  [[nodiscard]] virtual std::size_t connections() const = 0;
};

// Listens from now on.
Result<std::unique_ptr<SyslogServer>> OpenSyslogTcp(const SyslogServer::Options& options,
                                                    const SyslogServer::Dependencies& dependencies);
Result<std::unique_ptr<SyslogServer>> OpenSyslogUdp(const SyslogServer::Options& options,
                                                    const SyslogServer::Dependencies& dependencies);

}  // namespace agent
