// A scrape job that is neither files nor containers: it listens (syslog, loki_push_api) or reads a
// journal, and makes sources of what comes. Loop thread.

#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "agent/tail/source.h"
#include "base/labels.h"
#include "base/metrics/metrics.h"
#include "base/source_progress.h"

namespace agent {

// One target of it, for pages and the ledger.
struct ReceiverStatus {
  std::string job;
  std::string source;  // "syslog tcp://0.0.0.0:1514"; "journal /var/log/journal".
  Labels labels;       // That its entries start with, as far as they are the same for all.
  uint64_t received_bytes = 0;
  std::string state;  // "listening on 127.0.0.1:1514, 3 connections"; "following".
  std::string error;  // Empty when all is well.
  std::shared_ptr<const SourceProgress> progress;  // Null before the first Start().
};

class Receiver {
 public:
  virtual ~Receiver() = default;

  // Takes from now on; sources go to `host`, which outlives the next Stop(), and count `outputs`
  // outputs. What goes wrong (a port that is taken) is reported in Status() and tried again.
  virtual void Start(SourceHost& host, std::size_t outputs) = 0;
  // Takes nothing more: listeners are closed, connections too. What its sources hold is for the
  // workers, which read it before they end; sources are not stopped.
  virtual void Stop() = 0;
  // Everything that can be settled is: the last chance to remember a position. After Stop() and
  // before the next Start() or the end.
  virtual void Drained() {}
  // The host's: nothing is read of it any more. Sources of others are ignored.
  virtual void OnEnded(const std::shared_ptr<Source>& source) = 0;

  [[nodiscard]] virtual std::vector<ReceiverStatus> Status() const = 0;
  virtual void CollectMetrics(MetricSink& sink) const = 0;
};

}  // namespace agent
