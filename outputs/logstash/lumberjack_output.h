// Delivers to Logstash, and what speaks lumberjack like it: windows over several connections, each
// batch until all of its events are acknowledged.

#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/memory_budget.h"
#include "base/random.h"
#include "outputs/dead_letter.h"
#include "outputs/deflate.h"
#include "outputs/host_pool.h"
#include "outputs/logstash/lumberjack_connection.h"
#include "outputs/logstash/lumberjack_options.h"
#include "outputs/logstash/slow_start.h"
#include "outputs/logstash/window_queue.h"
#include "outputs/output.h"
#include "outputs/output_counters.h"

namespace agent {

// Loop thread, but for MakeEncoder(). Not destroyed from within a callback of its own.
class LumberjackOutput final : public Output, private logstash::ConnectionOwner {
 public:
  // What is passed by reference outlives it.
  struct Dependencies {
    Loop& loop;
    MemoryBudget& budget;
    Clock& clock;
    Logger& logger;
    DeadLetter& dead_letter;
  };

  LumberjackOutput(LumberjackOptions options, const Dependencies& dependencies, Random random,
                   std::size_t output_index);
  LumberjackOutput(const LumberjackOutput&) = delete;
  LumberjackOutput& operator=(const LumberjackOutput&) = delete;
  ~LumberjackOutput() override;

  [[nodiscard]] const std::string& name() const override { return options_.name; }
  [[nodiscard]] OutputInfo Info() const override;
  [[nodiscard]] std::vector<std::string> WantedFields() const override;
  std::unique_ptr<Encoder> MakeEncoder(LabelSets& sets, BatchSink sink) override;
  void Enqueue(Batch batch) override;
  [[nodiscard]] bool idle() const override { return queue_.empty(); }
  void Drain(std::chrono::milliseconds deadline, std::function<void()> done) override;
  [[nodiscard]] std::vector<LaneStatus> Status() const override;
  [[nodiscard]] OutputTotals Totals() const override { return counters_->Totals(); }
  void CollectMetrics(MetricSink& sink) const override;

 private:
  using Connection = logstash::LumberjackConnection;

  void OnRoom(Connection& connection) override;
  void OnAcked(Connection& connection, const logstash::Session::Acked& acked) override;
  void OnConnectionEnded(Connection& connection, const logstash::ConnectionEnd& end) override;

  void Pump();
  void OpenConnections();
  void Open(std::size_t host);
  Connection* BestConnection();
  void OnFailure(Connection& connection, const logstash::ConnectionEnd& end);
  void WakeLater();
  void SweepSoon();
  void AbandonAll();
  void EndDrain();

  const LumberjackOptions options_;
  const std::size_t output_index_;
  Dependencies dependencies_;
  Random random_;
  const std::shared_ptr<OutputCounters> counters_;  // Shared with the encoders on the workers.
  std::optional<TlsClient> tls_;
  std::optional<Deflater> deflater_;
  logstash::WindowQueue queue_;
  logstash::SlowStart slow_start_;
  HostPool hosts_;
  std::list<std::unique_ptr<Connection>>
      connections_;  // Those that have ended until the next turn.
  struct OnItsWay {
    std::size_t bytes = 0;  // On the wire.
    std::size_t events = 0;
  };
  std::map<uint64_t, OnItsWay> windows_;  // By id.
  bool abandoned_ = false;                // What connections still say is of nothing any more.
  bool untrusted_ = false;
  Timer pump_timer_;
  Timer sweep_timer_;
  Timer drain_timer_;
  std::optional<int64_t> drain_deadline_ns_;
  std::function<void()> drained_;  // Empty: not draining.
  std::string last_error_;
};

}  // namespace agent
