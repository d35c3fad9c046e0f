#include "outputs/loki/loki_output.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/http/http_url.h"
#include "outputs/loki/loki_encoder.h"
#include "outputs/loki/response_policy.h"

namespace agent {
namespace {

// Past so many lanes, idle ones are taken down before another is made.
constexpr std::size_t kMaxIdleLanes = 64;

std::string HostLabel(const std::string& url) {
  const std::optional<UrlHost> host = HostOf(url);
  return host.has_value() ? host->as_written : url;
}

double AsDouble(const TenantCounters::Count& count) {
  return static_cast<double>(count.load(std::memory_order_relaxed));
}

}  // namespace

LokiOutput::LokiOutput(LokiOptions options, const Dependencies& dependencies, Random random,
                       std::size_t output_index)
    : options_(std::move(options)),
      host_(HostLabel(options_.url)),
      output_index_(output_index),
      dependencies_(dependencies),
      random_(random),
      counters_(std::make_shared<LokiCounters>()),
      client_(dependencies.loop, dependencies.clock, dependencies.logger, options_.http),
      gate_([this](HostGate::Key key) {
        for (auto& [tenant, slot] : lanes_)
          if (slot.lane.get() == key) slot.lane->OnAdmitted();
      }),
      drain_timer_(dependencies.loop) {}

LokiOutput::~LokiOutput() = default;

std::unique_ptr<Encoder> LokiOutput::MakeEncoder(LabelSets& sets, BatchSink sink) {
  return std::make_unique<LokiEncoder>(options_, output_index_, sets, dependencies_.budget,
                                       counters_, std::move(sink));
}

void LokiOutput::Enqueue(Batch batch) {
  loki::Lane& lane = *SlotOf(batch.tenant).lane;
  lane.Enqueue(std::move(batch));
}

bool LokiOutput::idle() const {
  return std::all_of(lanes_.begin(), lanes_.end(),
                     [](const auto& item) { return item.second.lane->idle(); });
}

void LokiOutput::Drain(std::chrono::milliseconds deadline, std::function<void()> done) {
  drained_ = std::move(done);
  drain_timer_.StartOnce(deadline, [this] {
    for (auto& [tenant, slot] : lanes_)
      if (!slot.lane->idle()) slot.lane->AbandonAll();
    EndDrain();
  });
  const int64_t deadline_ns =
      dependencies_.clock.MonotonicNanos() +
      std::chrono::duration_cast<std::chrono::nanoseconds>(deadline).count();
  for (auto& [tenant, slot] : lanes_)
    if (!slot.lane->idle()) slot.lane->Drain(deadline_ns);
  if (idle()) drain_timer_.StartOnce(std::chrono::milliseconds(0), [this] { EndDrain(); });
}

void LokiOutput::EndDrain() {
  const std::function<void()> done = std::exchange(drained_, nullptr);
  drain_timer_.Stop();
  if (done) done();
}

std::vector<LaneStatus> LokiOutput::Status() const {
  std::vector<LaneStatus> status;
  status.reserve(lanes_.size());
  for (const auto& [tenant, slot] : lanes_)
    status.push_back(slot.lane->Status());
  return status;
}

LokiOutput::LaneSlot& LokiOutput::SlotOf(const std::string& tenant) {
  const auto found = lanes_.find(tenant);
  if (found != lanes_.end()) return found->second;
  if (lanes_.size() >= kMaxIdleLanes) RemoveIdleLanes();
  LaneSlot& slot = lanes_[tenant];
  slot.timer = std::make_unique<Timer>(dependencies_.loop);
  slot.lane =
      std::make_unique<loki::Lane>(loki::Lane::Context{.options = options_,
                                                       .host = *this,
                                                       .counters = counters_->ForTenant(tenant),
                                                       .clock = dependencies_.clock,
                                                       .logger = dependencies_.logger,
                                                       .dead_letter = dependencies_.dead_letter,
                                                       .snappy = snappy_},
                                   tenant, Random(random_.Next()));
  return slot;
}

void LokiOutput::RemoveIdleLanes() {
  for (auto at = lanes_.begin(); at != lanes_.end();)
    at = at->second.lane->idle() ? lanes_.erase(at) : std::next(at);
}

bool LokiOutput::Admit(loki::Lane& lane) {
  return gate_.Enter(&lane);
}

void LokiOutput::ForgetAdmission(loki::Lane& lane) {
  gate_.Forget(&lane);
}

void LokiOutput::Post(loki::Lane& lane, std::string_view body) {
  HttpRequest request;
  request.url = options_.url;
  request.headers.emplace_back("Content-Type", "application/x-protobuf");
  request.headers.emplace_back("User-Agent", options_.user_agent);
  if (!lane.tenant().empty()) request.headers.emplace_back("X-Scope-OrgID", lane.tenant());
  request.body = body;
  const std::string& tenant = lane.tenant();
  SlotOf(tenant).request =
      client_.Send(std::move(request),
                   [this, tenant](const HttpResponse& response) { OnResponse(tenant, response); });
}

void LokiOutput::CancelPost(loki::Lane& lane) {
  LaneSlot& slot = SlotOf(lane.tenant());
  CHECK(slot.request.has_value());
  client_.Cancel(*slot.request);
  slot.request.reset();
  gate_.Leave(HostGate::Result::kNoAnswer);
}

void LokiOutput::OnResponse(const std::string& tenant, const HttpResponse& response) {
  LaneSlot& slot = SlotOf(tenant);
  slot.request.reset();
  durations_.Observe(response.status, response.duration);
  ++requests_;
  if (response.status / 100 != 2) ++failed_requests_;
  const bool down = loki::IsHostFailure(response);
  slot.lane->OnResponse(response);
  // After the lane: the others come first in the queue for what it leaves.
  const bool recovered =
      gate_.Leave(down ? HostGate::Result::kHostDown : HostGate::Result::kHostUp);
  if (!recovered) return;
  for (auto& [name, other] : lanes_)
    other.lane->OnHostUp();
}

void LokiOutput::WakeAfter(loki::Lane& lane, std::optional<std::chrono::milliseconds> delay) {
  LaneSlot& slot = SlotOf(lane.tenant());
  slot.timer->Stop();
  if (delay.has_value()) slot.timer->StartOnce(*delay, [&lane] { lane.OnWake(); });
}

void LokiOutput::CountSent(std::size_t entries, std::size_t bytes) {
  ++accepted_;
  sent_entries_ += entries;
  sent_bytes_ += bytes;
}

void LokiOutput::OnIdle(loki::Lane& /*lane*/) {
  if (!drained_ || !idle()) return;
  drain_timer_.StartOnce(std::chrono::milliseconds(0), [this] { EndDrain(); });
}

OutputTotals LokiOutput::Totals() const {
  OutputTotals totals{.encoded_bytes = counters_->encoded_bytes(),
                      .sent_entries = sent_entries_,
                      .sent_bytes = sent_bytes_,
                      .requests = requests_,
                      .failed_requests = failed_requests_};
  counters_->ForEachTenant([&](const std::string& /*tenant*/, const TenantCounters& counters) {
    totals.retried_entries += counters.retried_entries.load();
    for (std::size_t i = 0; i < kLossReasons; ++i) {
      totals.repaired_entries += counters.mutated[i].entries.load();
      const uint64_t dropped = counters.dropped[i].entries.load();
      if (dropped > 0) {
        totals.refused[std::string(LossReasonName(static_cast<LossReason>(i)))] += dropped;
      }
    }
  });
  return totals;
}

void LokiOutput::CollectMetrics(MetricSink& sink) const {
  sink.Add("promtail_encoded_bytes_total", {host_},
           static_cast<double>(counters_->encoded_bytes()));
  sink.Add("promtail_sent_bytes_total", {host_}, static_cast<double>(sent_bytes_));
  sink.Add("promtail_sent_entries_total", {host_}, static_cast<double>(sent_entries_));
  durations_.Collect(host_, sink);
  counters_->ForEachTenant([&](const std::string& tenant, const TenantCounters& counters) {
    CollectTenant(tenant, counters, sink);
  });
}

void LokiOutput::CollectTenant(const std::string& tenant, const TenantCounters& counters,
                               MetricSink& sink) const {
  sink.Add("promtail_batch_retries_total", {host_, tenant}, AsDouble(counters.batch_retries));
  for (std::size_t i = 0; i < kLossReasons; ++i) {
    const std::string_view reason = LossReasonName(static_cast<LossReason>(i));
    const TenantCounters::Loss& dropped = counters.dropped[i];
    const TenantCounters::Loss& mutated = counters.mutated[i];
    const bool promtails = i < kPromtailLossReasons;
    if (promtails || dropped.entries.load() > 0) {
      sink.Add("promtail_dropped_entries_total", {host_, tenant, reason},
               AsDouble(dropped.entries));
      sink.Add("promtail_dropped_bytes_total", {host_, tenant, reason}, AsDouble(dropped.bytes));
    }
    if (promtails) {
      sink.Add("promtail_mutated_entries_total", {host_, tenant, reason},
               AsDouble(mutated.entries));
      sink.Add("promtail_mutated_bytes_total", {host_, tenant, reason}, AsDouble(mutated.bytes));
    } else if (mutated.entries.load() > 0) {
      sink.Add("agent_entries_repaired_total", {reason}, AsDouble(mutated.entries));
    }
    if (counters.dead_lettered[i].load() > 0) {
      sink.Add("agent_dead_letter_entries_total", {options_.name, reason},
               AsDouble(counters.dead_lettered[i]));
    }
  }
}

}  // namespace agent
