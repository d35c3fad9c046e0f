#include "outputs/buffer/disk_lane.h"

#include <algorithm>
#include <utility>

#include "outputs/buffer/buffer_folder.h"

namespace agent {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kSyncInterval{500};
constexpr std::size_t kSyncBytes = std::size_t{4} << 20;
constexpr milliseconds kCursorInterval{1000};
constexpr milliseconds kRetryInterval{5000};

}  // namespace

DiskLane::DiskLane(Context context, StoreOptions options, std::shared_ptr<DiskLaneStatus> status)
    : context_(std::move(context)),
      options_(std::move(options)),
      status_(std::move(status)),
      sync_timer_(context_.disk_loop),
      retry_timer_(context_.disk_loop),
      cursor_timer_(context_.disk_loop) {}

DiskLane::~DiskLane() = default;

bool DiskLane::OpenStore() {
  if (store_ != nullptr) return true;
  auto opened = BufferStore::Open(options_, context_.quota, context_.clock, context_.logger);
  if (!opened) {
    Fail(opened.error());
    return false;
  }
  store_ = std::move(*opened);
  return true;
}

void DiskLane::Open() {
  uint64_t read = 0;
  uint64_t tail = 0;
  if (IsInUse(options_.folder) && OpenStore()) {
    read = store_->read_id();
    tail = store_->next_id() - 1;
    appended_through_ = tail;
  }
  context_.tell([read, tail](DiskLaneClient& client) { client.OnOpened(read, tail); });
  Publish();
}

void DiskLane::Append(std::shared_ptr<const StoredBatch> batch, bool already_sent) {
  last_given_ = batch->id;
  pending_.push_back({std::move(batch), already_sent});
  if (!full_) Work();
}

void DiskLane::Work() {
  const uint64_t before = appended_through_;
  full_ = false;
  // Full also when it could not be synced.
  while (!pending_.empty() && !full_)
    AppendFirst();
  if (pending_.empty()) appended_through_ = std::max(appended_through_, last_given_);
  if (appended_through_ != before) {
    context_.tell(
        [through = appended_through_](DiskLaneClient& client) { client.OnAppended(through); });
  }
  if (!unsynced_.empty()) SyncSoon();
  Publish();
}

void DiskLane::AppendFirst() {
  const uint64_t id = pending_.front().batch->id;
  const Status appended =
      OpenStore() ? AppendOne(pending_.front()) : Status(Error{ErrorCode::kIo, problem_});
  if (!appended.ok()) {
    const bool bounds = appended.error().code == ErrorCode::kNoSpace;
    if (!bounds || problem_.empty()) Fail(appended.error());
    if (context_.when_full != WhenFull::kDropNewest) {
      full_ = true;
      retry_timer_.StartOnce(kRetryInterval, [this] { Work(); });
      return;
    }
    context_.tell([id](DiskLaneClient& client) { client.OnDropped(id); });
    pending_.pop_front();
    appended_through_ = std::max(appended_through_, id);
    return;
  }
  problem_.clear();
  appended_through_ = std::max(appended_through_, id);
  unsynced_bytes_ += pending_.front().batch->body.size;
  unsynced_.push_back(std::move(pending_.front()));
  pending_.pop_front();
  if (unsynced_bytes_ >= kSyncBytes) SyncNow();
}

Status DiskLane::AppendOne(const Pending& pending) {
  for (;;) {
    Status appended = store_->Append(*pending.batch, pending.already_sent);
    if (appended.ok() || context_.when_full != WhenFull::kDropOldest) return appended;
    if (appended.error().code != ErrorCode::kNoSpace) return appended;
    const auto dropped = store_->DropOldest();
    if (!dropped) return appended;
    context_.counters.dropped_oldest += dropped->entries;
    context_.logger.WriteLimited(LogLevel::kWarn, "buffer_oldest:" + options_.output, "buffer",
                                 "the buffer is full: its oldest batches are dropped",
                                 {{"output", options_.output},
                                  {"entries", dropped->entries},
                                  {"hint", "see buffer.max_size and when_full"}});
  }
}

