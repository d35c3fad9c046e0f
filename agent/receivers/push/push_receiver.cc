#include "agent/receivers/push/push_receiver.h"

#include <algorithm>
#include <array>
#include <functional>
#include <utility>

#include "agent/receivers/push/push_body.h"

namespace agent {
namespace {

constexpr std::chrono::seconds kListenAgain{5};
// Entries are larger in memory than in a request, and a request must not be made of nothing else.
constexpr std::size_t kMemoryPerBodyByte = 3;

std::string SourceName(const ServerConfig& server) {
  return std::string("loki_push_api ") + (server.http_tls.enabled() ? "https://" : "http://") +
         (server.http_listen_address.empty() ? "*" : server.http_listen_address) + ":" +
         std::to_string(server.http_listen_port);
}

BodyLimits ToBodyLimits(const LokiPushConfig& config) {
  return {.max_body_bytes = config.max_body_bytes,
          .max_bodies_bytes = 2 * config.max_body_bytes,
          .max_discarded_bytes = 4 * config.max_body_bytes};
}

// Loki's rule for the names of tenants.
bool IsTenantName(std::string_view name) {
  static constexpr std::string_view kMarks = "!-_.*'()";
  constexpr std::size_t kMaxBytes = 150;
  if (name.size() > kMaxBytes || name == "." || name == "..") return false;
  return std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           kMarks.find(c) != std::string_view::npos;
  });
}

ServerResponse Answer(unsigned status, std::string_view text) {
  return {.status = status, .body = std::string(text) + "\n"};
}

}  // namespace

struct PushReceiver::Endpoint {
  std::string_view path;
  std::string_view route;
  bool takes_entries;
};

PushReceiver::PushReceiver(const ScrapeConfig& job, std::unique_ptr<Relabeling> relabeling,
                           const Dependencies& dependencies)
    : job_(job.job_name),
      config_(*job.loki_push_api),
      relabeling_(std::move(relabeling)),
      dependencies_(dependencies),
      retry_(dependencies.loop) {}

void PushReceiver::Start(SourceHost& host, std::size_t outputs) {
  host_ = &host;
  source_ = std::make_shared<ReceivedSource>(
      ReceivedSource::Init{.name = SourceName(config_.server),
                           .job = job_,
                           .labels = config_.labels,
                           .outputs = outputs,
                           .lineage = std::hash<std::string>{}(job_) | 1U,
                           .drained = nullptr});
  host.Start(source_);
  Listen();
}

void PushReceiver::Listen() {
  auto opened = HttpListener::Open(config_.server, ToBodyLimits(config_),
                                   {.loop = dependencies_.loop,
                                    .logger = dependencies_.logger,
                                    .clock = dependencies_.clock,
                                    .metrics = http_metrics_,
                                    .handler = *this});
  if (opened.ok()) {
    listener_ = std::move(*opened);
    error_.clear();
    dependencies_.logger.Info("push", "taking what others push",
                              {{"job", job_}, {"port", listener_->port()}});
    return;
  }
  error_ = opened.error().message;
  dependencies_.logger.WriteLimited(LogLevel::kError, "push-listen-" + job_, "push",
                                    "loki_push_api cannot listen; trying again",
                                    {{"job", job_}, {"error", error_}});
  retry_.StartOnce(kListenAgain, [this] { Listen(); });
}

void PushReceiver::Stop() {
  retry_.Stop();
  listener_.reset();
}

const PushReceiver::Endpoint* PushReceiver::Find(std::string_view path) const {
  static constexpr std::array<Endpoint, 3> kEndpoints = {
      {{"/loki/api/v1/push", "push", /*takes_entries=*/true},
       {"/promtail/api/v1/raw", "raw", /*takes_entries=*/true},
       {"/ready", "ready", /*takes_entries=*/false}}};
  const std::string_view prefix = config_.server.http_path_prefix;
  if (!path.starts_with(prefix)) return nullptr;
  path.remove_prefix(prefix.size());
  const auto* const found =
      std::find_if(kEndpoints.begin(), kEndpoints.end(),
                   [path](const Endpoint& endpoint) { return endpoint.path == path; });
  return found == kEndpoints.end() ? nullptr : found;
}

std::string_view PushReceiver::RouteName(std::string_view path) const {
  const Endpoint* endpoint = Find(path);
  return endpoint == nullptr ? "other" : endpoint->route;
}

std::optional<ServerResponse> PushReceiver::RefuseFull() const {
  if (!source_->full()) return std::nullopt;
  ServerResponse response = Answer(503, "the queue is full: what was pushed before waits");
  response.headers.emplace_back("Retry-After", "1");
  return response;
}

