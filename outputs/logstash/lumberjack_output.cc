#include "outputs/logstash/lumberjack_output.h"

#include <algorithm>
#include <utility>

#include "outputs/logstash/lumberjack_encoder.h"

namespace agent {
namespace {

using logstash::ConnectionEnd;
using logstash::LumberjackEncoder;
using logstash::Session;
using logstash::SessionOptions;
using logstash::WindowQueue;
using std::chrono::milliseconds;

int64_t Nanos(milliseconds delay) {
  return std::chrono::nanoseconds(delay).count();
}

HostPool::Options PoolOptions(const LumberjackOptions& options) {
  return {.hosts = options.hosts.size(),
          .load_balance = options.load_balance,
          .per_host = options.workers,
          .min_backoff = options.min_backoff,
          .max_backoff = options.max_backoff};
}

SessionOptions ToSession(const LumberjackOptions& options) {
  SessionOptions session;
  session.pipelining = options.pipelining;
  session.timeout = options.timeout;
  session.ack_stall_limit = options.ack_stall_limit;
  session.ttl = options.ttl;
  return session;
}

}  // namespace

LumberjackOutput::LumberjackOutput(LumberjackOptions options, const Dependencies& dependencies,
                                   Random random, std::size_t output_index)
    : options_(std::move(options)),
      output_index_(output_index),
      dependencies_(dependencies),
      random_(random),
      counters_(std::make_shared<OutputCounters>()),
      deflater_(options_.compression_level > 0
                    ? std::make_optional<Deflater>(DeflateFormat::kZlib, options_.compression_level)
                    : std::nullopt),
      queue_({.output = options_.name,
              .window_entries = options_.window_entries,
              .window_bytes = options_.window_bytes,
              .compressor = deflater_ ? &*deflater_ : nullptr,
              .counters = *counters_,
              .logger = dependencies.logger,
              .dead_letter = dependencies.dead_letter}),
      slow_start_(options_.slow_start, options_.window_entries),
      hosts_(PoolOptions(options_), Random(random_.Next())),
      pump_timer_(dependencies.loop),
      sweep_timer_(dependencies.loop),
      drain_timer_(dependencies.loop) {
  if (options_.tls) tls_.emplace(*options_.tls);
}

LumberjackOutput::~LumberjackOutput() = default;

OutputInfo LumberjackOutput::Info() const {
  OutputInfo info{.kind = "lumberjack", .receiver = ""};
  for (const HostPort& host : options_.hosts)
    info.receiver += (info.receiver.empty() ? "" : ", ") + host.text();
  return info;
}

std::vector<std::string> LumberjackOutput::WantedFields() const {
  std::vector<std::string> names;
  for (const DocumentField& field : options_.document.fields)
    names.push_back(field.name);
  return names;
}

std::unique_ptr<Encoder> LumberjackOutput::MakeEncoder(LabelSets& sets, BatchSink sink) {
  return std::make_unique<LumberjackEncoder>(
      options_,
      LumberjackEncoder::Dependencies{output_index_, random_.Next(), sets, dependencies_.budget},
      counters_, std::move(sink));
}

void LumberjackOutput::Enqueue(Batch batch) {
  queue_.Add(std::move(batch));
  Pump();
}

void LumberjackOutput::Pump() {
  if (abandoned_) return;
  while (queue_.waiting() > 0) {
    Connection* const connection = BestConnection();
    if (connection == nullptr) break;
    WindowQueue::Window window = queue_.Take(slow_start_.limit());
    windows_[window.id] = {window.body.size, window.events};
    counters_->requests.fetch_add(1, std::memory_order_relaxed);
    connection->Send(std::move(window));
  }
  OpenConnections();
  WakeLater();
}

// The one that has the least to do.
LumberjackOutput::Connection* LumberjackOutput::BestConnection() {
  Connection* best = nullptr;
  for (const auto& connection : connections_) {
    if (!connection->may_send()) continue;
    if (best == nullptr || connection->in_flight() < best->in_flight()) best = connection.get();
  }
  return best;
}

void LumberjackOutput::OpenConnections() {
  auto opening = static_cast<std::size_t>(
      std::count_if(connections_.begin(), connections_.end(),
                    [](const auto& connection) { return connection->opening(); }));
  while (opening < queue_.waiting()) {
    const auto host = hosts_.Take(dependencies_.clock.MonotonicNanos());
    if (!host) return;
    Open(*host);
    ++opening;
  }
}

void LumberjackOutput::Open(std::size_t host) {
  StreamOptions stream;
  stream.host = options_.hosts[host].host;
  stream.port = options_.hosts[host].port;
  stream.connect_timeout = options_.timeout;
  connections_.push_back(
      std::make_unique<Connection>(Connection::Dependencies{dependencies_.loop, dependencies_.clock,
                                                            tls_ ? &*tls_ : nullptr, *this},
                                   host, std::move(stream), ToSession(options_)));
}

void LumberjackOutput::OnRoom(Connection& /*connection*/) {
  Pump();
}

void LumberjackOutput::OnAcked(Connection& connection, const Session::Acked& acked) {
  if (abandoned_) return;
  queue_.Acked(acked.window, acked.events);
  if (acked.whole) {
    const auto at = windows_.find(acked.window);
    counters_->sent_bytes.fetch_add(at->second.bytes, std::memory_order_relaxed);
    slow_start_.OnDone(at->second.events);
    windows_.erase(at);
  }
  hosts_.Succeed(connection.host());
  last_error_.clear();
  untrusted_ = false;
  if (drained_ && idle()) drain_timer_.StartOnce(milliseconds(0), [this] { EndDrain(); });
}

void LumberjackOutput::OnConnectionEnded(Connection& connection, const ConnectionEnd& end) {
  if (abandoned_) return;
  for (const uint64_t window : end.unfinished) {
    windows_.erase(window);
    const bool by_it = end.by_window && window == end.unfinished.front();
    queue_.Return(window, by_it ? end.error : "");
  }
  if (end.kind == ConnectionEnd::Kind::kQuiet) {
    hosts_.Leave(connection.host());
  } else {
    OnFailure(connection, end);
  }
  SweepSoon();
  const int64_t now = dependencies_.clock.MonotonicNanos();
  if (drain_deadline_ns_ && hosts_.all_down(now)) return AbandonAll();
  Pump();
}

void LumberjackOutput::OnFailure(Connection& connection, const ConnectionEnd& end) {
  untrusted_ = end.kind == ConnectionEnd::Kind::kUntrusted;
  last_error_ = end.error;
  if (!end.unfinished.empty()) slow_start_.OnFailed();
  counters_->failed_requests.fetch_add(std::max<std::size_t>(1, end.unfinished.size()),
                                       std::memory_order_relaxed);
  const int64_t now = dependencies_.clock.MonotonicNanos();
  if (hosts_.is_down(connection.host(), now)) {
    hosts_.Leave(connection.host());  // Another of its connections has told.
  } else {
    // What certificates are refused for does not go away by itself.
    hosts_.Release(connection.host(), /*failed=*/true, now,
                   untrusted_ ? options_.max_backoff : milliseconds(0));
  }
  const std::string host = options_.hosts[connection.host()].text();
  if (untrusted_) {
    dependencies_.logger.WriteLimited(
        LogLevel::kError, "lumberjack_tls:" + options_.name + host, "logstash",
        "TLS is refused: events are kept, and it is tried now and then",
        {{"output", options_.name},
         {"host", host},
         {"error", end.error},
         {"hint", "check certificates and authorities, of both sides"}});
  } else {
    dependencies_.logger.WriteLimited(
        LogLevel::kWarn, "lumberjack_failed:" + options_.name + host, "logstash",
        "no acknowledgement, will send again",
        {{"output", options_.name}, {"host", host}, {"error", end.error}});
  }
}

// They may be in the midst of a call.
void LumberjackOutput::SweepSoon() {
  sweep_timer_.StartOnce(milliseconds(0), [this] {
    connections_.remove_if([](const auto& connection) { return connection->ended(); });
  });
}

// When a host may be tried again.
void LumberjackOutput::WakeLater() {
  if (queue_.waiting() == 0) return;
  const std::optional<int64_t> wake = hosts_.NextTry();
  if (!wake) return;  // What is on its way pumps.
  const int64_t now = dependencies_.clock.MonotonicNanos();
  const int64_t delay_ms = std::max<int64_t>(0, (*wake - now) / kNanosPerMilli + 1);
  pump_timer_.StartOnce(milliseconds(delay_ms), [this] { Pump(); });
}

void LumberjackOutput::Drain(milliseconds deadline, std::function<void()> done) {
  drained_ = std::move(done);
  const int64_t now = dependencies_.clock.MonotonicNanos();
  drain_deadline_ns_ = now + Nanos(deadline);
  drain_timer_.StartOnce(deadline, [this] { AbandonAll(); });
  // What would not be tried before the deadline is not waited for.
  const bool hopeless = hosts_.all_down(now) && hosts_.NextTry().value_or(0) > *drain_deadline_ns_;
  if (idle()) {
    drain_timer_.StartOnce(milliseconds(0), [this] { EndDrain(); });
  } else if (hopeless) {
    AbandonAll();
  } else {
    Pump();
  }
}

void LumberjackOutput::AbandonAll() {
  abandoned_ = true;
  queue_.Abandon();
  drain_timer_.StartOnce(milliseconds(0), [this] { EndDrain(); });
}

void LumberjackOutput::EndDrain() {
  drain_timer_.Stop();
  pump_timer_.Stop();
  sweep_timer_.Stop();
  connections_.clear();
  windows_.clear();
  abandoned_ = false;
  drain_deadline_ns_.reset();
  const std::function<void()> done = std::exchange(drained_, nullptr);
  if (done) done();
}

std::vector<LaneStatus> LumberjackOutput::Status() const {
  LaneStatus status;
  status.queued_batches = queue_.batches();
  status.queued_bytes = queue_.bytes();
  status.last_error = last_error_;
  status.oldest_ns = queue_.oldest_ns();
  status.attempts = queue_.attempts();
  if (idle()) {
    status.state = "idle";
  } else if (last_error_.empty()) {
    status.state = "sending";
  } else {
    status.state = untrusted_ ? "holding" : "retrying";
  }
  return {status};
}

void LumberjackOutput::CollectMetrics(MetricSink& sink) const {
  counters_->Collect(options_.name, sink);
}

}  // namespace agent
