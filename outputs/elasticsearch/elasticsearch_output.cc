#include "outputs/elasticsearch/elasticsearch_output.h"

#include <algorithm>
#include <utility>

#include "base/http/http_url.h"
#include "outputs/elasticsearch/bulk_encoder.h"

namespace agent {
namespace {

using elasticsearch::BulkEncoder;
using elasticsearch::NextStep;
using elasticsearch::SetupRunner;
using std::chrono::milliseconds;

// An answer has some 30 bytes for a document that was stored, and some 600 for one that was not.
constexpr std::size_t kMaxAnswerBytes = std::size_t{16} << 20;
// Batches that wait for something of their own, an index that is blocked, while others go on.
constexpr std::size_t kMaxWaiting = 64;
// A batch that has failed so often, and not for the host alone, lets others by.
constexpr uint32_t kSuspicionToYield = 3;

// Every item keeps its status, or the items could not be told apart.
constexpr std::string_view kFilter =
    "filter_path=errors,items.*.status,items.*.error.type,items.*.error.reason,"
    "items.*.error.caused_by.reason";

int64_t Nanos(milliseconds delay) {
  return std::chrono::nanoseconds(delay).count();
}

HostPool::Options PoolOptions(const ElasticsearchOptions& options) {
  return {.hosts = options.hosts.size(),
          .load_balance = options.load_balance,
          .per_host = options.workers,
          .min_backoff = options.min_backoff,
          .max_backoff = options.max_backoff};
}

}  // namespace

ElasticsearchOutput::ElasticsearchOutput(ElasticsearchOptions options,
                                         const Dependencies& dependencies, Random random,
                                         std::size_t output_index)
    : options_(std::move(options)),
      output_index_(output_index),
      dependencies_(dependencies),
      random_(random),
      counters_(std::make_shared<OutputCounters>()),
      context_{.options = options_,
               .counters = *counters_,
               .clock = dependencies.clock,
               .logger = dependencies.logger,
               .dead_letter = dependencies.dead_letter},
      client_(dependencies.loop, dependencies.clock, dependencies.logger, options_.http),
      hosts_(PoolOptions(options_), Random(random_.Next())),
      pump_timer_(dependencies.loop),
      drain_timer_(dependencies.loop) {
  if (options_.compression_level > 0) {
    deflater_.emplace(DeflateFormat::kGzip, options_.compression_level);
    context_.deflater = &*deflater_;
  }
  if (!options_.setup) return;
  setup_ = std::make_unique<SetupRunner>(
      options_,
      SetupRunner::Dependencies{dependencies.loop, dependencies.clock, dependencies.logger},
      Random(random_.Next()), SetupRunner::Mode::kForEver);
  setup_->Start([this] { Pump(); });
}

ElasticsearchOutput::~ElasticsearchOutput() {
  for (Batch& batch : queue_)
    batch.Abandon();
  for (Active& active : active_)
    active.delivery.Abandon();
}

OutputInfo ElasticsearchOutput::Info() const {
  OutputInfo info{.kind = "elasticsearch", .receiver = MaskedUrl(options_.hosts.front())};
  for (std::size_t i = 1; i < options_.hosts.size(); ++i)
    info.receiver += ", " + MaskedUrl(options_.hosts[i]);
  return info;
}

std::vector<std::string> ElasticsearchOutput::WantedFields() const {
  std::vector<std::string> names;
  for (const DocumentField& field : options_.document.fields)
    names.push_back(field.name);
  const auto add = [&names](const std::vector<std::string>& references) {
    names.insert(names.end(), references.begin(), references.end());
  };
  add(options_.index.references());
  for (const ConditionalIndex& rule : options_.indices) {
    add(rule.index.references());
    names.push_back(rule.field);
  }
  return names;
}

std::unique_ptr<Encoder> ElasticsearchOutput::MakeEncoder(LabelSets& sets, BatchSink sink) {
  return std::make_unique<BulkEncoder>(
      options_,
      BulkEncoder::Dependencies{output_index_, random_.Next(), sets, dependencies_.budget},
      counters_, std::move(sink));
}

void ElasticsearchOutput::Enqueue(Batch batch) {
  queued_bytes_ += batch.body.size;
  queue_.push_back(std::move(batch));
  Pump();
}

bool ElasticsearchOutput::Active::stuck() const {
  return delivery.suspicion() >= kSuspicionToYield;
}

// Sends whatever may be sent now.
void ElasticsearchOutput::Pump() {
  if (waits_for_setup()) return;  // It pumps when it is over.
  if (dependencies_.clock.MonotonicNanos() < pause_until_ns_) return WakeLater();
  while (SendNext()) {
  }
}

// What was begun goes first; but what fails again and again takes turns with what is next, or a
// batch that can never be stored would stop all the others. False when there is nothing to send, or
// nowhere to.
bool ElasticsearchOutput::SendNext() {
  const auto ready = [](const Active& active) { return !active.waiting && !active.request; };
  auto at = std::find_if(active_.begin(), active_.end(),
                         [&](const Active& active) { return ready(active) && !active.stuck(); });
  if (at == active_.end()) {
    const auto stuck = std::find_if(active_.begin(), active_.end(), ready);
    if (MayBegin() && (stuck == active_.end() || stuck_was_last_)) return BeginNext();
    at = stuck;
    if (at == active_.end()) return false;
  }
  const std::optional<std::size_t> host = hosts_.Take(dependencies_.clock.MonotonicNanos());
  if (!host) {
    WakeLater();
    return false;
  }
  stuck_was_last_ = at->stuck();
  Send(at, *host);
  return true;
}

// Batches that wait for something of their own, or are stuck, leave their place to others.
bool ElasticsearchOutput::MayBegin() const {
  const auto working = static_cast<std::size_t>(
      std::count_if(active_.begin(), active_.end(),
                    [](const Active& active) { return !active.waiting && !active.stuck(); }));
  return !queue_.empty() && working < hosts_.capacity() && active_.size() - working < kMaxWaiting;
}

bool ElasticsearchOutput::BeginNext() {
  const int64_t now = dependencies_.clock.MonotonicNanos();
  const std::optional<std::size_t> host = hosts_.Take(now);
  if (!host) {
    WakeLater();
    return false;
  }
  stuck_was_last_ = false;
  active_.emplace_back(dependencies_.loop, std::move(queue_.front()), context_,
                       Random(random_.Next()));
  queue_.pop_front();
  const auto at = std::prev(active_.end());
  if (at->delivery.done()) {
    hosts_.Release(*host, /*failed=*/false, now);
    Done(at);
  } else {
    Send(at, *host);
  }
  return true;
}

std::string ElasticsearchOutput::UrlOf(std::size_t host) const {
  std::string url = options_.hosts[host] + "/_bulk?" + std::string(kFilter);
  if (!options_.pipeline.empty()) url += "&pipeline=" + PercentEncoded(options_.pipeline);
  return url;
}

void ElasticsearchOutput::Send(ActiveAt at, std::size_t host) {
  HttpRequest request;
  request.url = UrlOf(host);
  request.body = at->delivery.body();
  request.keep_bytes = kMaxAnswerBytes;
  request.headers.emplace_back("Content-Type", "application/x-ndjson");
  request.headers.emplace_back("Accept-Encoding", "gzip");
  if (at->delivery.compressed()) request.headers.emplace_back("Content-Encoding", "gzip");
  request.headers.emplace_back("User-Agent", options_.user_agent);
  at->host = host;
  at->body_bytes = request.body.size();
  counters_->requests.fetch_add(1, std::memory_order_relaxed);
  at->request = client_.Send(std::move(request),
                             [this, at](const HttpResponse& response) { OnAnswer(at, response); });
}

void ElasticsearchOutput::OnAnswer(ActiveAt at, const HttpResponse& response) {
  const int64_t now = dependencies_.clock.MonotonicNanos();
  at->request.reset();
  const std::size_t host = *std::exchange(at->host, std::nullopt);
  const NextStep step = at->delivery.OnAnswer(response);
  hosts_.Release(host, step.host_failed, now, step.delay);
  if (step.host_failed) LogHostFailed(host, hosts_.rest_ns(host, now), at->delivery.last_error());
  const bool failed = step.host_failed || step.answer_is_bad || response.status != 200;
  if (failed) {
    counters_->failed_requests.fetch_add(1, std::memory_order_relaxed);
  } else {
    counters_->sent_bytes.fetch_add(at->body_bytes, std::memory_order_relaxed);
  }
  last_error_ = step.kind == NextStep::Kind::kDone && !failed ? "" : at->delivery.last_error();
  switch (step.kind) {
    case NextStep::Kind::kSend:
      break;
    case NextStep::Kind::kDone:
      Done(at);
      break;
    case NextStep::Kind::kWaitAll:
      pause_until_ns_ = std::max(pause_until_ns_, now + Nanos(step.delay));
      [[fallthrough]];
    case NextStep::Kind::kWaitThis:
      Wait(at, step.delay);
      break;
  }
  if (drain_deadline_ns_ && hosts_.all_down(now)) return AbandonAll();
  Pump();
}

// Another one is asked at once, if there is one.
void ElasticsearchOutput::LogHostFailed(std::size_t host, int64_t rest_ns,
                                        const std::string& error) {
  dependencies_.logger.WriteLimited(
      LogLevel::kWarn, "es_host:" + options_.name + ":" + options_.hosts[host], "elasticsearch",
      "host failed: left alone for a while, its documents will be sent again",
      {{"output", options_.name},
       {"host", MaskedUrl(options_.hosts[host])},
       {"error", error},
       {"wait_ms", rest_ns / kNanosPerMilli}});
}

void ElasticsearchOutput::Wait(ActiveAt at, milliseconds delay) {
  at->waiting = true;
  at->wake_ns = dependencies_.clock.MonotonicNanos() + Nanos(delay);
  if (drain_deadline_ns_ && at->wake_ns > *drain_deadline_ns_) {
    queued_bytes_ -= at->delivery.batch().body.size;
    at->delivery.Abandon();
    active_.erase(at);
    if (idle()) drain_timer_.StartOnce(milliseconds(0), [this] { EndDrain(); });
    return;
  }
  at->wait.StartOnce(delay, [this, at] {
    at->waiting = false;
    Pump();
  });
}

void ElasticsearchOutput::Done(ActiveAt at) {
  queued_bytes_ -= at->delivery.batch().body.size;
  at->delivery.Finish();
  active_.erase(at);
  if (drained_ && idle()) drain_timer_.StartOnce(milliseconds(0), [this] { EndDrain(); });
}

// When the pause is over, or a host may be asked again.
void ElasticsearchOutput::WakeLater() {
  const int64_t now = dependencies_.clock.MonotonicNanos();
  std::optional<int64_t> wake = hosts_.NextTry();
  if (pause_until_ns_ > now) wake = std::max(pause_until_ns_, wake.value_or(0));
  if (!wake) return;  // An answer that is on its way pumps.
  const int64_t delay_ms = std::max<int64_t>(0, (*wake - now) / kNanosPerMilli + 1);
  pump_timer_.StartOnce(milliseconds(delay_ms), [this] { Pump(); });
}

void ElasticsearchOutput::Drain(milliseconds deadline, std::function<void()> done) {
  drained_ = std::move(done);
  const int64_t now = dependencies_.clock.MonotonicNanos();
  drain_deadline_ns_ = now + Nanos(deadline);
  drain_timer_.StartOnce(deadline, [this] { AbandonAll(); });
  // What would not be tried before the deadline is not waited for.
  const bool hopeless =
      (waits_for_setup() && setup_->waiting()) ||
      (hosts_.all_down(now) && hosts_.NextTry().value_or(0) > *drain_deadline_ns_);
  if (idle()) {
    drain_timer_.StartOnce(milliseconds(0), [this] { EndDrain(); });
  } else if (hopeless || pause_until_ns_ > *drain_deadline_ns_) {
    AbandonAll();
  } else {
    Pump();
  }
}

void ElasticsearchOutput::AbandonAll() {
  for (Active& active : active_) {
    if (active.request) client_.Cancel(*active.request);
    active.delivery.Abandon();
  }
  active_.clear();
  for (Batch& batch : queue_)
    batch.Abandon();
  queue_.clear();
  queued_bytes_ = 0;
  drain_timer_.StartOnce(milliseconds(0), [this] { EndDrain(); });
}

void ElasticsearchOutput::EndDrain() {
  drain_timer_.Stop();
  pump_timer_.Stop();
  drain_deadline_ns_.reset();
  const std::function<void()> done = std::exchange(drained_, nullptr);
  if (done) done();
}

std::vector<LaneStatus> ElasticsearchOutput::Status() const {
  LaneStatus status;
  status.queued_batches = queue_.size() + active_.size();
  status.queued_bytes = queued_bytes_;
  status.last_error = last_error_;
  status.state = idle() ? "idle" : last_error_.empty() ? "sending" : "retrying";
  for (const Active& active : active_) {
    const int64_t created = active.delivery.batch().created_ns;
    if (status.oldest_ns == 0 || created < status.oldest_ns) status.oldest_ns = created;
    status.attempts = std::max(status.attempts, active.delivery.attempts());
    if (active.delivery.holding()) status.state = "holding";
  }
  if (status.oldest_ns == 0 && !queue_.empty()) status.oldest_ns = queue_.front().created_ns;
  if (waits_for_setup() && !setup_->last_error().empty()) {
    status.last_error = setup_->last_error();
    if (!idle()) status.state = "retrying";
  }
  return {status};
}

void ElasticsearchOutput::CollectMetrics(MetricSink& sink) const {
  counters_->Collect(options_.name, sink);
}

}  // namespace agent
