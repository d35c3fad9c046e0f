// The scrape job `syslog`: a port, and the source that its messages become.

#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "agent/config/config.h"
#include "agent/receivers/received_source.h"
#include "agent/receivers/receiver.h"
#include "agent/receivers/syslog/syslog_entries.h"
#include "agent/receivers/syslog/syslog_server.h"
#include "agent/tail/dirty_files.h"
#include "base/backoff.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/random.h"

namespace agent {

// Loop thread.
class SyslogReceiver final : public Receiver, private SyslogSink {
 public:
  // All of it outlives the receiver.
  struct Dependencies {
    Loop& loop;
    const Clock& clock;
    Logger& logger;
  };
  // `job` has a `syslog`. `lookup` finds the names of addresses, see HostNames.
  SyslogReceiver(const ScrapeConfig& job, const Dependencies& dependencies, Random random,
                 HostNames::Lookup lookup);
  SyslogReceiver(const SyslogReceiver&) = delete;
  SyslogReceiver& operator=(const SyslogReceiver&) = delete;
  ~SyslogReceiver() override;

  void Start(SourceHost& host, std::size_t outputs) override;
  void Stop() override;
  void OnEnded(const std::shared_ptr<Source>& /*source*/) override {}
  [[nodiscard]] std::vector<ReceiverStatus> Status() const override;
  void CollectMetrics(MetricSink& sink) const override;

  // That it listens on; 0 while it cannot.
  [[nodiscard]] uint16_t port() const { return server_ != nullptr ? server_->port() : 0; }

 private:
  void OnMessage(const SyslogPeer& peer, std::string_view text) override;
  bool OnReadEnd(std::size_t bytes) override;
  void Listen();
  void OnDrained();

  const Dependencies dependencies_;
  SyslogServer::Options options_;
  const std::string name_;
  SyslogEntries entries_;
  SyslogServerCounters counters_;
  Random random_;
  Backoff backoff_;
  Timer retry_;
  const std::shared_ptr<DirtyFiles> drained_;  // Rung by the worker.
  SourceHost* host_ = nullptr;
  std::shared_ptr<ReceivedSource> source_;
  std::vector<ReceivedEntry> batch_;
  int64_t now_ns_ = 0;  // Of the present read; 0: nothing has come in it yet.
  uint64_t received_bytes_ = 0;
  std::string error_;
  std::unique_ptr<SyslogServer> server_;  // Null while it cannot listen.
};

}  // namespace agent