std::optional<ServerResponse> PushReceiver::Refuse(const ServerRequest& head) {
  const Endpoint* endpoint = Find(head.path);
  if (endpoint == nullptr) return Answer(404, "not found");
  if (!endpoint->takes_entries) {
    if (head.method == "GET" || head.method == "HEAD") return std::nullopt;
    ServerResponse response = Answer(405, "method not allowed");
    response.headers.emplace_back("Allow", "GET, HEAD");
    return response;
  }
  if (head.method != "POST") {
    ServerResponse response = Answer(405, "method not allowed");
    response.headers.emplace_back("Allow", "POST");
    return response;
  }
  return RefuseFull();
}

void PushReceiver::Dispatch(const ServerRequest& request, const ServerReply& reply) {
  const Endpoint* endpoint = Find(request.path);
  if (!endpoint->takes_entries) return reply({.body = "ready"});
  reply(Take(request, endpoint->route == "raw"));
}

void PushReceiver::OnAnswered(const ServerRequest& request, unsigned status) {
  const Endpoint* endpoint = Find(request.path);
  if (endpoint != nullptr && endpoint->takes_entries && status != 0) ++requests_[status];
}

// All of a request, or nothing of it.
ServerResponse PushReceiver::Take(const ServerRequest& request, bool is_raw) {
  if (std::optional<ServerResponse> full = RefuseFull()) return std::move(*full);
  const std::string tenant = config_.use_incoming_tenant ? request.tenant : std::string();
  agent::Status parsed;
  PushedStreams streams(kMemoryPerBodyByte * config_.max_body_bytes);
  if (!IsTenantName(tenant)) {
    parsed = Error{ErrorCode::kInvalid, "X-Scope-OrgID is no name of a tenant"};
  } else if (is_raw) {
    parsed = ParseRawBody(request, config_.max_body_bytes, streams);
  } else {
    parsed = ParsePushBody(request, config_.max_body_bytes, streams);
  }
  if (!parsed.ok()) {
    const Error& error = parsed.error();
    const unsigned status = error.code == ErrorCode::kNoSpace ? 413 : 400;
    dependencies_.logger.WriteLimited(
        LogLevel::kWarn, "push-refused-" + job_ + std::to_string(status), "push",
        "a push request is refused",
        {{"job", job_}, {"status", status}, {"path", request.path}, {"error", error.message}});
    return Answer(status, error.message);
  }
  for (PushedStream& stream : streams.streams())
    TakeStream(stream, is_raw, tenant);
  host_->Wake(source_);
  return {.status = 204, .content_type = {}, .body = {}, .headers = {}};
}

void PushReceiver::TakeStream(PushedStream& stream, bool is_raw, const std::string& tenant) {
  std::optional<Labels> labels = is_raw ? config_.labels : LabelsFor(std::move(stream.labels));
  if (!labels) {
    dropped_entries_ += stream.entries.size();
    return;
  }
  if (!tenant.empty()) labels->Set("__tenant_id__", tenant);
  const auto shared = std::make_shared<const Labels>(std::move(*labels));
  for (ReceivedEntry& entry : stream.entries) {
    entry.labels = shared;
    if (!config_.use_incoming_timestamp) entry.timestamp_ns.reset();
    received_bytes_ += entry.line.size();
    source_->Add(std::move(entry));
  }
  entries_ += stream.entries.size();
}

std::optional<Labels> PushReceiver::LabelsFor(Labels labels) const {
  for (const Label& label : config_.labels)
    labels.Set(label.name, label.value);
  if (relabeling_->Apply(labels)) return std::nullopt;
  Labels kept;
  for (const Label& label : labels) {
    if (!label.name.starts_with("__")) kept.Set(label.name, label.value);
  }
  if (labels.empty()) return std::nullopt;
  return kept;
}

std::vector<ReceiverStatus> PushReceiver::Status() const {
  ReceiverStatus status;
  status.job = job_;
  status.source = SourceName(config_.server);
  status.labels = config_.labels;
  status.received_bytes = received_bytes_;
  if (listener_ != nullptr) {
    status.state = "listening on port " + std::to_string(listener_->port()) + ", " +
                   std::to_string(source_->waiting_bytes()) + " bytes wait";
  } else {
    status.state = "not listening";
  }
  status.error = error_;
  if (source_ != nullptr) status.progress = source_->progress();
  return {std::move(status)};
}

void PushReceiver::CollectMetrics(MetricSink& sink) const {
  for (const auto& [status, count] : requests_) {
    sink.Add("agent_push_requests_total", {job_, std::to_string(status)},
             static_cast<double>(count));
  }
  sink.Add("agent_push_entries_total", {job_}, static_cast<double>(entries_));
  sink.Add("agent_push_dropped_entries_total", {job_}, static_cast<double>(dropped_entries_));
}

}  // namespace agent
