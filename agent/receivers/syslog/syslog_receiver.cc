#include "agent/receivers/syslog/syslog_receiver.h"

#include <chrono>
#include <utility>

namespace agent {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kMinBackoff{500};
constexpr milliseconds kMaxBackoff{30'000};

std::string NameOf(const SyslogConfig& config) {
  const bool udp = config.listen_protocol == SyslogProtocol::kUdp;
  const std::string scheme = udp ? "udp" : config.uses_tls() ? "tls" : "tcp";
  const bool ipv6 = config.listen_address.find(':') != std::string::npos;
  const std::string host = ipv6 ? "[" + config.listen_address + "]" : config.listen_address;
  return "syslog " + scheme + "://" + host + ":" + std::to_string(config.listen_port);
}

}  // namespace

SyslogReceiver::SyslogReceiver(const ScrapeConfig& job, const Dependencies& dependencies,
                               Random random, HostNames::Lookup lookup)
    : dependencies_(dependencies),
      options_{.config = *job.syslog, .job = job.job_name, .lookup = std::move(lookup)},
      name_(NameOf(options_.config)),
      entries_(options_.config, job.relabel_configs),
      random_(random),
      backoff_(kMinBackoff, kMaxBackoff, Random(random_.Next())),
      retry_(dependencies.loop),
      drained_(std::make_shared<DirtyFiles>(dependencies.loop, [this] { OnDrained(); })) {
  if (!entries_.labels().needs_hostname()) options_.lookup = nullptr;
}

SyslogReceiver::~SyslogReceiver() {
  drained_->Close();
}

void SyslogReceiver::Start(SourceHost& host, std::size_t outputs) {
  host_ = &host;
  ReceivedSource::Init init;
  init.name = name_;
  init.job = options_.job;
  init.labels = entries_.labels().common();
  init.outputs = outputs;
  init.lineage = random_.Next() | 1U;
  init.drained = [drained = drained_] { drained->Mark(0); };
  source_ = std::make_shared<ReceivedSource>(std::move(init));
  host.Start(source_);
  Listen();
}

void SyslogReceiver::Listen() {
  const bool udp = options_.config.listen_protocol == SyslogProtocol::kUdp;
  auto opened = (udp ? OpenSyslogUdp : OpenSyslogTcp)(
      options_, {dependencies_.loop, dependencies_.clock, dependencies_.logger, *this, counters_});
  if (opened.ok()) {
    server_ = std::move(*opened);
    error_.clear();
    backoff_.Reset();
    dependencies_.logger.Info("syslog", "listening for syslog messages",
                              {{"job", options_.job}, {"source", name_}, {"port", port()}});
    return;
  }
  error_ = opened.error().message;
  const milliseconds wait = backoff_.Next();
  dependencies_.logger.WriteLimited(
      LogLevel::kError, "syslog listen " + options_.job, "syslog",
      "cannot listen for syslog messages: will be tried again",
      {{"job", options_.job}, {"error", error_}, {"again_in_ms", wait.count()}});
  retry_.StartOnce(wait, [this] { Listen(); });
}

void SyslogReceiver::Stop() {
  retry_.Stop();
  if (server_ == nullptr) return;
  server_->Close();
  server_.reset();
}

void SyslogReceiver::OnMessage(const SyslogPeer& peer, std::string_view text) {
  if (now_ns_ == 0) now_ns_ = dependencies_.clock.WallNanos();
  if (entries_.Add(peer, text, now_ns_, batch_)) return;
  dependencies_.logger.WriteLimited(
      LogLevel::kWarn, "syslog message " + options_.job, "syslog",
      "a message is not as its format says: what could not be read is its line",
      {{"job", options_.job},
       {"from", peer.ip_address},
       {"hint", options_.config.rfc3164 ? "see syslog_format"
                                        : "see syslog_format; many senders can send RFC 5424"}});
}

bool SyslogReceiver::OnReadEnd(std::size_t bytes) {
  now_ns_ = 0;
  received_bytes_ += bytes;
  if (!batch_.empty()) {
    source_->Add(batch_);
    host_->Wake(source_);
  }
  return !source_->full();
}

void SyslogReceiver::OnDrained() {
  drained_->Take();
  if (server_ != nullptr && !source_->full()) server_->Resume();
}

std::vector<ReceiverStatus> SyslogReceiver::Status() const {
  ReceiverStatus status;
  status.job = options_.job;
  status.source = name_;
  status.labels = entries_.labels().common();
  status.received_bytes = received_bytes_;
  status.error = error_;
  if (source_ != nullptr) status.progress = source_->progress();
  if (server_ != nullptr) {
    status.state = "listening on port " + std::to_string(server_->port());
    if (options_.config.listen_protocol == SyslogProtocol::kTcp) {
      const std::size_t count = server_->connections();
      status.state += ", " + std::to_string(count) + (count == 1 ? " connection" : " connections");
    }
  } else {
    status.state = "not listening";
  }
  return {std::move(status)};
}

void SyslogReceiver::CollectMetrics(MetricSink& sink) const {
  const auto count = [&sink](std::string_view name, uint64_t value) {
    sink.Add(name, {}, static_cast<double>(value));
  };
  const SyslogCounters& messages = entries_.counters();
  count("promtail_syslog_target_entries_total", messages.entries);
  count("promtail_syslog_target_parsing_errors_total",
        messages.parsing_errors + counters_.broken_framing);
  count("promtail_syslog_empty_messages_total", messages.empty_messages);
  const std::string& job = options_.job;
  const auto count_of_job = [&](std::string_view name, uint64_t value) {
    sink.Add(name, {job}, static_cast<double>(value));
  };
  count_of_job("agent_syslog_connections", server_ != nullptr ? server_->connections() : 0);
  count_of_job("agent_syslog_connections_accepted_total", counters_.accepted);
  count_of_job("agent_syslog_connections_idle_closed_total", counters_.idle_closed);
  count_of_job("agent_syslog_messages_cut_total", counters_.cut_messages);
  count_of_job("agent_syslog_messages_dropped_total", messages.dropped_by_rules);
  count_of_job("agent_syslog_datagrams_dropped_total", counters_.dropped_datagrams);
  const auto refused = [&](std::string_view reason, uint64_t value) {
    sink.Add("agent_syslog_connections_refused_total", {job, reason}, static_cast<double>(value));
  };
  refused("tls_handshake", counters_.refused_tls);
  refused("not_syslog", counters_.refused_framing);
}

}  // namespace agent
