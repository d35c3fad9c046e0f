// Delivers to Loki: a lane for each tenant, all over one client with kept connections.

#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/http/http_client.h"
#include "base/http/http_url.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/memory_budget.h"
#include "base/random.h"
#include "outputs/dead_letter.h"
#include "outputs/host_gate.h"
#include "outputs/loki/lane.h"
#include "outputs/loki/loki_counters.h"
#include "outputs/loki/loki_options.h"
#include "outputs/loki/request_durations.h"
#include "outputs/output.h"
#include "outputs/snappy_encoder.h"

namespace agent {

// Loop thread, but for MakeEncoder(). Not destroyed from within a callback of its own.
class LokiOutput final : public Output, private loki::LaneHost {
 public:
  // What is passed by reference outlives it.
  struct Dependencies {
    Loop& loop;
    MemoryBudget& budget;
    Clock& clock;
    Logger& logger;
    DeadLetter& dead_letter;
  };

  LokiOutput(LokiOptions options, const Dependencies& dependencies, Random random,
             std::size_t output_index);
  LokiOutput(const LokiOutput&) = delete;
  LokiOutput& operator=(const LokiOutput&) = delete;
  ~LokiOutput() override;

  [[nodiscard]] const std::string& name() const override { return options_.name; }
  [[nodiscard]] OutputInfo Info() const override {
    return {.kind = "loki", .receiver = MaskedUrl(options_.url)};
  }
  std::unique_ptr<Encoder> MakeEncoder(LabelSets& sets, BatchSink sink) override;
  void Enqueue(Batch batch) override;
  [[nodiscard]] bool idle() const override;
  void Drain(std::chrono::milliseconds deadline, std::function<void()> done) override;
  [[nodiscard]] std::vector<LaneStatus> Status() const override;
  [[nodiscard]] OutputTotals Totals() const override;
  void CollectMetrics(MetricSink& sink) const override;

 private:
  struct LaneSlot {
    std::unique_ptr<loki::Lane> lane;
    std::unique_ptr<Timer> timer;
    std::optional<HttpClient::Id> request;
  };

  LaneSlot& SlotOf(const std::string& tenant);
  void RemoveIdleLanes();
  void OnResponse(const std::string& tenant, const HttpResponse& response);
  void EndDrain();
  void CollectTenant(const std::string& tenant, const TenantCounters& counters,
                     MetricSink& sink) const;

  bool Admit(loki::Lane& lane) override;
  void ForgetAdmission(loki::Lane& lane) override;
  void Post(loki::Lane& lane, std::string_view body) override;
  void CancelPost(loki::Lane& lane) override;
  void WakeAfter(loki::Lane& lane, std::optional<std::chrono::milliseconds> delay) override;
  void CountSent(std::size_t entries, std::size_t bytes) override;
  [[nodiscard]] uint64_t accepted() const override { return accepted_; }
  void OnIdle(loki::Lane& lane) override;

  const LokiOptions options_;
  const std::string host_;  // `host:port` as the URL has it; Promtail's label.
  const std::size_t output_index_;
  Dependencies dependencies_;
  Random random_;
  const std::shared_ptr<LokiCounters> counters_;  // Shared with the encoders on the workers.
  SnappyEncoder snappy_;
  loki::RequestDurations durations_;
  uint64_t requests_ = 0;
  uint64_t failed_requests_ = 0;
  uint64_t accepted_ = 0;
  uint64_t sent_entries_ = 0;
  uint64_t sent_bytes_ = 0;

  HttpClient client_;
  HostGate gate_;
  std::map<std::string, LaneSlot, std::less<>> lanes_;  // By tenant.
  Timer drain_timer_;
  std::function<void()> drained_;  // Empty: not draining.
};

}  // namespace agent
