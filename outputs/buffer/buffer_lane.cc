#include "outputs/buffer/buffer_lane.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace agent {
namespace {

constexpr int64_t kMaxWaitNs = kNanosPerSecond;

}  // namespace

BufferLane::BufferLane(Context context, std::string tenant)
    : context_(std::move(context)),
      tenant_(std::move(tenant)),
      disk_status_(std::make_shared<DiskLaneStatus>()),
      alive_(std::make_shared<BufferLane*>(this)),
      opened_(context_.disk == nullptr) {
  if (context_.disk == nullptr) return;
  disk_lane_ = std::make_shared<std::unique_ptr<DiskLane>>();
  const auto tell = [&loop = context_.loop, weak = std::weak_ptr<BufferLane*>(alive_)](
                        std::function<void(DiskLaneClient&)> what) {
    loop.Post([weak, what = std::move(what)] {
      if (const auto lane = weak.lock()) what(**lane);
    });
  };
  context_.disk->Post([slot = disk_lane_, make = context_.make_disk_lane, tell,
                       status = disk_status_] { *slot = make(tell, status); });
  Post([](DiskLane& lane) { lane.Open(); });
}

BufferLane::~BufferLane() {
  alive_.reset();
  for (Batch& batch : early_)
    batch.Abandon();
  for (auto& [number, held] : held_)
    held.batch.Abandon();
  if (context_.disk != nullptr) context_.disk->Post([slot = disk_lane_] { slot->reset(); });
}

void BufferLane::Post(std::function<void(DiskLane&)> work) {
  context_.disk->Post([slot = disk_lane_, work = std::move(work)] { work(**slot); });
}

// --- In.

void BufferLane::Enqueue(Batch batch) {
  if (!opened_) return early_.push_back(std::move(batch));
  const bool has_disk = context_.disk != nullptr;
  const bool over = behind_ ? held_bytes_ > 2 * context_.window_bytes() : !HasRoom();
  if (!context_.required && over && (behind_ || !has_disk)) return DropNewest(std::move(batch));
  const uint64_t number = next_number_++;
  Held& held = held_[number];
  held_bytes_ += batch.body.size;
  held.batch = std::move(batch);
  if (behind_) {
    SpoolOne(number, held, /*already_sent=*/false);
    next_to_hand_ = next_number_;
  } else if (next_to_hand_ == number && HasRoom()) {
    next_to_hand_ = next_number_;
    Hand(number);
  } else {
    if (waiting_since_ns_ == 0) waiting_since_ns_ = context_.clock.MonotonicNanos();
    if (!context_.required) StartSpilling();
  }
}

void BufferLane::DropNewest(Batch batch) {
  context_.counters.dropped_optional += batch.entries();
  context_.logger.WriteLimited(
      LogLevel::kWarn, "buffer_optional:" + context_.inner.name(), "buffer",
      "an output that is not required falls behind: its newest batches are dropped",
      {{"output", context_.inner.name()}, {"entries", batch.entries()}});
  batch.Settle(std::vector<bool>(batch.entries(), true));
}

// --- To the output underneath.

bool BufferLane::HasRoom() const {
  return inner_bytes_ == 0 || inner_bytes_ < context_.window_bytes();
}

void BufferLane::Hand(uint64_t number) {
  Batch& batch = held_.at(number).batch;
  Batch copy;
  copy.output = batch.output;
  copy.tenant = batch.tenant;
  copy.body = batch.body;
  copy.raw_size = batch.raw_size;
  copy.line_bytes = batch.line_bytes;
  for (const SourcePin& pin : batch.pins)
    copy.pins.push_back({pin.progress, SourcePin::kNameOnly});
  copy.origins = batch.origins;
  copy.unsendable = batch.unsendable;
  copy.created_ns = batch.created_ns;
  // The body counts where it stays longest.
  copy.memory = std::move(batch.memory);
  batch.memory = context_.budget.Reserve(batch.origins.size() * sizeof(EntryOrigin));
  copy.keeper = &context_.keeper;
  copy.keeper_number = number;
  handed_[number] = copy.body.size;
  inner_bytes_ += copy.body.size;
  context_.inner.Enqueue(std::move(copy));
}

