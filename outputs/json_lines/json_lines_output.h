// Sends one JSON object a line, over TCP, TLS or UDP: what Logstash's tcp and udp inputs take, and
// all that reads lines. Nobody acknowledges these, so delivery is as good as can be and no better;
// README.md says what that is.

#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
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
#include "outputs/json_lines/json_lines_options.h"
#include "outputs/json_lines/line_batch.h"
#include "outputs/json_lines/line_sender.h"
#include "outputs/output.h"
#include "outputs/output_counters.h"

namespace agent {

// Loop thread, but for MakeEncoder(). Not destroyed from within a callback of its own.
class JsonLinesOutput final : public Output {
 public:
  // What is passed by reference outlives it.
  struct Dependencies {
    Loop& loop;
    MemoryBudget& budget;
    Clock& clock;
    Logger& logger;
    DeadLetter& dead_letter;
  };

  JsonLinesOutput(JsonLinesOptions options, const Dependencies& dependencies, Random random,
                  std::size_t output_index);
  JsonLinesOutput(const JsonLinesOutput&) = delete;
  JsonLinesOutput& operator=(const JsonLinesOutput&) = delete;
  ~JsonLinesOutput() override;

  [[nodiscard]] const std::string& name() const override { return options_.name; }
  [[nodiscard]] OutputInfo Info() const override;
  [[nodiscard]] std::vector<std::string> WantedFields() const override;
  std::unique_ptr<Encoder> MakeEncoder(LabelSets& sets, BatchSink sink) override;
  void Enqueue(Batch batch) override;
  [[nodiscard]] bool idle() const override { return queue_.empty() && sender_->idle(); }
  void Drain(std::chrono::milliseconds deadline, std::function<void()> done) override;
  [[nodiscard]] std::vector<LaneStatus> Status() const override;
  [[nodiscard]] OutputTotals Totals() const override { return counters_->Totals(); }
  void CollectMetrics(MetricSink& sink) const override;

 private:
  void OnFinished();
  void AbandonAll();
  void EndDrain();

  const JsonLinesOptions options_;
  const std::size_t output_index_;
  const Dependencies dependencies_;
  const std::shared_ptr<OutputCounters> counters_;  // Shared with the encoders on the workers.
  json_lines::LineContext context_;
  std::deque<json_lines::LineBatch> queue_;
  std::unique_ptr<json_lines::LineSender> sender_;
  Timer drain_timer_;
  std::optional<int64_t> drain_deadline_ns_;
  std::function<void()> drained_;  // Empty: not draining.
};

}  // namespace agent
