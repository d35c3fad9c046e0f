#include "outputs/logstash/window_queue.h"

#include <algorithm>
#include <string_view>
#include <vector>

#include "base/check.h"

namespace agent::logstash {
namespace {

constexpr uint32_t kFailuresToSplit = 10;
// What a half begins with: it need not fail as often as the whole did.
constexpr uint32_t kFailuresOfHalf = 7;

// `_id` of `@metadata`, as the encoder has written it; empty: there is none.
std::string_view IdOf(std::string_view event) {
  constexpr std::string_view kKey = "\"_id\":\"";
  const std::string_view metadata = event.substr(0, event.find('}'));
  const std::size_t at = metadata.find(kKey);
  if (at == std::string_view::npos) return {};
  const std::string_view rest = metadata.substr(at + kKey.size());
  return rest.substr(0, rest.find('"'));
}

}  // namespace

void WindowQueue::Add(Batch batch) {
  const uint64_t number = next_parcel_++;
  const std::size_t events = batch.entries();
  bytes_ += batch.body.size;
  Parcel& parcel = parcels_[number];
  parcel.batch = std::move(batch);
  parcel.left = events;
  if (events == 0) return EventsDone(number, 0);
  Put({.parcel = number, .first = 0, .count = static_cast<uint32_t>(events)});
}

void WindowQueue::Put(Piece piece) {
  waiting_.emplace(Key(piece.parcel, piece.first), piece);
}

// The first; but one that seems to be refused for what it is lets another by now and then: if that
// passes, it was no other's fault.
WindowQueue::Piece WindowQueue::TakeNext() {
  auto at = waiting_.begin();
  const bool stuck = at->second.count == 1 && at->second.failures >= kFailuresToSplit;
  if (stuck) {
    let_by_ = !let_by_;
    if (let_by_ && waiting_.size() > 1) ++at;
  }
  const Piece piece = at->second;
  waiting_.erase(at);
  return piece;
}

WindowQueue::Window WindowQueue::Take(std::size_t max_events) {
  CHECK(!waiting_.empty());
  Piece piece = TakeNext();
  Parcel& parcel = parcels_.at(piece.parcel);
  const uint32_t count = CountThatFits(parcel, piece, max_events);
  if (count < piece.count) {
    Piece rest = piece;
    rest.first += count;
    rest.count -= count;
    Put(rest);
    piece.count = count;
  }
  if (piece.again) {
    context_.counters.retried_entries.fetch_add(piece.count, std::memory_order_relaxed);
  }
  Window window{.id = next_window_++, .events = piece.count, .body = parcel.batch.body};
  if (piece.count < parcel.batch.entries() && TakeApart(parcel)) {
    window.body = parcel.apart->Encode(piece.first, piece.count, context_.compressor);
  }
  taken_.emplace(window.id, piece);
  return window;
}

uint32_t WindowQueue::CountThatFits(Parcel& parcel, const Piece& piece, std::size_t max_events) {
  const std::size_t most = std::min(max_events, context_.window_entries);
  const bool whole = piece.count == parcel.batch.entries();
  const bool small = parcel.batch.raw_size <= context_.window_bytes || piece.count == 1;
  if (whole && piece.count <= most && small) return piece.count;
  if (!TakeApart(parcel)) return piece.count;
  uint32_t count = 0;
  std::size_t bytes = 0;
  while (count < piece.count && count < most) {
    bytes += parcel.apart->FrameSize(piece.first + count);
    if (count > 0 && bytes > context_.window_bytes) break;
    ++count;
  }
  return count;
}

// False when the body cannot be read, which is a bug: it is sent whole then.
bool WindowQueue::TakeApart(Parcel& parcel) {
  if (parcel.apart) return true;
  auto parsed = FrameList::Parse(parcel.batch.body, parcel.batch.raw_size);
  if (!parsed.ok() || parsed->size() != parcel.batch.entries()) {
    context_.logger.WriteLimited(LogLevel::kError, "lumberjack_parse", "logstash",
                                 "a batch of our own cannot be read: it is not split");
    return false;
  }
  parcel.apart = std::move(*parsed);
  Batch& batch = parcel.batch;
  batch.memory.Resize(batch.memory.bytes() + parcel.apart->memory_bytes());
  return true;
}

void WindowQueue::Acked(uint64_t id, uint32_t events) {
  const auto at = taken_.find(id);
  CHECK(at != taken_.end() && events <= at->second.count);
  Piece& piece = at->second;
  const uint64_t parcel = piece.parcel;
  piece.first += events;
  piece.count -= events;
  // What is left now has not failed yet.
  if (events > 0) piece.failures = 0;
  if (piece.count == 0) taken_.erase(at);
  ++accepted_;
  context_.counters.sent_entries.fetch_add(events, std::memory_order_relaxed);
  EventsDone(parcel, events);
}

void WindowQueue::Return(uint64_t id, const std::string& reason) {
  const auto at = taken_.find(id);
  CHECK(at != taken_.end());
  Piece piece = at->second;
  taken_.erase(at);
  piece.again = true;
  if (reason.empty()) {
    Put(piece);
  } else {
    Fail(piece, reason);
  }
}

void WindowQueue::Fail(Piece& piece, const std::string& reason) {
  if (piece.failures == 0 || piece.failures == kFailuresOfHalf) piece.accepted_before = accepted_;
  ++piece.failures;
  if (piece.failures < kFailuresToSplit) return Put(piece);
  if (piece.count == 1) {
    return accepted_ > piece.accepted_before ? Refuse(piece, reason) : Put(piece);
  }
  if (!TakeApart(parcels_.at(piece.parcel))) return Put(piece);
  Piece half = piece;
  half.failures = kFailuresOfHalf;
  half.count = piece.count / 2;
  Put(half);
  half.first += half.count;
  half.count = piece.count - half.count;
  half.failures = 0;  // It may be the other's fault.
  Put(half);
}

void WindowQueue::Refuse(const Piece& piece, const std::string& reason) {
  Parcel& parcel = parcels_.at(piece.parcel);
  TakeApart(parcel);
  context_.counters.Refuse("fails_always", 1);
  context_.logger.WriteLimited(
      LogLevel::kError, "lumberjack_refused:" + context_.output, "logstash",
      "an event fails again and again while others pass: it goes to the dead letter",
      {{"output", context_.output}, {"error", reason}});
  parcel.refused.emplace(piece.first, reason);
  EventsDone(piece.parcel, 1);
}

void WindowQueue::EventsDone(uint64_t number, std::size_t events) {
  const auto at = parcels_.find(number);
  Parcel& parcel = at->second;
  parcel.left -= events;
  if (parcel.left > 0) return;
  bytes_ -= parcel.batch.body.size;
  std::vector<bool> refused;
  if (!parcel.refused.empty()) {
    WriteDeadLetter(parcel);
    refused.resize(parcel.batch.entries());
    for (const auto& [event, reason] : parcel.refused)
      refused[event] = true;
  }
  Parcel done = std::move(parcel);
  parcels_.erase(at);
  done.batch.Settle(refused);
}

void WindowQueue::WriteDeadLetter(const Parcel& parcel) {
  std::vector<DeadLetterEntry> entries;
  for (const auto& [event, reason] : parcel.refused) {
    DeadLetterEntry& entry = entries.emplace_back();
    entry.reason = reason;
    entry.output = context_.output;
    if (parcel.apart) {
      entry.document = parcel.apart->At(event);
      entry.id = IdOf(entry.document);
    }
    const EntryOrigin& origin = parcel.batch.origins[event];
    if (origin.pin != EntryOrigin::kNoPin) {
      const SourceProgress& source = *parcel.batch.pins[origin.pin].progress;
      entry.job = source.job();
      entry.source = source.identity().name;
    }
    entry.offset = origin.offset;
  }
  if (context_.dead_letter.Append(entries)) {
    context_.counters.dead_lettered.fetch_add(entries.size(), std::memory_order_relaxed);
  }
}

void WindowQueue::Abandon() {
  for (auto& [number, parcel] : parcels_)
    parcel.batch.Abandon();
  parcels_.clear();
  waiting_.clear();
  taken_.clear();
  bytes_ = 0;
}

int64_t WindowQueue::oldest_ns() const {
  int64_t oldest = 0;
  for (const auto& [number, parcel] : parcels_) {
    const int64_t created = parcel.batch.created_ns;
    if (oldest == 0 || created < oldest) oldest = created;
  }
  return oldest;
}

uint32_t WindowQueue::attempts() const {
  return waiting_.empty() ? 0 : waiting_.begin()->second.failures;
}

}  // namespace agent::logstash
