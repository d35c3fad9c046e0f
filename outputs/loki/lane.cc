#include "outputs/loki/lane.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/check.h"
#include "outputs/loki/response_policy.h"

namespace agent::loki {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kMinHold{60'000};  // Half of it at least, by the backoff's formula.
constexpr milliseconds kMaxHold{300'000};
constexpr int64_t kCoolDownNs = 60 * kNanosPerSecond;
constexpr uint32_t kRateLimitsToHalve = 3;
constexpr uint32_t kFailuresToSplit = 10;
constexpr uint32_t kFailuresToRefuse = 20;
constexpr uint32_t kUnknownStatusAlarm = 10;
// Streams of one batch that are sent apart; where there are more, they share requests.
constexpr std::size_t kMaxStreamPieces = 32;
constexpr std::size_t kMaxIsolationPieces = 16;

}  // namespace

Lane::Lane(const Context& context, std::string tenant, Random random)
    : context_(context),
      tenant_(std::move(tenant)),
      backoff_(context.options.min_backoff, context.options.max_backoff, random),
      hold_backoff_(kMinHold, kMaxHold, random) {}

Lane::~Lane() {
  for (Batch& batch : queue_)
    batch.Abandon();
}

void Lane::Enqueue(Batch batch) {
  queued_bytes_ += batch.body.size;
  queue_.push_back(std::move(batch));
  if (state_ == State::kIdle) SendNext();
}

void Lane::Drain(int64_t deadline_ns) {
  drain_deadline_ns_ = deadline_ns;
  if (state_ != State::kWaiting || wake_ns_ <= deadline_ns) return;
  if (wait_is_asked_for_) {
    AbandonAll();
  } else {
    OnWake();
  }
}

void Lane::AbandonAll() {
  if (state_ == State::kSending) context_.host.CancelPost(*this);
  if (state_ == State::kAsking) context_.host.ForgetAdmission(*this);
  context_.host.WakeAfter(*this, std::nullopt);
  state_ = State::kIdle;
  front_.reset();
  for (Batch& batch : queue_)
    batch.Abandon();
  queue_.clear();
  queued_bytes_ = 0;
  context_.host.OnIdle(*this);
}

void Lane::OnHostUp() {
  if (state_ == State::kWaiting && host_was_down_ && !wait_is_asked_for_) OnWake();
}

void Lane::OnAdmitted() {
  CHECK(state_ == State::kAsking);
  Deliver();
}

void Lane::OnWake() {
  if (state_ != State::kWaiting) return;
  context_.host.WakeAfter(*this, std::nullopt);
  SendNext();
}

LaneStatus Lane::Status() const {
  LaneStatus status;
  status.tenant = tenant_;
  status.queued_batches = queue_.size();
  status.queued_bytes = queued_bytes_;
  if (!queue_.empty()) status.oldest_ns = queue_.front().created_ns;
  status.last_error = last_error_;
  if (front_.has_value() && !front_->pieces.empty()) {
    status.attempts = front_->pieces.front().attempts;
  }
  if (state_ == State::kIdle) {
    status.state = "idle";
  } else if (holding_) {
    status.state = "holding";
  } else {
    status.state = last_error_.empty() ? "sending" : "retrying";
  }
  return status;
}

void Lane::SendNext() {
  if (queue_.empty()) {
    state_ = State::kIdle;
    drain_deadline_ns_.reset();
    context_.host.OnIdle(*this);
    return;
  }
  if (!front_.has_value()) Begin();
  state_ = State::kAsking;
  if (context_.host.Admit(*this)) Deliver();
}

void Lane::Begin() {
  front_.emplace();
  front_->pieces.emplace_back();
  front_->pieces.front().raw_size = queue_.front().raw_size;
  const std::size_t per_request = context_.options.max_streams_per_request;
  if ((per_request == 0 && !Cooling()) || !TakeApart()) return;
  const RequestPart whole = WholeRequest(*front_->request);
  const std::size_t streams = whole.slices.size();
  if (Cooling()) {
    if (streams > 1) ReplacePiece(SplitByStream(whole, kMaxStreamPieces), 0);
  } else if (streams > per_request) {
    ReplacePiece(SplitByStream(whole, (streams + per_request - 1) / per_request), 0);
  }
}

void Lane::Deliver() {
  state_ = State::kSending;
  LanePiece& piece = front_->pieces.front();
  ++piece.attempts;
  if (piece.part.has_value() && piece.body.size == 0) {
    piece.body = EncodePart(*front_->request, *piece.part, context_.snappy, piece.raw_size);
  }
  if (piece.attempts > 1) {
    context_.counters.retried_entries.fetch_add(PieceEntries(), std::memory_order_relaxed);
  }
  const Bytes& body = piece.part.has_value() ? piece.body : queue_.front().body;
  context_.host.Post(*this, {body.data.get(), body.size});
}

void Lane::OnResponse(const HttpResponse& response) {
  CHECK(state_ == State::kSending);
  holding_ = false;
  switch (Judge(response)) {
    case Verdict::kDelivered: {
      const LanePiece& piece = front_->pieces.front();
      context_.host.CountSent(PieceEntries(),
                              piece.part.has_value() ? piece.body.size : queue_.front().body.size);
      last_error_.clear();
      PieceDone();
      return;
    }
    case Verdict::kIsolate:
      Isolate(response);
      return;
    case Verdict::kTooLarge:
      SendSmaller(response, LossReason::kIngesterError);
      return;
    case Verdict::kRefused:
      Refuse(response, LossReason::kIngesterError, Keep::kDeadLetter);
      return;
    case Verdict::kRateLimited:
      RateLimited(response);
      return;
    case Verdict::kRetry:
      Retry(response);
      return;
    case Verdict::kHold:
      Hold(response);
      return;
  }
}

// Makes `front_->request`. False when the body cannot be read, which is a bug: it is sent whole
// then.
bool Lane::TakeApart() {
  if (front_->request != nullptr) return true;
  const Bytes& body = queue_.front().body;
  auto request = std::make_unique<PushRequest>();
  const auto parsed = request->Parse({body.data.get(), body.size});
  if (!parsed.ok() || request->entries.size() != queue_.front().entries()) {
    context_.logger.WriteLimited(LogLevel::kError, "loki_parse", "loki",
                                 "a batch of our own cannot be read: it is not split");
    return false;
  }
  Batch& batch = queue_.front();
  batch.memory.Resize(batch.memory.bytes() + request->raw.size());
  front_->request = std::move(request);
  return true;
}

std::size_t Lane::PieceEntries() const {
  const LanePiece& piece = front_->pieces.front();
  return piece.part.has_value() ? piece.part->entries() : queue_.front().entries();
}

// What the piece at the front carries. The batch has been taken apart.
RequestPart Lane::FrontPart() const {
  const LanePiece& piece = front_->pieces.front();
  return piece.part.has_value() ? *piece.part : WholeRequest(*front_->request);
}

bool Lane::Cooling() const {
  return context_.clock.MonotonicNanos() < cool_until_ns_;
}

void Lane::StartCooling() {
  cool_until_ns_ = context_.clock.MonotonicNanos() + kCoolDownNs;
}

void Lane::ReplacePiece(std::deque<RequestPart> parts, uint32_t attempts) {
  std::deque<LanePiece>& pieces = front_->pieces;
  pieces.pop_front();
  // Backwards, each to the front: they stand in order then.
  // NOLINTNEXTLINE(modernize-loop-convert): C++20 has no reversed range that clang 14 reads.
  for (auto part = parts.rbegin(); part != parts.rend(); ++part) {
    LanePiece piece;
    piece.part = std::move(*part);
    piece.attempts = attempts;
    pieces.push_front(std::move(piece));
  }
}

// Something in the piece is refused; the rest may have been stored, or nothing.
void Lane::Isolate(const HttpResponse& response) {
  last_error_ = Describe(response);
  ++front_->isolation_requests;
  const bool spent = front_->isolation_requests >= kMaxIsolationRequests;
  if (spent || PieceEntries() < 2 || !TakeApart()) {
    Refuse(response, LossReason::kIngesterError, Keep::kDeadLetter);
    return;
  }
  const RequestPart part = FrontPart();
  if (part.slices.size() > 1) {
    StartCooling();
    ReplacePiece(SplitByStream(part, kMaxIsolationPieces), 0);
  } else {
    ReplacePiece(Halve(*front_->request, part), 0);
  }
  SendNext();
}

void Lane::SendSmaller(const HttpResponse& response, LossReason reason) {
  last_error_ = Describe(response);
  if (PieceEntries() < 2 || !TakeApart()) {
    Refuse(response, reason, Keep::kDeadLetter);
    return;
  }
  ReplacePiece(Halve(*front_->request, FrontPart()), 0);
  SendNext();
}

void Lane::RateLimited(const HttpResponse& response) {
  if (context_.options.drop_rate_limited_batches) {
    context_.logger.WriteLimited(LogLevel::kWarn, "loki_limited:" + context_.options.name, "loki",
                                 "dropping batch due to rate limiting applied at ingester",
                                 {{"client", context_.options.name}, {"tenant", tenant_}});
    Refuse(response, LossReason::kRateLimited, Keep::kNo);
    return;
  }
  if (OutOfRetries(response, LossReason::kRateLimited)) return;
  LanePiece& piece = front_->pieces.front();
  ++piece.rate_limited;
  const milliseconds delay = OwnOrAsked(response);
  const bool large =
      piece.rate_limited >= kRateLimitsToHalve && piece.raw_size > kHalveRateLimitedBytes;
  if (TakeApart()) {
    const RequestPart part = FrontPart();
    if (part.slices.size() > 1) {
      // The answer to several streams may hide what became of all but the last.
      StartCooling();
      ReplacePiece(SplitByStream(part, kMaxStreamPieces), piece.attempts);
    } else if (large && part.entries() > 1) {
      // Larger than the burst that is allowed, it would never pass.
      ReplacePiece(Halve(*front_->request, part), piece.attempts);
    }
  }
  WaitFor(delay, response);
}

void Lane::Retry(const HttpResponse& response) {
  if (OutOfRetries(response, LossReason::kIngesterError)) return;
  LanePiece& piece = front_->pieces.front();
  if (piece.failures++ == 0) piece.accepted_at_first_failure = context_.host.accepted();
  if (response.status == 500) ++piece.internal_errors;
  if (response.status != 0 && response.status < 500 && piece.failures == kUnknownStatusAlarm) {
    context_.logger.Error("loki", "unexpected status again and again: the batch keeps being sent",
                          {{"client", context_.options.name},
                           {"tenant", tenant_},
                           {"status", response.status},
                           {"error", Describe(response)}});
  }
  if (HandledAsPoison(response)) return;
  WaitFor(OwnOrAsked(response), response);
}

// Counts the failed attempt; gives the piece up when the configuration says so.
bool Lane::OutOfRetries(const HttpResponse& response, LossReason reason) {
  context_.counters.batch_retries.fetch_add(1, std::memory_order_relaxed);
  const int limit = context_.options.max_retries.value_or(0);
  if (limit <= 0 || front_->pieces.front().attempts < static_cast<uint32_t>(limit)) return false;
  Refuse(response, reason, Keep::kDeadLetter);
  return true;
}

// A batch that fails while others pass must not hold them up for ever.
bool Lane::HandledAsPoison(const HttpResponse& response) {
  const LanePiece& piece = front_->pieces.front();
  if (piece.failures < kFailuresToSplit) return false;
  const bool others_pass = context_.host.accepted() > piece.accepted_at_first_failure;
  const bool single = PieceEntries() < 2;
  if (single) {
    if (!others_pass || piece.attempts < kFailuresToRefuse) return false;
    Refuse(response, LossReason::kIngesterError, Keep::kDeadLetter);
    return true;
  }
  // With an only lane nothing can pass before this: halves tell then, and cost nothing.
  if (!others_pass && piece.internal_errors < kFailuresToSplit) return false;
  if (!TakeApart()) return false;
  const milliseconds delay = OwnOrAsked(response);
  ReplacePiece(Halve(*front_->request, FrontPart()), piece.attempts);
  WaitFor(delay, response);
  return true;
}

// Credentials, address or permission: nothing is wrong with the batch.
void Lane::Hold(const HttpResponse& response) {
  holding_ = true;
  context_.logger.WriteLimited(
      LogLevel::kError, "loki_hold:" + context_.options.name + ":" + tenant_, "loki",
      "receiver refuses all batches: they are kept, and tried now and then",
      {{"client", context_.options.name},
       {"tenant", tenant_},
       {"status", response.status},
       {"error", Describe(response)},
       {"hint", "check url, credentials and permissions of the client"}});
  const milliseconds own = hold_backoff_.Next();
  const auto asked = RetryAfter(response, context_.clock.WallNanos());
  WaitFor(asked.has_value() ? std::max(own, backoff_.Jittered(*asked)) : own, response);
}

milliseconds Lane::OwnOrAsked(const HttpResponse& response) {
  const milliseconds own = backoff_.Next();
  const auto asked = RetryAfter(response, context_.clock.WallNanos());
  wait_is_asked_for_ = asked.has_value();
  return asked.has_value() ? std::max(own, backoff_.Jittered(*asked)) : own;
}

void Lane::WaitFor(milliseconds delay, const HttpResponse& response) {
  last_error_ = Describe(response);
  host_was_down_ = IsHostFailure(response);
  wait_is_asked_for_ = RetryAfter(response, context_.clock.WallNanos()).has_value();
  if (!holding_) {
    context_.logger.WriteLimited(LogLevel::kWarn,
                                 "loki_retry:" + context_.options.name + ":" + tenant_, "loki",
                                 "error sending batch, will retry",
                                 {{"client", context_.options.name},
                                  {"status", response.status == 0 ? -1 : response.status},
                                  {"tenant", tenant_},
                                  {"error", last_error_},
                                  {"wait_ms", delay.count()}});
  }
  state_ = State::kWaiting;
  wake_ns_ = context_.clock.MonotonicNanos() +
             std::chrono::duration_cast<std::chrono::nanoseconds>(delay).count();
  if (drain_deadline_ns_.has_value() && wake_ns_ > *drain_deadline_ns_) {
    AbandonAll();
    return;
  }
  context_.host.WakeAfter(*this, delay);
}

// The piece is lost for good.
void Lane::Refuse(const HttpResponse& response, LossReason reason, Keep keep) {
  const LanePiece& piece = front_->pieces.front();
  const std::size_t entries = PieceEntries();
  const std::size_t bytes = piece.part.has_value() ? piece.body.size : queue_.front().body.size;
  const std::size_t all = queue_.front().entries();
  front_->reason = Describe(response);
  front_->refused.resize(all);
  front_->kept.resize(all);
  const auto mark = [&](uint32_t begin, uint32_t end) {
    for (uint32_t entry = begin; entry < end; ++entry) {
      front_->refused[entry] = true;
      front_->kept[entry] =
          keep == Keep::kDeadLetter ? static_cast<uint8_t>(1 + static_cast<uint8_t>(reason)) : 0;
    }
  };
  if (piece.part.has_value()) {
    for (const RequestPart::Slice& slice : piece.part->slices)
      mark(slice.begin, slice.end);
  } else {
    mark(0, static_cast<uint32_t>(all));
  }
  context_.counters.Drop(reason, entries, bytes);
  context_.logger.WriteLimited(LogLevel::kError,
                               "loki_final:" + context_.options.name + ":" + tenant_, "loki",
                               "final error sending batch",
                               {{"client", context_.options.name},
                                {"status", response.status == 0 ? -1 : response.status},
                                {"tenant", tenant_},
                                {"error", front_->reason},
                                {"entries", entries}});
  last_error_ = front_->reason;
  PieceDone();
}

void Lane::PieceDone() {
  backoff_.Reset();
  hold_backoff_.Reset();
  front_->pieces.pop_front();
  if (front_->pieces.empty()) FinishFront();
  SendNext();
}

void Lane::FinishFront() {
  Batch& batch = queue_.front();
  const auto is_kept = [](uint8_t kept) { return kept != 0; };
  if (std::any_of(front_->kept.begin(), front_->kept.end(), is_kept)) WriteDeadLetter(batch);
  queued_bytes_ -= batch.body.size;
  batch.Settle(front_->refused);
  front_.reset();
  queue_.pop_front();
}

void Lane::WriteDeadLetter(const Batch& batch) {
  if (!TakeApart()) return;
  std::vector<DeadLetterEntry> entries;
  std::array<uint64_t, kLossReasons> count{};
  for (uint32_t i = 0; i < front_->kept.size(); ++i) {
    if (front_->kept[i] == 0) continue;
    ++count[front_->kept[i] - 1U];
    DecodedEntry decoded = front_->request->Decode(i);
    DeadLetterEntry& entry = entries.emplace_back();
    entry.reason = front_->reason;
    entry.output = context_.options.name;
    entry.tenant = tenant_;
    entry.labels = front_->request->StreamOf(i).labels;
    entry.timestamp_ns = decoded.timestamp_ns;
    entry.line = decoded.line;
    entry.metadata = std::move(decoded.metadata);
    const EntryOrigin& origin = batch.origins[i];
    if (origin.pin != EntryOrigin::kNoPin) {
      const SourceProgress& source = *batch.pins[origin.pin].progress;
      entry.job = source.job();
      entry.source = source.identity().name;
    }
    entry.offset = origin.offset;
  }
  if (!context_.dead_letter.Append(entries)) return;
  for (std::size_t reason = 0; reason < kLossReasons; ++reason)
    context_.counters.dead_lettered[reason].fetch_add(count[reason], std::memory_order_relaxed);
}

}  // namespace agent::loki