void BufferLane::HandStored(StoredBatch stored) {
  Batch batch;
  batch.output = context_.output_index;
  batch.tenant = std::move(stored.tenant);
  batch.body = std::move(stored.body);
  batch.raw_size = stored.raw_size;
  batch.line_bytes = stored.line_bytes;
  for (std::string& job : stored.jobs) {
    // Only says where it was from: the source has settled it when it came here.
    auto source = std::make_shared<SourceProgress>(
        std::move(job), std::vector<uint64_t>(context_.output_index + 1), nullptr);
    batch.pins.push_back({std::move(source), SourcePin::kNameOnly});
  }
  batch.origins = std::move(stored.origins);
  batch.unsendable = std::move(stored.unsendable);
  const int64_t age = context_.clock.WallNanos() - stored.created_wall_ns;
  batch.created_ns =
      std::max<int64_t>(1, context_.clock.MonotonicNanos() - std::max<int64_t>(0, age));
  batch.memory =
      context_.budget.Reserve(batch.body.size + batch.origins.size() * sizeof(EntryOrigin));
  batch.keeper = &context_.keeper;
  batch.keeper_number = stored.id;
  handed_[stored.id] = batch.body.size;
  inner_bytes_ += batch.body.size;
  context_.inner.Enqueue(std::move(batch));
}

void BufferLane::OnSettled(const Batch& copy, const std::vector<bool>& refused) {
  const uint64_t number = copy.keeper_number;
  const auto handed = handed_.find(number);
  CHECK(handed != handed_.end());
  inner_bytes_ -= handed->second;
  handed_.erase(handed);
  const auto held = held_.find(number);
  const bool stored = held == held_.end() || held->second.spool == Spool::kPending;
  if (held == held_.end()) {
    context_.counters.drained_entries += copy.entries();
    context_.counters.refused_entries +=
        static_cast<uint64_t>(std::count(refused.begin(), refused.end(), true));
  } else {
    held_bytes_ -= held->second.batch.body.size;
    held->second.batch.Settle(refused);
    held_.erase(held);
  }
  if (stored) Post([number](DiskLane& lane) { lane.Settle(number); });
  PumpSoon();
}

void BufferLane::OnAbandoned(const Batch& copy) {
  const auto handed = handed_.find(copy.keeper_number);
  if (handed == handed_.end()) return;
  inner_bytes_ -= handed->second;
  handed_.erase(handed);
}

// Not from within the output underneath, which is in the middle of something.
void BufferLane::PumpSoon() {
  if (std::exchange(pump_posted_, true)) return;
  context_.loop.Post([weak = std::weak_ptr<BufferLane*>(alive_)] {
    if (const auto lane = weak.lock()) (*lane)->Pump();
  });
}

void BufferLane::Pump() {
  pump_posted_ = false;
  if (draining_) return;
  if (behind_) return RequestRead();
  while (waiting() && HasRoom())
    Hand(next_to_hand_++);
  if (!waiting()) waiting_since_ns_ = 0;
}

void BufferLane::Tick(bool trouble) {
  trouble_ = trouble;
  if (!opened_ || draining_ || context_.disk == nullptr) return;
  if (behind_) {
    RequestRead();
    GoStraightAgain();
    return;
  }
  const bool waits = waiting() && waiting_since_ns_ > 0 &&
                     context_.clock.MonotonicNanos() - waiting_since_ns_ > kMaxWaitNs;
  const bool stuck =
      trouble_ && !held_.empty() && MayBeSpooled(held_.rbegin()->first, held_.rbegin()->second);
  if (waits || stuck) StartSpilling();
}

// --- To the disk and back.

// Not what there was no room for: ids on the disk only grow.
bool BufferLane::MayBeSpooled(uint64_t number, const Held& held) const {
  return held.spool == Spool::kNone && number > last_spooled_;
}

void BufferLane::StartSpilling() {
  behind_ = true;
  waiting_since_ns_ = 0;
  read_through_ = next_to_hand_ - 1;
  for (auto& [number, held] : held_) {
    if (MayBeSpooled(number, held)) SpoolOne(number, held, number < next_to_hand_);
  }
  next_to_hand_ = next_number_;
}

void BufferLane::SpoolOne(uint64_t number, Held& held, bool already_sent) {
  const Batch& batch = held.batch;
  auto stored = std::make_shared<StoredBatch>();
  stored->id = number;
  stored->created_wall_ns =
      context_.clock.WallNanos() - (context_.clock.MonotonicNanos() - batch.created_ns);
  stored->tenant = batch.tenant;
  stored->raw_size = batch.raw_size;
  stored->line_bytes = batch.line_bytes;
  stored->body = batch.body;
  for (const SourcePin& pin : batch.pins)
    stored->jobs.push_back(pin.progress->job());
  stored->origins = batch.origins;
  stored->unsendable = batch.unsendable;
  stored->memory = context_.budget.Reserve(stored->origins.size() * sizeof(EntryOrigin));
  held.spool = Spool::kPending;
  last_spooled_ = number;
  Post([stored = std::shared_ptr<const StoredBatch>(std::move(stored)),
        already_sent](DiskLane& lane) { lane.Append(stored, already_sent); });
}