void DiskLane::Fail(const Error& error) {
  problem_ = error.message;
  ++context_.counters.write_failures;
  context_.logger.WriteLimited(
      error.code == ErrorCode::kNoSpace ? LogLevel::kWarn : LogLevel::kError,
      "buffer_write:" + options_.output, "buffer", "the buffer takes nothing more at present",
      {{"output", options_.output},
       {"folder", options_.folder},
       {"error", error.message},
       {"hint", "its sources wait, unless when_full says otherwise; see max_size and min_free"}});
}

void DiskLane::SyncSoon() {
  if (context_.sync != SyncPolicy::kInterval) return SyncNow();
  if (!sync_timer_.active()) sync_timer_.StartOnce(kSyncInterval, [this] { SyncNow(); });
}

void DiskLane::SyncNow() {
  sync_timer_.Stop();
  if (unsynced_.empty()) return;
  if (context_.sync != SyncPolicy::kNever) {
    const Status synced = store_->Sync();
    if (!synced.ok()) {
      // Nobody knows what of it is on the disk: it is written again, elsewhere.
      store_->DiscardUnsynced();
      Fail(synced.error());
      // Those that have been read meanwhile are known by their ids.
      for (; !unsynced_.empty(); unsynced_.pop_back())
        pending_.push_front({std::move(unsynced_.back().batch), /*already_sent=*/false});
      unsynced_bytes_ = 0;
      full_ = true;
      retry_timer_.StartOnce(kRetryInterval, [this] { Work(); });
      return;
    }
  }
  const uint64_t through = unsynced_.back().batch->id;
  unsynced_.clear();
  unsynced_bytes_ = 0;
  context_.tell([through](DiskLaneClient& client) { client.OnDurable(through); });
}

void DiskLane::Read(std::size_t bytes) {
  std::vector<StoredBatch> batches;
  std::size_t got = 0;
  uint64_t through = appended_through_;
  while (store_ != nullptr) {
    auto batch = store_->ReadNext();
    if (!batch) break;
    through = batch->id;
    got += batch->body.size;
    batches.push_back(std::move(*batch));
    if (got >= bytes) break;
  }
  if (got < bytes) through = appended_through_;  // Came to the end.
  // std::function must be copyable, batches are not: hence the shared holder.
  auto holder = std::make_shared<std::vector<StoredBatch>>(std::move(batches));
  context_.tell(
      [holder, through](DiskLaneClient& client) { client.OnRead(std::move(*holder), through); });
  Publish();
}

void DiskLane::Settle(uint64_t id) {
  // Delivered before there was room for it: it need not be written (again).
  const auto is_it = [id](const Pending& pending) { return pending.batch->id == id; };
  const std::size_t gone = std::erase_if(pending_, is_it) + std::erase_if(unsynced_, is_it);
  if (store_ != nullptr) store_->Settle(id);
  if (gone > 0 || full_) return Work();
  if (store_ == nullptr) return;
  if (!cursor_timer_.active()) {
    cursor_timer_.StartOnce(kCursorInterval, [this] {
      const Status synced = store_->SyncCursor();
      if (!synced.ok()) Fail(synced.error());
    });
  }
  Publish();
}

void DiskLane::Flush() {
  if (full_ || !pending_.empty()) Work();
  SyncNow();
  pending_.clear();
  retry_timer_.Stop();
  if (store_ != nullptr) {
    const Status synced = store_->SyncCursor();
    if (!synced.ok()) Fail(synced.error());
  }
  context_.tell([](DiskLaneClient& client) { client.OnFlushed(); });
  Publish();
}

void DiskLane::Publish() {
  DiskLaneStatus::Values values;
  if (store_ != nullptr) {
    values.stats = store_->Stats();
    const StoreCounters& now = store_->counters();
    context_.counters.corrupt_batches += now.corrupt_batches - told_.corrupt_batches;
    context_.counters.corrupt_bytes += now.corrupt_bytes - told_.corrupt_bytes;
    told_ = now;
  }
  values.full = full_;
  values.problem = problem_;
  status_->Set(std::move(values));
}

}  // namespace agent
