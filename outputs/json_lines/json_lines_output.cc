#include "outputs/json_lines/json_lines_output.h"

#include <utility>

#include "outputs/json_lines/datagram_sender.h"
#include "outputs/json_lines/line_encoder.h"
#include "outputs/json_lines/stream_sender.h"

namespace agent {
namespace {

using json_lines::DatagramSender;
using json_lines::LineBatch;
using json_lines::LineEncoder;
using json_lines::LineSender;
using json_lines::StreamSender;
using std::chrono::milliseconds;

std::unique_ptr<LineSender> MakeSender(LineSender::Dependencies dependencies, Random random) {
  if (dependencies.options.transport == LineTransport::kUdp) {
    return std::make_unique<DatagramSender>(std::move(dependencies), random);
  }
  return std::make_unique<StreamSender>(std::move(dependencies), random);
}

}  // namespace

JsonLinesOutput::JsonLinesOutput(JsonLinesOptions options, const Dependencies& dependencies,
                                 Random random, std::size_t output_index)
    : options_(std::move(options)),
      output_index_(output_index),
      dependencies_(dependencies),
      counters_(std::make_shared<OutputCounters>()),
      context_{options_.name, *counters_, dependencies.dead_letter},
      sender_(MakeSender({.options = options_,
                          .loop = dependencies.loop,
                          .clock = dependencies.clock,
                          .logger = dependencies.logger,
                          .counters = *counters_,
                          .queue = queue_,
                          .finished = [this] { OnFinished(); }},
                         random)),
      drain_timer_(dependencies.loop) {}

JsonLinesOutput::~JsonLinesOutput() {
  sender_->Abandon();
  for (LineBatch& batch : queue_)
    batch.Abandon();
}

OutputInfo JsonLinesOutput::Info() const {
  const bool udp = options_.transport == LineTransport::kUdp;
  const std::string scheme = udp ? "udp://" : options_.tls ? "tls://" : "tcp://";
  OutputInfo info{.kind = "json_lines", .receiver = {}};
  for (const HostPort& host : options_.hosts)
    info.receiver += (info.receiver.empty() ? "" : ", ") + scheme + host.text();
  return info;
}

std::vector<std::string> JsonLinesOutput::WantedFields() const {
  std::vector<std::string> names;
  for (const DocumentField& field : options_.document.fields)
    names.push_back(field.name);
  return names;
}

std::unique_ptr<Encoder> JsonLinesOutput::MakeEncoder(LabelSets& sets, BatchSink sink) {
  return std::make_unique<LineEncoder>(
      options_, LineEncoder::Dependencies{output_index_, sets, dependencies_.budget}, counters_,
      std::move(sink));
}

void JsonLinesOutput::Enqueue(Batch batch) {
  LineBatch lines(std::move(batch), context_);
  if (lines.rest().empty()) return lines.Finish();  // No receiver would take any of it.
  queue_.push_back(std::move(lines));
  sender_->Pump();
}

void JsonLinesOutput::Drain(milliseconds deadline, std::function<void()> done) {
  drained_ = std::move(done);
  drain_deadline_ns_ = dependencies_.clock.MonotonicNanos() + deadline.count() * kNanosPerMilli;
  drain_timer_.StartOnce(deadline, [this] { AbandonAll(); });
  sender_->BeginDrain();
  OnFinished();
}

// Also when nothing was, but it may be known now that nothing will be.
void JsonLinesOutput::OnFinished() {
  if (!drain_deadline_ns_) return;
  if (idle()) {
    drain_timer_.StartOnce(milliseconds(0), [this] { EndDrain(); });
  } else if (sender_->IsHopeless(*drain_deadline_ns_)) {
    drain_timer_.StartOnce(milliseconds(0), [this] { AbandonAll(); });
  }
}

void JsonLinesOutput::AbandonAll() {
  sender_->Abandon();
  for (LineBatch& batch : queue_)
    batch.Abandon();
  queue_.clear();
  EndDrain();
}

void JsonLinesOutput::EndDrain() {
  drain_timer_.Stop();
  drain_deadline_ns_.reset();
  const std::function<void()> done = std::exchange(drained_, nullptr);
  if (done) done();
}

std::vector<LaneStatus> JsonLinesOutput::Status() const {
  LaneStatus status;
  sender_->AddStatus(status);
  for (const LineBatch& batch : queue_) {
    ++status.queued_batches;
    status.queued_bytes += batch.rest().size();
    if (status.oldest_ns == 0) status.oldest_ns = batch.batch().created_ns;
  }
  if (idle()) status.state = "idle";
  return {status};
}

void JsonLinesOutput::CollectMetrics(MetricSink& sink) const {
  counters_->Collect(options_.name, sink);
  sink.Add("agent_output_best_effort", {options_.name}, 1);
}

}  // namespace agent