void BufferLane::RequestRead() {
  if (reading_ || draining_ || !behind_ || !HasRoom()) return;
  if (read_through_ >= appended_through_) return;
  reading_ = true;
  const std::size_t window = context_.window_bytes();
  const std::size_t bytes = window > inner_bytes_ ? window - inner_bytes_ : 1;
  Post([bytes](DiskLane& lane) { lane.Read(bytes); });
}

// When all that went to the disk is on its way, and gets through.
void BufferLane::GoStraightAgain() {
  if (draining_ || reading_ || trouble_ || read_through_ < last_spooled_) return;
  behind_ = false;
}

void BufferLane::OnOpened(uint64_t read, uint64_t tail) {
  opened_ = true;
  next_number_ = tail + 1;
  next_to_hand_ = next_number_;
  read_through_ = read;
  appended_through_ = tail;
  last_spooled_ = tail;
  behind_ = tail > read;
  std::vector<Batch> early;
  early.swap(early_);
  for (Batch& batch : early)
    Enqueue(std::move(batch));
  RequestRead();
}

void BufferLane::OnAppended(uint64_t through) {
  appended_through_ = std::max(appended_through_, through);
  RequestRead();
}

void BufferLane::OnDurable(uint64_t through) {
  for (auto at = held_.begin(); at != held_.end() && at->first <= through;) {
    if (at->second.spool != Spool::kPending) {
      ++at;
      continue;
    }
    Batch& batch = at->second.batch;
    context_.counters.spooled_entries += batch.entries();
    held_bytes_ -= batch.body.size;
    batch.Settle();
    at = held_.erase(at);
  }
}

void BufferLane::OnDropped(uint64_t id) {
  const auto held = held_.find(id);
  if (held == held_.end()) return;
  if (handed_.contains(id)) {  // The receiver may take it yet.
    held->second.spool = Spool::kNone;
    return;
  }
  Batch& batch = held->second.batch;
  held_bytes_ -= batch.body.size;
  context_.counters.dropped_newest += batch.entries();
  batch.Settle(std::vector<bool>(batch.entries(), true));
  held_.erase(held);
}

void BufferLane::OnRead(std::vector<StoredBatch> batches, uint64_t through) {
  reading_ = false;
  if (draining_) return;  // They are still on the disk.
  for (StoredBatch& batch : batches)
    HandStored(std::move(batch));
  read_through_ = std::max(read_through_, through);
  GoStraightAgain();
  RequestRead();
}

// --- The end.

void BufferLane::BeginDrain() {
  draining_ = true;
  if (context_.disk != nullptr) return;
  while (waiting())
    Hand(next_to_hand_++);
}

void BufferLane::FinishDrain() {
  for (Batch& batch : early_)
    batch.Abandon();
  early_.clear();
  if (context_.disk == nullptr) return context_.flushed();
  for (auto& [number, held] : held_) {
    if (MayBeSpooled(number, held)) SpoolOne(number, held, /*already_sent=*/false);
  }
  Post([](DiskLane& lane) { lane.Flush(); });
}

void BufferLane::OnFlushed() {
  context_.flushed();
}

bool BufferLane::idle() const {
  return opened_ && early_.empty() && held_.empty() && handed_.empty() && !behind_ && !reading_;
}

void BufferLane::AddStatus(LaneStatus& status) const {
  status.tenant = tenant_;
  for (const auto& [number, held] : held_) {
    if (status.oldest_ns == 0 || held.batch.created_ns < status.oldest_ns)
      status.oldest_ns = held.batch.created_ns;
    if (handed_.contains(number)) continue;
    ++status.queued_batches;
    status.queued_bytes += held.batch.body.size;
  }
  const DiskLaneStatus::Values disk = disk_status_->Get();
  if (disk.stats.oldest_wall_ns > 0) {
    const int64_t age =
        std::max<int64_t>(0, context_.clock.WallNanos() - disk.stats.oldest_wall_ns);
    const int64_t since = std::max<int64_t>(1, context_.clock.MonotonicNanos() - age);
    if (status.oldest_ns == 0 || since < status.oldest_ns) status.oldest_ns = since;
  }
  if (context_.disk != nullptr) {
    status.buffer = LaneBuffer{.bytes = disk.stats.bytes,
                               .batches = disk.stats.batches,
                               .entries = disk.stats.entries,
                               .full = disk.full};
  }
  if (status.state.empty()) status.state = "idle";
  if (behind_) status.state = trouble_ ? "spilling" : "draining";
  if (status.last_error.empty()) status.last_error = disk.problem;
}

}  // namespace agent
