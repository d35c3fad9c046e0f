// `loki_push_api`: a server of its own that takes what others push as to a Loki. A request is
// answered with 204 when its entries are in the queue of the pipeline: they are in memory then, and
// what is there is lost with the process.

#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/config/config.h"
#include "agent/http/http_listener.h"
#include "agent/http/http_metrics.h"
#include "agent/receivers/push/pushed_streams.h"
#include "agent/receivers/received_source.h"
#include "agent/receivers/receiver.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/loop.h"
#include "discovery/relabel.h"

namespace agent {

class PushReceiver final : public Receiver, private RequestHandler {
 public:
  // All of it outlives the receiver.
  struct Dependencies {
    Loop& loop;
    Clock& clock;
    Logger& logger;
  };

  // `job` has a loki_push_api; `relabeling` is that of its relabel_configs.
  PushReceiver(const ScrapeConfig& job, std::unique_ptr<Relabeling> relabeling,
               const Dependencies& dependencies);

  void Start(SourceHost& host, std::size_t outputs) override;
  void Stop() override;
  void OnEnded(const std::shared_ptr<Source>& /*source*/) override {}
  [[nodiscard]] std::vector<ReceiverStatus> Status() const override;
  void CollectMetrics(MetricSink& sink) const override;

  // The port it listens on; 0: it does not.
  [[nodiscard]] uint16_t port() const { return listener_ ? listener_->port() : 0; }

 private:
  struct Endpoint;

  [[nodiscard]] std::string_view RouteName(std::string_view path) const override;
  std::optional<ServerResponse> Refuse(const ServerRequest& head) override;
  void Dispatch(const ServerRequest& request, const ServerReply& reply) override;
  void OnAnswered(const ServerRequest& request, unsigned status) override;

  [[nodiscard]] const Endpoint* Find(std::string_view path) const;
  [[nodiscard]] std::optional<ServerResponse> RefuseFull() const;
  void Listen();
  ServerResponse Take(const ServerRequest& request, bool is_raw);
  // The entries of a stream go into the queue, or are dropped by relabelling.
  void TakeStream(PushedStream& stream, bool is_raw, const std::string& tenant);
  // Nullopt: a rule drops the stream, or nothing is left.
  [[nodiscard]] std::optional<Labels> LabelsFor(Labels labels) const;

  const std::string job_;
  const LokiPushConfig config_;
  const std::unique_ptr<Relabeling> relabeling_;
  const Dependencies dependencies_;
  HttpMetrics http_metrics_;  // For the listener; Promtail does not show them either.
  Timer retry_;

  SourceHost* host_ = nullptr;
  std::shared_ptr<ReceivedSource> source_;
  std::unique_ptr<HttpListener> listener_;
  std::string error_;

  std::map<unsigned, uint64_t> requests_;  // To push, by the status that they got.
  uint64_t entries_ = 0;
  uint64_t dropped_entries_ = 0;
  uint64_t received_bytes_ = 0;  // Of lines.
};

}  // namespace agent
