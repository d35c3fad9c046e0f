// Delivers to Elasticsearch and what speaks like it: several requests at a time, over several
// hosts, each batch until all of its documents are stored or refused for good.

#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/http/http_client.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/memory_budget.h"
#include "base/random.h"
#include "outputs/dead_letter.h"
#include "outputs/elasticsearch/delivery.h"
#include "outputs/elasticsearch/elasticsearch_options.h"
#include "outputs/elasticsearch/setup_runner.h"
#include "outputs/host_pool.h"
#include "outputs/output.h"
#include "outputs/output_counters.h"

namespace agent {

// Loop thread, but for MakeEncoder(). Not destroyed from within a callback of its own.
class ElasticsearchOutput final : public Output {
 public:
  // What is passed by reference outlives it.
  struct Dependencies {
    Loop& loop;
    MemoryBudget& budget;
    Clock& clock;
    Logger& logger;
    DeadLetter& dead_letter;
  };

  ElasticsearchOutput(ElasticsearchOptions options, const Dependencies& dependencies, Random random,
                      std::size_t output_index);
  ElasticsearchOutput(const ElasticsearchOutput&) = delete;
  ElasticsearchOutput& operator=(const ElasticsearchOutput&) = delete;
  ~ElasticsearchOutput() override;

  [[nodiscard]] const std::string& name() const override { return options_.name; }
  [[nodiscard]] OutputInfo Info() const override;
  [[nodiscard]] std::vector<std::string> WantedFields() const override;
  std::unique_ptr<Encoder> MakeEncoder(LabelSets& sets, BatchSink sink) override;
  void Enqueue(Batch batch) override;
  [[nodiscard]] bool idle() const override { return queue_.empty() && active_.empty(); }
  void Drain(std::chrono::milliseconds deadline, std::function<void()> done) override;
  [[nodiscard]] std::vector<LaneStatus> Status() const override;
  [[nodiscard]] OutputTotals Totals() const override { return counters_->Totals(); }
  void CollectMetrics(MetricSink& sink) const override;

 private:
  // A batch that has left the queue.
  struct Active {
    Active(Loop& loop, Batch batch, elasticsearch::DeliveryContext& context, Random random)
        : delivery(std::move(batch), context, random), wait(loop) {}

    elasticsearch::Delivery delivery;
    [[nodiscard]] bool stuck() const;

    std::optional<std::size_t> host;  // While a request is on its way.
    std::optional<HttpClient::Id> request;
    std::size_t body_bytes = 0;  // Of the request.
    bool waiting = false;
    Timer wait;
    int64_t wake_ns = 0;
  };
  using ActiveAt = std::list<Active>::iterator;

  void Pump();
  bool SendNext();
  [[nodiscard]] bool MayBegin() const;
  bool BeginNext();
  void Send(ActiveAt at, std::size_t host);
  void OnAnswer(ActiveAt at, const HttpResponse& response);
  void LogHostFailed(std::size_t host, int64_t rest_ns, const std::string& error);
  void Wait(ActiveAt at, std::chrono::milliseconds delay);
  void Done(ActiveAt at);
  void WakeLater();
  void AbandonAll();
  void EndDrain();
  [[nodiscard]] std::string UrlOf(std::size_t host) const;
  // A document that comes before its template or alias would make an ordinary index.
  [[nodiscard]] bool waits_for_setup() const { return setup_ != nullptr && !setup_->over(); }

  const ElasticsearchOptions options_;
  const std::size_t output_index_;
  Dependencies dependencies_;
  Random random_;
  const std::shared_ptr<OutputCounters> counters_;  // Shared with the encoders on the workers.
  std::optional<Deflater> deflater_;
  elasticsearch::DeliveryContext context_;
  HttpClient client_;
  HostPool hosts_;
  std::unique_ptr<elasticsearch::SetupRunner> setup_;  // Null: nothing is set up.
  std::deque<Batch> queue_;
  std::size_t queued_bytes_ = 0;
  std::list<Active> active_;
  bool stuck_was_last_ = false;
  int64_t pause_until_ns_ = 0;  // The receiver has asked everybody to wait.
  Timer pump_timer_;
  Timer drain_timer_;
  std::optional<int64_t> drain_deadline_ns_;
  std::function<void()> drained_;  // Empty: not draining.
  std::string last_error_;
};

}  // namespace agent
